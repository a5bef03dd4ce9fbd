from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.phase import Stage
from auctionctl.auction.price import Money
from auctionctl.bidding.notices import (
    AcceptedBid,
    AuctionContinued,
    AuctionPaused,
    BidAccepted,
    BidPlaced,
    BidRejected,
    Ended,
    Evidence,
    Joined,
    JoinRejected,
    Outbid,
    Outcome,
    PausedBy,
    Result,
    Resumed,
    SaleTurned,
    Skipped,
    Waiting,
    WaitReason,
)
from auctionctl.bidding.totals import Totals
from auctionctl.cli.bid_events import BidEvents, Detail
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.output import Form
from auctionctl.cli.process_log import ProcessLog
from auctionctl.replica.follower import ClockOff, Listed
from auctionctl.tlog.proof import Receipt
from auctionctl.views.log_line import LogForm
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Refused, Rejection

AUCTION, COMMAND = bytes([1]) * 32, bytes([2]) * 32
EVIDENCE = Evidence(AUCTION, COMMAND, b"entry", Receipt(4, 5, bytes(32), b"note\n"))
REJECTION = Rejection(bytes(32), AUCTION, COMMAND, "below_increment", (("minimum", 105),), 5, 6)
TOTALS = Totals(1, 2, 0, "EUR", 1_000, 300, 0)
NOTICES: list[tuple[Any, str]] = [
    (Joined(AUCTION, EVIDENCE), "joined\t010101010101\tentry 4"),
    (BidPlaced(AUCTION, COMMAND, 1, 100, 9, Message(b"x")), "placed\t010101010101\t1.00EUR"),
    (BidAccepted(AUCTION, COMMAND, 1, 100, EVIDENCE), "accepted\t010101010101\t1.00EUR\tentry 4"),
    (
        BidRejected(AUCTION, COMMAND, 1, 100, "a rule", REJECTION),
        "rejected\t010101010101\t1.00EUR\tbelow_increment\ta rule\tminimum 1.05EUR",
    ),
    (
        JoinRejected(AUCTION, "a rule", REJECTION),
        "join_rejected\t010101010101\tbelow_increment\ta rule\tminimum 1.05EUR",
    ),
    (Outbid(AUCTION, 200, bytes(32)), "outbid\t010101010101\t2.00EUR\tauc1qqqqqqqqqqqq…"),
    (
        Waiting(AUCTION, WaitReason.BIDDERS, (("joined", 1), ("needed", 3))),
        "waiting\t010101010101\tbidders\tit opens once enough bidders have joined\tjoined 1, needed 3",
    ),
    (
        Waiting(AUCTION, WaitReason.PATIENCE, (("until", 1_700_000_000_000_000_000),)),
        "waiting\t010101010101\tpatience\tthe strategy waits for its time\tuntil 2023-11-14T22:13:20.000Z",
    ),
    (
        Resumed(AUCTION, (AcceptedBid(4, 1, 100, 5), AcceptedBid(6, 2, 300, 7)), True),
        "resumed\t010101010101\t3.00EUR\tentry 6\t2 of an earlier run\tleading",
    ),
    (
        AuctionPaused(AUCTION, PausedBy.OPERATOR, "a \x1bfire", 1_700_000_000_000_000_000),
        "paused\t010101010101\tby an operator\ta fire\tuntil 2023-11-14T22:13:20.000Z",
    ),
    (
        AuctionContinued(AUCTION, PausedBy.CAP, "", 1_700_000_000_000_000_000),
        "continued\t010101010101\tas long as its terms allow\tuntil 2023-11-14T22:13:20.000Z",
    ),
    (
        SaleTurned(AUCTION, Stage.PENDING_PAYMENT, True, 200, 1_700_000_000_000_000_000),
        "sale\t010101010101\tto be paid\tours\t2.00EUR\tby 2023-11-14T22:13:20.000Z",
    ),
    (
        SaleTurned(AUCTION, Stage.OFFERED, False, 200, 17),
        "sale\t010101010101\toffered to the next bidder\tnot ours\t2.00EUR",
    ),
    (Skipped(AUCTION, "why"), "skipped\t010101010101\twhy"),
    (Ended(AUCTION, Outcome(Result.NO_SALE, "no_bids", None, ())), "ended\t010101010101\tno sale\tno_bids"),
]


