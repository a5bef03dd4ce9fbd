"""Addresses where no house is, another one, or something else: each ends in good time, with its status and a hint."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hostile_case import BOB, check_harmless

LOTS = '[house]\nport = {port}\nverifiers = 1\n[[auction]]\nitem = "X"\nstarting_price = "1EUR"\nstart_timeout = "1h"\n'


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory, cli_fixtures: Any) -> Iterator[dict[str, Any]]:
    """All of them at once, as each waits for some seconds before it gives up."""
    home = tmp_path_factory.mktemp("network")
    house = cli_fixtures.start_program(home, "serve", cli_fixtures.write_fair(home, LOTS))
    started: dict[str, Any] = {}
    try:
        while not (line := house.stdout.readline().decode()).startswith("serving at "):
            assert line, house.stderr.read()
        identity, _, place = line.split()[-1].removeprefix("auction://").partition("@")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            for name, who, where in (
                ("another key", BOB.identity.text, place),
                ("not listed", identity, place),
                ("closed", identity, "127.0.0.1:9"),
                ("silent", identity, f"127.0.0.1:{silent.getsockname()[1]}"),
                ("unknown host", identity, "no-such-host.invalid:8888"),
                ("no host", identity, "..:8888"),
                ("IPv6", identity, "[::1]:9"),
                ("no IPv6", identity, "[:::::]:9"),
            ):
                key = "mallory" if name == "not listed" else "alice"
                address = f"auction://{who}@{where}"
                started[name] = cli_fixtures.start_program(home, "ls", "--key", key, "--house", address)
            yield {name: cli_fixtures.finish(process) for name, process in started.items()}
    finally:
        for process in (house, *started.values()):
            if process.poll() is None:
                process.terminate()
                cli_fixtures.finish(process)
            for stream in (process.stdout, process.stderr):
                stream.close()


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("another key", 5, "no house answered at 127.0.0.1:"),
        ("not listed", 4, "does not know this key"),
        ("closed", 5, "no house answered at 127.0.0.1:9 within"),
        ("silent", 5, "no house answered at 127.0.0.1:"),
        ("unknown host", 5, "no-such-host.invalid"),
        ("no host", 5, "nothing can be reached at ..:8888"),
        ("IPv6", 5, "no house answered at [::1]:9"),
        ("no IPv6", 5, "no house"),
    ],
)
def test_where_no_house_is_it_is_said(endings: dict[str, Any], name: str, status: int, says: str) -> None:
    ending = endings[name]
    assert (ending.status, ending.out) == (status, ""), ending.err
    assert says in ending.err
    assert "\nhint: " in ending.err
    assert "Traceback" not in ending.err
    check_harmless(ending.err)
