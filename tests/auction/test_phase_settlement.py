"""Every pair of a stage of a settlement and a kind of entry, tried on the machine: only what the table has is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.commands import KINDS, Accept, Capacity, Decline, Offer, Pay, RejectPayment, Settle
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
from auctionctl.auction.phase import SETTLEMENT, Stage
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.settlement import BestBid

Rooms = Callable[..., Any]
SECOND_NS = 1_000_000_000
SELLER = Capacity.SELLER


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("kind", sorted({kind for _, kind in SETTLEMENT}))
def test_the_machine_takes_an_entry_in_a_settlement_only_where_the_table_does(
    sale_in: Rooms, stage: Stage, kind: str
) -> None:
    room, about = sale_in(stage)
    after = SETTLEMENT.get((stage, kind))
    if kind == "joined" and stage is Stage.PENDING_PAYMENT:
        room.say(Left(room.key("cat")))
    tried = [*commands_of(room, kind, about), *events_of(room, kind, about)]
    accepted = [try_it for verdict, try_it in tried if verdict is None]
    assert bool(accepted) == (after is not None)
    if accepted:
        accepted[0]()
        assert room.auction.settlement.stage is after


def commands_of(room: Any, kind: str, about: bytes) -> list[tuple[Any, Callable[[], object]]]:
    """Commands of ``kind`` that are in order, if the stage takes them: the verdict, and how to give them."""
    next_bidder, bid = room.auction.settlement.next_bidder or (room.key("ben"), BestBid(1_100, 7))
    to = (next_bidder, bid.amount_minor, "EUR", bid.bid_index)
    frames: dict[str, tuple[Any, ...]] = {
        "payment": (Pay, "cat", 1_200, "EUR", ""),
        "settled": (Settle, "seller", SELLER, about),
        "payment_rejected": (RejectPayment, "seller", SELLER, about, ""),
        "offered": (Offer, "seller", *to),
        "accepted": (Accept, "ben", about),
        "declined": (Decline, "ben", about),
    }
    if kind == "joined":
        return [(room.try_join("cat"), lambda: room.join("cat"))]
    if kind not in frames:
        return []
    return [(room.try_command(*frames[kind]), lambda: room.command(*frames[kind]))]


def events_of(room: Any, kind: str, about: bytes) -> list[tuple[Any, Callable[[], object]]]:
    """Events of ``kind`` at times at which they might be due."""
    cat, now_ns = room.key("cat"), room.now_ns
    events: dict[str, list[Any]] = {
        "left": [Left(cat)],
        "gap": [Gap(now_ns, now_ns, GapCause.STALLED)],
        "takeover": [Takeover("two", 2)],
        "defaulted": [Defaulted(cat, cause) for cause in DefaultCause],
        "declined": [OfferLapsed(about)],
        "reverted": [Reverted()],
    }
    times_ns = (now_ns, room.auction.get_timer() or now_ns, now_ns + 1_000 * SECOND_NS)
    return [
        (room.auction.check(event, time_ns), lambda event=event, time_ns=time_ns: room.at(time_ns).say(event))
        for event in events.get(kind, [])
        for time_ns in times_ns
    ]


@pytest.mark.parametrize("stage", list(Stage))
def test_nothing_of_bidding_follows_once_it_is_over(sale_in: Rooms, stage: Stage) -> None:
    room, _ = sale_in(stage)
    assert room.try_bid("ann", 9_000) == Refusal(Code.CLOSED)
    assert room.try_join("eve") == Refusal(Code.CLOSED)
    over = (Opened(), Paused(PauseCause.TERMS), Resumed(PauseCause.CAP), Cancelled("min_bidders"), Closed("no_bids"))
    for event in over:
        assert "is not allowed while" in room.auction.check(event, room.now_ns + 1_000 * SECOND_NS)


@pytest.mark.parametrize("stage", list(Stage))
def test_what_is_possible_is_said(sale_in: Rooms, stage: Stage) -> None:
    possible = {
        Stage.PENDING_PAYMENT: ("pay",),
        Stage.PAID: ("settle", "reject_payment"),
        Stage.DEFAULTED: ("offer",),
        Stage.OFFERED: ("accept", "decline"),
        Stage.SETTLED: (),
        Stage.REVERTED: (),
    }
    room, _ = sale_in(stage)
    assert room.auction.possible_commands == possible[stage]
    assert set(possible[stage]) <= set(KINDS)
