from __future__ import annotations

import json
from typing import Any

import pytest

from auctionctl.auction.commands import (
    Accept,
    Cancel,
    Capacity,
    Decline,
    Offer,
    Pause,
    Pay,
    RejectPayment,
    Resume,
    Settle,
)
from auctionctl.auction.events import (
    Cancelled,
    Closed,
    DefaultCause,
    Defaulted,
    Gap,
    GapCause,
    Left,
    OfferLapsed,
    Opened,
    PauseCause,
    Paused,
    Resumed,
    Reverted,
    Takeover,
)
from auctionctl.cli.records import (
    auction_record,
    bid_record,
    clock_time,
    entry_record,
    entry_words,
    newest_bids,
    observed_words,
)
from auctionctl.keys.signing import Identity
from auctionctl.replica.replay import Applied, Replay
from auctionctl.tlog.entry import Entry, Kind

START_NS = 1_700_000_000_000_000_000
NOBODY = Identity(bytes(32), bytes(32)).short
STAMP = (bytes(32), bytes(32), bytes(32), bytes(16), START_NS, START_NS)


@pytest.fixture
def replayed(sold: Any) -> tuple[Replay, list[Applied]]:
    replay = Replay(sold.house.key.identity.signing, sold.auction)
    entries = sold.house.entries[f"auction/{sold.auction.hex()}"]
    return replay, [replay.apply(data) for data in entries]


def test_a_sale_is_one_object(replayed: tuple[Replay, list[Applied]], sold: Any) -> None:
    record = auction_record(replayed[0].state)
    assert json.loads(json.dumps(record)) == record
    winner = sold.house.bidders[1].identity.signing.hex()
    assert (record["id"], record["listing"], record["phase"]) == (sold.auction.hex(), "gold-watch", "closed")
    assert (record["end_reason"], record["winner"], record["leader"]) == ("completed", winner, winner)
    assert record["price"] == record["standing"] == {"minor": 12_000, "currency": "EUR"}
    assert (record["bids"], record["bidders"], record["log_size"], record["deadline_ns"]) == (2, 2, 7, None)


def test_every_kind_of_entry_is_an_object_and_a_line(replayed: tuple[Replay, list[Applied]], sold: Any) -> None:
    replay, applied = replayed
    names = {key.identity.signing: f"bidder{number}" for number, key in enumerate(sold.house.bidders)}
    lines = [entry_words(replay.state, each, names) for each in applied]
    assert [line[4] for line in lines] == ["terms", "joined", "joined", "opened", "bid", "bid", "closed"]
    assert lines[5][1:] == [sold.auction.hex()[:12], "gold-watch", "5", "bid", "bidder1", "120.00EUR"]
    assert lines[6][5:] == ["bidder1", "completed 120.00EUR"]
    assert lines[0][6] == "Gold watch"
    records = [entry_record(replay.state, each) for each in applied]
    assert [record["index"] for record in records] == list(range(7))
    assert records[4]["amount"] == {"minor": 10_000, "currency": "EUR"}
    assert json.loads(json.dumps(records)) == records