@pytest.mark.parametrize(("notice", "line"), NOTICES, ids=lambda value: type(value).__name__)
def test_every_notice_has_its_line_and_its_object(
    notice: Any, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {}).handle(notice)
    assert capsys.readouterr().out == line + "\n"
    BidEvents({}, tmp_path, Form.JSON, Money(1, "EUR"), {}).handle(notice)
    record = json.loads(capsys.readouterr().out)
    assert record["event"] == line.partition("\t")[0]
    assert record["auction"] == AUCTION.hex()


@pytest.mark.parametrize(("notice", "line"), NOTICES, ids=lambda value: type(value).__name__)
def test_every_notice_is_a_record_of_a_log_in_place_of_its_line(
    notice: Any, line: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = ProcessLog(LogForm.JSON, "bidder")
    BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {}, log=log).handle(notice)
    out, err = capfd.readouterr()
    record = json.loads(err)
    assert (out, record["event"], record["auction"]) == ("", line.partition("\t")[0], AUCTION.hex())
    assert record["message"] == " ".join(line.replace("\t", " ").split())
    BidEvents({}, tmp_path, Form.JSON, Money(1, "EUR"), {}, log=log).handle(notice)
    out, err = capfd.readouterr()
    told = json.loads(out)
    del told["schema"]
    assert {name: value for name, value in json.loads(err).items() if name in told} == told


def test_the_journal_is_told_what_people_are(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = ProcessLog(LogForm.JOURNAL, "bidder")
    events = BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {}, detail=Detail.MATTERS, log=log)
    for notice, _ in NOTICES:
        events.handle(notice)
    told = capfd.readouterr().err.splitlines()
    assert {line[:3] for line in told} == {"<4>", "<5>", "<6>"}
    assert not [line for line in told if "placed" in line]


def test_a_receipt_is_on_disk_before_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    BidEvents({}, tmp_path / "r", Form.JSON, Money(1, "EUR"), {}).handle(NOTICES[2][0])
    path = Path(json.loads(capsys.readouterr().out)["receipt"])
    assert path == tmp_path / "r" / "010101010101" / "1-1.00EUR-020202020202.tlog-proof"
    assert path.read_text() == EVIDENCE.text
    assert os.listdir(path.parent) == [path.name]


def test_a_refusal_that_rests_on_nothing_signed_is_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {})
    events.handle(Refused("busy", "later\x1b"))
    events.handle(Listed(()))
    assert capsys.readouterr() == ("", "the house refused a message: busy: later\n")


def test_the_summary_names_auctions_of_which_nothing_is_known_by_their_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {})
    outcomes = {AUCTION: Outcome(Result.WON, "completed", 100, ())}
    events.write_summary(outcomes, TOTALS)
    assert capsys.readouterr().out.splitlines()[1] == "010101010101\t010101010101\twon\t1.00EUR\t0\tcompleted\t-"
    assert events.status(outcomes) is ExitStatus.OK
    assert events.status({}) is ExitStatus.BID_LOST


def test_an_end_that_nobody_saw_is_called_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = {AUCTION: Outcome(Result.UNKNOWN, "archived", None, ())}
    events = BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {})
    events.write_summary(outcomes, TOTALS)
    out, err = capsys.readouterr()
    assert out.splitlines()[1] == "010101010101\t010101010101\tunknown\t-\t0\tarchived\t-"
    assert "the house has archived 010101010101, and how it ended is unknown: ask its operator" in err
    assert events.status(outcomes) is ExitStatus.BID_LOST
    BidEvents({}, tmp_path, Form.JSON, Money(1, "EUR"), {}).write_summary(outcomes, TOTALS)
    (lot,) = json.loads(capsys.readouterr().out)["auctions"]
    assert (lot["result"], lot["end_reason"], lot["price"]) == ("unknown", "archived", None)


