"""Each report of a house is one line for people, and one object for programs."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from auctionctl.cli.manual.serve_fields import EVENTS
from auctionctl.cli.process_log import ProcessLog
from auctionctl.cli.serve_reports import log_report, write_report, write_report_json
from auctionctl.keys.signing import SecretKey
from auctionctl.net import admission_news as admission
from auctionctl.net import house_words as house
from auctionctl.net import reports
from auctionctl.views.log_line import LogForm
from auctionctl.wire.address import HouseAddress

ADDRESS = HouseAddress(SecretKey(bytes(32)).identity, "localhost", 1)
ANNOUNCED = (house.Announced(bytes(32), "x", "T\x1b", True), house.Announced(bytes(32), "y", "U", False))
REPORTS: list[tuple[Any, str]] = [
    (
        reports.Serving(ADDRESS, ANNOUNCED),
        "auction 000000000000  x  resumed  T\nauction 000000000000  y  new  U\nserving at " + ADDRESS.text + "\n",
    ),
    (reports.Restarted("gateway", 5, "SIGKILL"), "restarted gateway (process 5): the one before died (SIGKILL)\n"),
    (reports.Quarantined("auction/1", "why"), "quarantined auction/1: why\n"),
    (
        house.Halted("registry", "it is sh\x1borter"),
        "HALTED registry, nothing is written to it any more: it is shorter (was the state restored from an old copy?"
        " stop the house and restore a newer backup)\n",
    ),
    (
        admission.AllowListKept("line 1: x"),
        "the new allow list is wrong, the one before stays in force: line 1: x\n",
    ),
    (admission.KeysListed("revoked_listed", "the list names x"), "the list names x\n"),
    (
        admission.AllowListReplaced("cannot write"),
        "the allow list of all instances is in force, and its file does not say so: cannot write\n",
    ),
    (
        admission.AllowListReplaced(),
        "the allow list of this machine differed from that of all instances, and has given way to it\n",
    ),
    (
        admission.AllowListReplaced(kept="/etc/allow.replaced-1"),
        "the allow list of this machine differed from that of all instances, and has given way to it;"
        " what it said is in /etc/allow.replaced-1, and not in force\n",
    ),
    (
        admission.LimitsDiffer({"bids_per_s": 20}, {"bids_per_s": 50}),
        "the settings here say other limits than those of all instances, which hold: bids_per_s (20 here, 50 in force)"
        " (write those into the settings here too; what is changed in them holds for all after a reload)\n",
    ),
    (house.LotsWait(["x", "y"]), "there is no room yet for: x, y\n"),
    (house.Archived(bytes(32), "x", "/a/x.auction"), "archived x: /a/x.auction\n"),
    (house.ArchiveFailed("disk", ""), "nothing can be archived, and all stays in the store: disk\n"),
    (
        house.ArchiveFailed("disk\x1b", "look"),
        "nothing can be archived, and all stays in the store: disk (look)\n",
    ),
    (house.StoreFull("disk"), "the store is full, nothing is accepted: disk\n"),
    (
        house.StoreFull("disk", 4096),
        "the store is full, nothing is accepted: disk (4096 bytes of ballast were given back to the disk,"
        " so that what is due gets in: make room before they are used up)\n",
    ),
    (house.AllClosed(), "every auction has ended\n"),
    (house.Turned(bytes(32), "x", "T", "open", "", "", ""), "auction 000000000000  x  open\n"),
    (
        house.Turned(bytes(32), "x", "T", "closed", "completed", "a\x1bnn", "5.00EUR"),
        "auction 000000000000  x  closed  sold to ann for 5.00EUR\n",
    ),
    (
        house.Turned(bytes(32), "x", "T", "closed", "reserve_not_met", "", ""),
        "auction 000000000000  x  closed  reserve not met\n",
    ),
    (house.Admitted("ann", "bidder"), "admitted ann as bidder\n"),
    (
        house.Reloaded((ANNOUNCED[1],)),
        "auction 000000000000  y  new  U\nthe settings have been read again\n",
    ),
    (
        house.SettingsKept("port: x", "y"),
        "the new settings are wrong, those before stay in force: port: x (y)\n",
    ),
    (house.SettingsKept("x", ""), "the new settings are wrong, those before stay in force: x\n"),
    (reports.RestartNeeded(("bind", "port")), "changed, and heeded when the house is started again: bind, port\n"),
    (
        reports.Muted("mallory", "192.0.2.1", "a message without an end", 60),
        "muted mallory at 192.0.2.1 for 60 s: a message without an end\n",
    ),
    (
        reports.Banned("mallory", "it ends gateways", 600),
        "BANNED mallory for 600 s: it ends gateways (take it off the allow list with: auctionctl allow rm NAME)\n",
    ),
    (
        reports.Unwatched(),
        "this system does not show what connections receive: endless messages and slow readers are not cut\n",
    ),
    (reports.Draining(), "ending: what has come in is answered, nothing more is taken\n"),
    (reports.Processes(1, 2, (3,)), ""),
]


def test_an_address_that_is_every_address_is_said_to_need_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    for host, is_every in (("0.0.0.0", True), ("[::]", True), ("house.example", False)):
        write_report(reports.Serving(HouseAddress(ADDRESS.identity, host, 1), ()))
        assert (f"in place of {host}" in capsys.readouterr().err) is is_every


@pytest.mark.parametrize(("report", "text"), REPORTS, ids=lambda value: type(value).__name__)
def test_every_report_has_its_line_and_its_object(report: Any, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_report(report)
    assert capsys.readouterr().out == text
    write_report_json(report)
    record = json.loads(capsys.readouterr().out)
    assert record["event"]
    assert record["schema"] == "auctionctl.serve/1"


def test_no_report_is_without_its_line_in_this_test() -> None:
    assert {type(report) for report, _ in REPORTS} == set(get_args(reports.News))


@pytest.mark.parametrize(("report", "expected"), REPORTS, ids=lambda value: type(value).__name__)
def test_each_report_is_a_record_an_auction_and_one_for_itself(
    report: Any, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    log_report(ProcessLog(LogForm.JSON, "supervisor"), report)
    auctions = len(getattr(report, "auctions", ()))
    *announced, record = map(json.loads, capfd.readouterr().err.splitlines())
    assert [each["event"] for each in announced] == ["auction"] * auctions
    words = expected.splitlines()[auctions:]
    assert record["message"].split() == (words[0].split() if words else record["message"].split())
    write_report_json(report)
    told = json.loads(capfd.readouterr().out)
    assert told["event"] == record["event"]
    assert {name: told[name] for name in told if name not in ("schema", "event", "auctions")}.items() <= record.items()


def test_the_manual_says_every_event_and_every_field_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    said = {name: meaning for names, meaning in EVENTS.items() for name in names.split(", ")}
    told = set()
    for report, _ in REPORTS:
        write_report_json(report)
        record = json.loads(capsys.readouterr().out)
        told.add(record["event"])
        meaning = said[record["event"]].replace("as with `serving`", said["serving"])
        assert [name for name in record if name not in ("schema", "event") and f"`{name}`" not in meaning] == []
    assert set(said) - told <= {"announced", "paused", "rotated_listed"}
