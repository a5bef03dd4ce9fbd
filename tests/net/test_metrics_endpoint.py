"""What a scraper reads is what the house has measured, and that of a silent house is not passed off as fresh."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from auctionctl.errors import ConfigurationError
from auctionctl.net.metrics_endpoint import STALE_S, MetricsEndpoint
from auctionctl.wire.measures import Busy, Labelled, Measures, PeerMeasure, ProcessMeasure, StageMeasure

MEASURES = Measures(
    2_000_000_000,
    1_000_000_000,
    60_000_000_000,
    (StageMeasure("commit", 10, 1_000_000, 2_000_000, 4_000_000, 100, 500_000_000),),
    (
        ("queue", 3),
        ("requests", 120),
        ("acknowledged", 90),
        ("store_bytes", 4096),
        ("checked", 110),
        ("forged", 2),
        ("something_new", 7),
    ),
    (
        Labelled("rejected", "below_increment", 5),
        Labelled("auctions", "open", 2),
        Labelled("another", "x", 1),
        Labelled("reputation", "good", 6),
    ),
    (ProcessMeasure("gateway", 17, 1_500_000_000, 2048, 12),),
    (PeerMeasure("ann", "bidder", "192.0.2.1", 1, 2, 3, 4, 5, 6),),
    (Busy(b"a" * 32, 9),),
)


class Scraper:
    """An endpoint on a port of its own, under a clock that stands until it is set."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.endpoint = MetricsEndpoint("127.0.0.1", 0, lambda: self.now_s)

    def scrape(self) -> dict[tuple[str, ...], float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.endpoint.port}/metrics", timeout=10) as answer:
            families = text_string_to_metric_families(answer.read().decode())
            return {
                (sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples
            }


@pytest.fixture
def scraper() -> Iterator[Scraper]:
    found = Scraper()
    yield found
    found.endpoint.close()


def test_what_the_house_has_measured_is_what_a_scraper_reads(scraper: Scraper) -> None:
    scraper.endpoint.tell(MEASURES)
    found = scraper.scrape()
    expected = {
        ("auctionctl_up",): 1,
        ("auctionctl_requests_total",): 120,
        ("auctionctl_acknowledged_total",): 90,
        ("auctionctl_queue_requests",): 3,
        ("auctionctl_store_bytes",): 4096,
        ("auctionctl_rejected_total", "below_increment"): 5,
        ("auctionctl_auctions", "open"): 2,
        ("auctionctl_checked_total",): 110,
        ("auctionctl_forged_total",): 2,
        ("auctionctl_reputation_points_total", "good"): 6,
        ("auctionctl_stage_seconds_count", "commit"): 100,
        ("auctionctl_stage_seconds_sum", "commit"): 0.5,
        ("auctionctl_stage_recent_seconds", "0.99", "commit"): 0.002,
        ("auctionctl_process_cpu_seconds_total", "gateway"): 1.5,
        ("auctionctl_process_resident_memory_bytes", "gateway"): 2048,
        ("auctionctl_process_open_fds", "gateway"): 12,
        ("auctionctl_start_time_seconds",): 1,
    }
    assert {name: found.get(name) for name in expected} == expected


def test_a_phase_without_an_auction_and_a_reason_that_nothing_ended_for_are_there_with_0(scraper: Scraper) -> None:
    scraper.endpoint.tell(MEASURES)
    found = scraper.scrape()
    phases = {labels[0]: value for (name, *labels), value in found.items() if name == "auctionctl_auctions"}
    assert phases == {"announced": 0, "open": 2, "paused": 0, "closed": 0}
    reasons = {
        labels[0]: value for (name, *labels), value in found.items() if name == "auctionctl_auctions_ended_total"
    }
    assert reasons == dict.fromkeys(("completed", "reserve_not_met", "no_bids", "cancelled", "reverted"), 0)


def test_the_supervisor_is_one_of_the_processes_and_those_that_died_are_counted(scraper: Scraper) -> None:
    scraper.endpoint.tell(MEASURES)
    for process in ("gateway", "gateway", "verifier 0"):
        scraper.endpoint.restarted(process)
    found = scraper.scrape()
    assert found["auctionctl_process_open_fds", "supervisor"] > 3
    assert found["auctionctl_process_resident_memory_bytes", "supervisor"] > 1_000_000
    restarts = {labels[0]: value for (name, *labels), value in found.items() if name == "auctionctl_restarts_total"}
    assert restarts == {"gateway": 2, "verifier 0": 1}


def test_a_scraper_that_goes_away_in_the_middle_leaves_no_traceback(
    scraper: Scraper, capfd: pytest.CaptureFixture[str]
) -> None:
    for said in (b"GET /metrics HTTP/1.1\r\n", b"\xff\x00\r\n\r\n", b"GET /metrics HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", scraper.endpoint.port), 10) as connection:
            # Closed in haste, so that the other side gets a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(said)
    assert scraper.scrape() == {("auctionctl_up",): 0}
    deadline_s = time.monotonic() + 10
    while any("process_request_thread" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < deadline_s
    assert capfd.readouterr() == ("", "")


def test_nobody_is_named_to_a_scraper(scraper: Scraper) -> None:
    scraper.endpoint.tell(MEASURES)
    assert not [name for name in scraper.scrape() if "ann" in name or "192.0.2.1" in name]


def test_a_house_that_has_said_nothing_for_long_is_not_up(scraper: Scraper) -> None:
    assert scraper.scrape() == {("auctionctl_up",): 0}
    scraper.endpoint.tell(MEASURES)
    scraper.now_s = STALE_S + 1
    assert scraper.scrape() == {("auctionctl_up",): 0}


def test_a_port_that_is_taken_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}"):
            MetricsEndpoint("127.0.0.1", port)


def test_without_the_library_it_says_which_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigurationError, match="prometheus-client") as caught:
        MetricsEndpoint("127.0.0.1", 0)
    assert "auctionctl[metrics]" in caught.value.hint