@pytest.mark.parametrize(
    ("kind", "fact", "words", "record"),
    [
        (Kind.LEFT, Left(bytes(32)), (NOBODY, ""), {"bidder": "00" * 32}),
        (
            Kind.GAP,
            Gap(START_NS, START_NS + 1_500_000_000, GapCause.RESTART),
            ("", "restart: 1500 ms"),
            {"since_ns": START_NS, "until_ns": START_NS + 1_500_000_000, "cause": "restart"},
        ),
        (Kind.TAKEOVER, Takeover("two", 3), ("", "instance two goes on with it"), {"instance": "two", "epoch": 3}),
        (Kind.CANCELLED, Cancelled("min_bidders"), ("", "min_bidders"), {"reason": "min_bidders"}),
        (
            Kind.CLOSED,
            Closed("no_bids"),
            ("", "no_bids"),
            {"end_reason": "no_bids", "winner": None, "price": None},
        ),
        (Kind.OPENED, Opened(), ("", ""), {}),
        (Kind.PAUSED, Paused(PauseCause.TERMS), ("", "by its terms: a bidder has left"), {"cause": "terms"}),
        (
            Kind.RESUMED,
            Resumed(PauseCause.TERMS),
            ("", "by its terms: nobody is waited for any more"),
            {"cause": "terms"},
        ),
        (
            Kind.RESUMED,
            Resumed(PauseCause.CAP),
            ("", "by itself: it has stood still for as long as its terms allow"),
            {"cause": "cap"},
        ),
        (
            Kind.DEFAULTED,
            Defaulted(bytes(32), DefaultCause.LATE),
            (NOBODY, "late"),
            {"bidder": "00" * 32, "cause": "late"},
        ),
        (
            Kind.DEFAULTED,
            Defaulted(bytes(32), DefaultCause.ABSENT),
            (NOBODY, "gone for too long"),
            {"bidder": "00" * 32, "cause": "absent"},
        ),
        (Kind.DECLINED, OfferLapsed(bytes(32)), ("", "not answered in time"), {"offer": "00" * 32}),
        (Kind.REVERTED, Reverted(), ("", "nobody has bought it"), {}),
        (Kind.PAUSED, Pause(*STAMP, "a \x1b[31mfire"), (NOBODY, "a [31mfire"), {"reason": "a \x1b[31mfire"}),
        (Kind.RESUMED, Resume(*STAMP, ""), (NOBODY, ""), {"operator": "00" * 32}),
        (Kind.CANCELLED, Cancel(*STAMP, "stolen"), (NOBODY, "stolen"), {"operator": "00" * 32}),
        (
            Kind.PAYMENT,
            Pay(*STAMP, 1_000, "EUR", "\u202etransfer"),
            (NOBODY, "10.00EUR transfer"),
            {"bidder": "00" * 32, "amount": {"minor": 1_000, "currency": "EUR"}, "reference": "\u202etransfer"},
        ),
        (
            Kind.SETTLED,
            Settle(*STAMP, Capacity.OPERATOR, bytes(32)),
            (NOBODY, "as operator"),
            {"by": "00" * 32, "capacity": "operator", "payment": "00" * 32},
        ),
        (
            Kind.PAYMENT_REJECTED,
            RejectPayment(*STAMP, Capacity.SELLER, bytes(32), "none came"),
            (NOBODY, "none came"),
            {"by": "00" * 32, "capacity": "seller", "reason": "none came"},
        ),
        (
            Kind.OFFERED,
            Offer(*STAMP, bytes(32), 1_000, "EUR", 5),
            (NOBODY, "10.00EUR"),
            {"bidder": "00" * 32, "amount": {"minor": 1_000, "currency": "EUR"}, "bid_index": 5},
        ),
        (Kind.ACCEPTED, Accept(*STAMP, bytes(32)), (NOBODY, ""), {"bidder": "00" * 32, "offer": "00" * 32}),
        (Kind.DECLINED, Decline(*STAMP, bytes(32)), (NOBODY, ""), {"bidder": "00" * 32, "offer": "00" * 32}),
    ],
)
def test_what_the_house_says_and_what_is_commanded_is_told_too(
    replayed: tuple[Replay, list[Applied]], kind: Kind, fact: Any, words: tuple[str, str], record: dict[str, Any]
) -> None:
    applied = Applied(9, Entry(kind, START_NS, b""), fact)
    state = replayed[0].state
    assert tuple(entry_words(state, applied, {})[5:]) == words
    told = entry_record(state, applied)
    assert {name: told[name] for name in record} == record
    assert told["time_ns"] == START_NS


def test_a_time_is_exact_to_the_millisecond_and_never_an_error() -> None:
    assert clock_time(START_NS + 1_999_999) == "2023-11-14T22:13:20.001Z"
    assert clock_time(2**63 - 1) == "2262-04-11T23:47:16.854Z"
    assert clock_time(2**80) == f"{2**80} ns"


def test_the_ladder_begins_with_the_last_bid(sold: Any) -> None:
    entries = sold.house.entries[f"auction/{sold.auction.hex()}"]
    assert [placed.bid.amount_minor for placed in newest_bids(entries, None)] == [12_000, 10_000]
    (last,) = newest_bids(entries, 1)
    assert bid_record(last) == {
        "index": 5,
        "time_ns": last.time_ns,
        "bidder": sold.house.bidders[1].identity.signing.hex(),
        "seq": 1,
        "amount": {"minor": 12_000, "currency": "EUR"},
    }
    assert newest_bids(entries, 0) == []


def test_what_a_rule_compared_is_told_in_amounts_times_and_numbers() -> None:
    observed = {"amount": 101, "minimum": 105, "last_seq": 7, "not_after": START_NS, "due": START_NS, "new": 1}
    assert observed_words(observed | {"paused_ns": 61_000_999_999}, "EUR") == (
        "amount 1.01EUR, minimum 1.05EUR, last_seq 7, not_after 2023-11-14T22:13:20.000Z, due 2023-11-14T22:13:20.000Z,"
        " new 1, paused 1m1s"
    )
