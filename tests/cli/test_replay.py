"""``replay`` says what would have happened: in words, and to programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.replay import JSON_SCHEMA, SCHEMA

from .conftest import Run

TERMS = 'item = "Watch"\nstarting_price = "10EUR"\nincrement = "1EUR"\nduration = "60s"\nmin_bidders = 2\n'
TAPE = "bidder,amount,time\nann,10,0\nben,10.50,1\nben,12,2\nann,15,61\n"
LOTS = "auction,bidder,amount,time\na,ann,10,0\na,ben,11,1\nb,ann,10,0\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "terms.toml").write_text(TERMS)
    (tmp_path / "tape.csv").write_text(TAPE)
    (tmp_path / "lots.csv").write_text(LOTS)
    return tmp_path


def test_one_auction_is_told_bid_by_bid(run: Run, files: Path) -> None:
    ended = run("replay", files / "tape.csv", "--terms", files / "terms.toml")
    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert ["winner", "ben"] in lines
    assert ["price", "12.00EUR"] in lines
    assert ["rejected", "1 below_increment, 1 closed"] in lines
    assert lines[-4:] == [
        ["2", "0s", "ann", "10.00EUR", "accepted", "10.00EUR"],
        ["3", "1s", "ben", "10.50EUR", "below_increment", "10.00EUR"],
        ["4", "2s", "ben", "12.00EUR", "accepted", "12.00EUR"],
        ["5", "61s", "ann", "15.00EUR", "closed", "12.00EUR"],
    ]


def test_several_auctions_are_a_line_each_and_their_bids_are_shown_when_asked_for(run: Run, files: Path) -> None:
    words = ("replay", files / "lots.csv", "--terms", files / "terms.toml")
    done = run(*words)
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert done.err.startswith("not opened (b): fewer bidders are on the tape than min_bidders = 2 asks for")
    assert lines[1:] == [["a", "sold", "ben", "11.00EUR", "2", "0"], ["b", "cancelled", "-", "-", "0", "1"]]
    assert "b\t4\t0s\tann\t10.00EUR\tnot_open\t-" in run(*words, "--bids").out.splitlines()


def test_programs_are_told_every_field_that_the_manual_names(run: Run, files: Path) -> None:
    ended = run("replay", files / "tape.csv", "--terms", files / "terms.toml", "--json")
    document = json.loads(ended.out)
    (auction,) = document["auctions"]
    assert document["schema"] == SCHEMA
    assert {"auctions", *auction} == set(JSON_SCHEMA[SCHEMA])
    assert auction["price_path"] == [
        {"time_ns": 0, "price": {"minor": 1_000, "currency": "EUR"}},
        {"time_ns": 2_000_000_000, "price": {"minor": 1_200, "currency": "EUR"}},
    ]
    assert auction["bids"][1] == {
        "line": 3,
        "time_ns": 1_000_000_000,
        "bidder": "ben",
        "amount": {"minor": 1_050, "currency": "EUR"},
        "verdict": "rejected",
        "code": "below_increment",
        "rule": "a bid is at least price + increment(price)",
        "observed": {"amount": 1_050, "price": 1_000, "minimum": 1_100},
    }


def test_the_time_counts_from_the_opening_that_is_given(run: Run, files: Path) -> None:
    words = ("replay", files / "tape.csv", "--terms", files / "terms.toml")
    assert "ann\t15.00EUR\taccepted" in run(*words, "--opened", "2").out
    refused = run(*words, "--opened", "soon")
    assert refused.status == ExitStatus.USAGE
    assert "--opened: not a time: 'soon'" in refused.err


def test_a_bad_row_or_file_ends_it_with_the_line_and_a_hint(run: Run, files: Path) -> None:
    (files / "tape.csv").write_text(TAPE.replace("10.50", "ten"))
    ended = run("replay", files / "tape.csv", "--terms", files / "terms.toml")
    assert ended.status == ExitStatus.CONFIGURATION
    assert f"{files / 'tape.csv'}: line 3: amount: not an amount: 'ten'" in ended.err
    assert "hint: " in ended.err
    assert run("replay", files / "none.csv", "--terms", files / "terms.toml").status == ExitStatus.NOT_FOUND
