"""Where metrics are served: on the loopback interface unless told otherwise; and a real house can be scraped there."""

from __future__ import annotations

import socket
import urllib.request
from typing import Any

import pytest

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.demo import free_port
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.metrics_option import LOOPBACK, read_where, serving_metrics

LOT = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "A lot"
starting_price = "10EUR"
start_timeout = "1h"
"""


@pytest.mark.parametrize(
    ("text", "where"),
    [("9188", (LOOPBACK, 9188)), ("0.0.0.0:1", ("0.0.0.0", 1)), ("[::1]:65535", ("::1", 65_535))],
)
def test_a_place_is_a_port_or_a_host_and_a_port(text: str, where: tuple[str, int]) -> None:
    assert read_where(text) == where


@pytest.mark.parametrize("text", ["", ":", "x", "0", "65536", "host:", ":9188", "::1:9188", "h:9x", "h:-1", "h:١"])
def test_what_is_no_place_is_an_error_with_a_hint(text: str) -> None:
    with pytest.raises(ArgumentError, match="--metrics") as caught:
        read_where(text)
    assert caught.value.hint


def test_without_the_option_nothing_is_served() -> None:
    with serving_metrics(None) as tell:
        tell(None)  # type: ignore[arg-type]


def scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def test_a_house_can_be_scraped_and_says_what_it_has_done(start_house: Any) -> None:
    port = free_port()
    house = start_house(LOT, "--json", "--metrics", str(port))
    while b'"serving"' not in (line := house.stdout.readline()):
        assert line
    while "\nauctionctl_up 1.0" not in (text := scrape(port)) or "auctionctl_auctions{" not in text:
        assert house.poll() is None
    assert 'auctionctl_auctions{phase="announced"} 1.0' in text
    for process in ("supervisor", "house"):
        assert f'auctionctl_process_resident_memory_bytes{{process="{process}"}}' in text
    assert "auctionctl_queue_limit_requests 1000.0" in text


def test_a_port_that_is_taken_ends_serve_before_it_begins(start_house: Any) -> None:
    path = start_house.prepare(LOT)
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        ended = start_house.run("serve", path, "--metrics", str(port))
    assert ended.status == ExitStatus.CONFIGURATION
    assert f"{LOOPBACK}:{port}" in ended.err
    assert "Traceback" not in ended.err