def test_an_auction_that_the_house_has_halted_is_the_status_whatever_was_won(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = {
        AUCTION: Outcome(Result.HALTED, "halted", None, ()),
        bytes(32): Outcome(Result.WON, "completed", 100, ()),
    }
    events = BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {})
    events.write_summary(outcomes, TOTALS)
    assert "010101010101: the house has halted this auction" in capsys.readouterr().err
    assert events.status(outcomes) is ExitStatus.VERIFICATION_FAILED


def test_what_is_to_be_paid_is_said_with_its_time_and_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    due_ns = 1_700_000_000_000_000_000
    outcomes = {AUCTION: Outcome(Result.WON, "completed", 100, (), Stage.PENDING_PAYMENT, due_ns)}
    BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {}).write_summary(outcomes, TOTALS)
    out, err = capsys.readouterr()
    assert out.splitlines()[1] == "010101010101\t010101010101\twon\t1.00EUR\t0\tcompleted, to be paid\t-"
    assert "010101010101 is to be paid for by 2023-11-14T22:13:20.000Z: auctionctl pay 010101010101 --ref" in err


def test_a_clock_that_is_off_is_an_event_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    BidEvents({}, tmp_path, Form.JSON, Money(1, "EUR"), {}).handle(ClockOff(-6_000_000_000))
    record = json.loads(capsys.readouterr().out)
    assert record == {"schema": "auctionctl.bid/1", "event": "clock_off", "ahead_ns": -6_000_000_000}
    BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {}).handle(ClockOff(-6_000_000_000))
    assert capsys.readouterr().out == ""


def test_others_are_called_by_their_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {bytes(32): "bob"})
    events.handle(Outbid(AUCTION, 200, bytes(32)))
    assert capsys.readouterr().out == "outbid\t010101010101\t2.00EUR\tbob\n"


def test_people_are_told_what_matters_and_with_v_everything_and_programs_always(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(form: Form, detail: Detail) -> list[str]:
        events = BidEvents({}, tmp_path, form, Money(1, "EUR"), {}, detail=detail)
        for notice, _ in NOTICES:
            events.handle(notice)
        return capsys.readouterr().out.splitlines()

    lines = [line for _, line in NOTICES]
    assert told(Form.PLAIN, Detail.EVERYTHING) == lines
    quiet = told(Form.PLAIN, Detail.MATTERS)
    assert [line for line in lines if line not in quiet] == [lines[0], lines[1], lines[7]]
    assert len(told(Form.JSON, Detail.MATTERS)) == len(lines)
    assert len(list(tmp_path.rglob("*.tlog-proof"))) == 2, "the proof of a joining is kept, told or not"


def test_the_summary_ends_with_what_was_won_lost_spent_and_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = {AUCTION: Outcome(Result.WON, "completed", 100, ())}
    BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {}).write_summary(outcomes, TOTALS)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "total\twon 1\tlost 2\tspent 3.00EUR\tsaved 7.00EUR of 10.00EUR"
    )
    uncertain = Totals(0, 0, 4, "EUR", 1_000, 900, 200)
    BidEvents({}, tmp_path, Form.PLAIN, Money(1, "EUR"), {}).write_summary(outcomes, uncertain)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "total\twon 0\tlost 0\tother 4\tspent 9.00EUR\ttied up 2.00EUR\tsaved -1.00EUR of 10.00EUR"
    )
    BidEvents({}, tmp_path, Form.JSON, Money(1, "EUR"), {}).write_summary(outcomes, TOTALS)
    record = json.loads(capsys.readouterr().out)
    assert (record["won"], record["lost"], record["other"]) == (1, 2, 0)
    assert record["spent"] == {"minor": 300, "currency": "EUR"}
    assert record["saved"] == {"minor": 700, "currency": "EUR"}
