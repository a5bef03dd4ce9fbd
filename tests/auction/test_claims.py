"""What the house may not claim is named in words, whatever it claims, and looking at a claim changes nothing."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.auction import claims
from auctionctl.auction.auction import Auction
from auctionctl.auction.claims import MAX_GAP_GRACE_NS, check_claim
from auctionctl.auction.commands import Pause
from auctionctl.auction.events import (
    Cancelled,
    Closed,
    DefaultCause,
    Defaulted,
    Gap,
    GapCause,
    HouseEvent,
    Left,
    OfferLapsed,
    Opened,
    PauseCause,
    Paused,
    Resumed,
    Reverted,
    Takeover,
)
from auctionctl.auction.phase import Stage
from auctionctl.auction.rules import Disconnection, PauseRules, PaymentRules
from auctionctl.auction.terms import Reserve, ReserveOpening, commit_reserve

Rooms = Callable[..., Any]
SECOND_NS = 1_000_000_000
OPENING = ReserveOpening(1_000, b"\x07" * 32)
RESERVE = Reserve(commit_reserve(OPENING, "EUR"), b"sealed")
WAITING = PauseRules(Disconnection.PAUSE)

SCENES = (
    *("announced", "ready to open", "open", "at its end", "with a reserve, at its end", "to be paused", "paused"),
    *("to be resumed", "paused by an operator", "taken over", "unsold", *Stage, "to be reverted"),
)


@pytest.fixture(scope="session")
def scene(room_with: Rooms, open_room: Rooms, sold_room: Rooms, sale_in: Rooms) -> Callable[[str], Any]:
    """An auction about which the house may claim something: ann and ben have joined, and later ann bids 10.00."""

    def of_bidding(where: str) -> Any:
        if where == "announced":
            return room_with(min_bidders=3).join("ann", "ben")
        if where == "ready to open":
            return room_with().join("ann", "ben")
        rules: dict[str, Any] = {"reserve": RESERVE} if "reserve" in where else {}
        room = open_room(pauses=WAITING, **rules)
        room.bid("ann", 1_000)
        if where in ("to be paused", "paused", "to be resumed"):
            room.say(Left(room.key("ben")))
        if where in ("paused", "to be resumed"):
            room.follow()
        if where == "to be resumed":
            room.join("ben")
        if where == "taken over":
            room.say(Takeover("three", 7))
        if where == "paused by an operator":
            room.command(Pause, "otto", "")
        if "at its end" in where or where == "unsold":
            room.at(room.auction.end_ns)
        return room.due() and room if where == "unsold" else room

    def build(where: str) -> Any:
        if where == "to be reverted":
            room = sold_room(payment=PaymentRules(100 * SECOND_NS))
            room.at(room.auction.get_timer()).due()
            return room
        return sale_in(Stage(where))[0] if where in tuple(Stage) else of_bidding(where)

    return build


def gap(room: Any, since_ns: int, until_ns: int) -> Gap:
    return Gap(room.now_ns + since_ns, room.now_ns + until_ns, GapCause.STALLED)


def late(room: Any, name: str) -> Defaulted:
    return Defaulted(room.key(name), DefaultCause.LATE)


def sale(room: Any, winner: str = "ann", price: int = 1_000, index: int = 4, reserve: Any = None) -> Closed:
    return Closed("completed", room.key(winner), price, index, reserve)


WRONG: list[tuple[str, Callable[[Any], HouseEvent], int, str]] = [
    ("announced", lambda _: Opened(), 0, "opened with 2 bidders, and the terms ask for 3"),
    ("announced", lambda _: Closed("no_bids"), 0, "closed is not allowed while announced"),
    ("announced", lambda _: Cancelled("min_bidders"), 599, "cancelled without cause"),
    ("announced", lambda _: Cancelled("operator"), 600, "cancelled without cause"),
    ("announced", lambda room: Left(room.key("cat")), 0, "a bidder left that was not there"),
    ("ready to open", lambda room: Left(room.key("ann")), 0, "enough bidders have joined: it has to open first"),
    ("ready to open", lambda _: Opened(), 1, "opened later than the joining that made it possible"),
    ("open", lambda _: Opened(), 0, "opened is not allowed while open"),
    ("open", lambda _: Resumed(PauseCause.TERMS), 0, "resumed is not allowed while open"),
    ("open", lambda _: Cancelled("min_bidders"), 0, "cancelled without cause"),
    ("open", lambda _: Paused(PauseCause.TERMS), 0, "paused without cause: nobody has left for whom"),
    ("open", lambda room: Closed("no_bids"), 59, "closed 1000000000 ns before its end"),
    ("open", lambda room: gap(room, -1, 0), 0, "a gap reaches back over a sign of life or another gap, or ends"),
    ("open", lambda room: gap(room, 1, 0), 0, "a gap reaches back over a sign of life or another gap, or ends before"),
    ("open", lambda room: gap(room, 0, MAX_GAP_GRACE_NS + 1), 0, "a gap reaches further ahead than bidders need to"),
    ("open", lambda _: Takeover("Two", 2), 0, "this is no name of an instance"),
    ("taken over", lambda _: Takeover("two", 7), 0, "an instance of epoch 7 wrote where one of 7 has taken over"),
    ("unsold", lambda _: Takeover("two", 8), 0, "takeover is not allowed while closed"),
    ("to be reverted", lambda _: Takeover("two", 8), 0, "nobody else can buy it: it has to be reverted first"),
    ("at its end", lambda room: Closed("no_bids"), 0, "end_reason of the close entry is not what the bids say"),
    ("at its end", lambda room: sale(room, winner="ben"), 0, "winner of the close entry is not what the bids say"),
    ("at its end", lambda room: sale(room, price=999), 0, "price_minor of the close entry is not what the bids say"),
    ("at its end", lambda room: sale(room, index=1), 0, "bid_index of the close entry is not what the bids say"),
    ("at its end", lambda room: sale(room, reserve=OPENING), 0, "a reserve was opened that the terms do not hold"),
    ("with a reserve, at its end", sale, 0, "the reserve was not opened to what the terms commit"),
    (
        "with a reserve, at its end",
        lambda room: sale(room, reserve=ReserveOpening(999, OPENING.salt)),
        0,
        "the reserve was not opened to what the terms commit to",
    ),
    ("to be paused", lambda room: Left(room.key("ann")), 0, "bidders have left: it has to stand still first"),
    ("to be paused", lambda _: Paused(PauseCause.TERMS), 1, "paused later than what made it necessary"),
    ("paused", lambda _: Paused(PauseCause.TERMS), 0, "paused is not allowed while paused"),
    ("paused", lambda _: Resumed(PauseCause.TERMS), 0, "resumed without cause"),
    ("paused", lambda _: Closed("no_bids"), 1_000, "closed is not allowed while paused"),
    ("paused", lambda room: Left(room.key("ann")), 120, "the pause has reached its cap: it has to go on first"),
    ("paused", lambda _: Cancelled("operator"), 0, "cancelled without cause"),
    ("to be resumed", lambda room: Left(room.key("ann")), 0, "there is nobody left to wait for: it has to go on first"),
    ("to be resumed", lambda _: Resumed(PauseCause.TERMS), 1, "resumed later than what made it possible"),
    ("paused by an operator", lambda _: Resumed(PauseCause.CAP), 0, "resumed without cause"),
    ("unsold", lambda room: Left(room.key("ann")), 0, "left is not allowed while closed"),
    ("unsold", lambda _: Reverted(), 0, "reverted is not allowed while closed"),
    ("pending_payment", lambda room: late(room, "cat"), 99, "not due: nothing"),
    ("pending_payment", lambda room: late(room, "ben"), 100, "not due: Defaulted"),
    ("pending_payment", lambda room: Left(room.key("ann")), 0, "whether this bidder is there does not matter any"),
    ("pending_payment", lambda _: Closed("no_bids"), 0, "closed is not allowed while pending_payment"),
    ("paid", lambda room: late(room, "cat"), 1_000, "defaulted is not allowed while paid"),
    ("defaulted", lambda _: Reverted(), 49, "not due: nothing"),
    ("offered", lambda _: OfferLapsed(b"?" * 32), 50, "not due: OfferLapsed"),
    ("offered", lambda _: Reverted(), 1_000, "reverted is not allowed while offered"),
    ("settled", lambda _: Reverted(), 1_000, "reverted is not allowed while settled"),
    ("to be reverted", lambda room: gap(room, 0, 0), 0, "nobody else can buy it: it has to be reverted first"),
    ("to be reverted", lambda _: Reverted(), 1, "reverted later than what made it necessary"),
]
"""Where, what is claimed, so many seconds later, and the beginning of what is said of it."""


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case[0]}: {case[3]}")
def test_a_claim_that_does_not_hold_is_named(scene: Callable[[str], Any], snapshot_of: Any, case: Any) -> None:
    where, claim, seconds, reason = case
    room = scene(where)
    before = snapshot_of(room.auction)
    said = room.auction.check(claim(room), room.now_ns + seconds * SECOND_NS)
    assert said is not None
    assert said.startswith(reason)
    assert snapshot_of(room.auction) == before


def test_everything_that_can_be_said_of_a_claim_has_been_said_above() -> None:
    tree = ast.parse(inspect.getsource(claims))
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    ]
    docstrings = {inspect.cleandoc(ast.get_docstring(node) or "") for node in ast.walk(tree) if has_docstring(node)}
    said = [text.strip() for text in texts if inspect.cleandoc(text) not in docstrings]
    assert len(said) > 20
    told = " / ".join(reason for *_, reason in WRONG)
    assert [text for text in said if not is_documentation(text) and not any_start(text, told)] == []


def has_docstring(node: ast.AST) -> bool:
    return isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))


def is_documentation(text: str) -> bool:
    """Of a constant, or of an assertion: it ends with a full stop, or is never shown."""
    return text.endswith(".") or text.startswith(("How far", "Kind of", "only its table"))


def any_start(text: str, told: str) -> bool:
    return re.sub(r"\W+", " ", text).strip()[:25] in re.sub(r"\W+", " ", told)


KEYS = st.sampled_from(["ann", "ben", "cat", "eve"])
OFFSETS = st.sampled_from([-1, 0, 1, SECOND_NS, 20 * SECOND_NS, 100 * SECOND_NS, 1_000 * SECOND_NS, 2**62])
SHAPES: st.SearchStrategy[Callable[[Any], HouseEvent]] = st.one_of(
    st.just(lambda _: Opened()),
    st.builds(lambda name: lambda room: Left(room.key(name)), KEYS),
    st.builds(
        lambda since, until: (
            lambda room: Gap(min(2**62, max(0, room.now_ns + since)), min(2**62, room.now_ns + until), GapCause.RESTART)
        ),
        OFFSETS,
        OFFSETS,
    ),
    st.builds(lambda cause: lambda _: Paused(cause), st.sampled_from(PauseCause)),
    st.builds(lambda cause: lambda _: Resumed(cause), st.sampled_from(PauseCause)),
    st.builds(lambda reason: lambda _: Cancelled(reason), st.sampled_from(["min_bidders", "operator", ""])),
    st.builds(
        lambda reason, name, price, index, reserve: (
            lambda room: Closed(reason, None if name is None else room.key(name), price, index, reserve)
        ),
        st.sampled_from(["completed", "no_bids", "reserve_not_met", "reverted", ""]),
        st.none() | KEYS,
        st.sampled_from([None, 0, 1_000, 1_200]),
        st.sampled_from([None, 0, 4, 8, 10**6]),
        st.sampled_from([None, OPENING, ReserveOpening(5, OPENING.salt)]),
    ),
    st.builds(lambda name, cause: lambda room: Defaulted(room.key(name), cause), KEYS, st.sampled_from(DefaultCause)),
    st.builds(lambda name: lambda room: OfferLapsed(room.key(name)), KEYS),
    st.just(lambda _: Reverted()),
)


@given(st.sampled_from(SCENES), SHAPES, OFFSETS)
def test_whatever_is_claimed_wherever_is_judged_and_changes_nothing(
    scene: Callable[[str], Any], snapshot_of: Any, where: str, shape: Callable[[Any], HouseEvent], later_ns: int
) -> None:
    room = scene(where)
    auction: Auction = room.auction
    event, time_ns = shape(room), room.now_ns + max(0, later_ns)
    before = snapshot_of(auction)
    reason = check_claim(auction, event, time_ns)
    assert snapshot_of(auction) == before
    assert auction.check(event, time_ns) == reason
    if reason is None:
        auction.apply(event, time_ns)
        assert auction.size == before["size"] + 1
        assert auction.last_time_ns == time_ns
    else:
        assert reason == reason.strip() != ""
