"""Every pair of a phase and a kind of entry is in the table or refused, by the table and by the machine alike.

What holds of phases holds of the stages of a settlement, which has a table of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.commands import Cancel, Pause, Resume
from auctionctl.auction.events import (
    Cancelled,
    Closed,
    Gap,
    GapCause,
    HouseEvent,
    Left,
    Opened,
    PauseCause,
    Paused,
    Resumed,
    Takeover,
    kind_of,
)
from auctionctl.auction.phase import SETTLEMENT, TRANSITIONS, EndReason, Phase, Stage, next_phase, next_stage
from auctionctl.auction.rules import Disconnection, PauseRules

KINDS = (
    *("terms", "joined", "left", "opened", "bid", "paused", "resumed", "gap", "closed", "payment", "payment_rejected"),
    *("settled", "defaulted", "offered", "accepted", "declined", "reverted", "cancelled", "takeover"),
    *("announced", "admitted", "role", "key_rotated", "key_revoked"),
)
"""Every kind of entry of both logs (DESIGN.md section 7), written out: the test does not ask the code under test."""

ALLOWED = {
    (None, "terms"): "announced",
    ("announced", "joined"): "announced",
    ("announced", "left"): "announced",
    ("announced", "gap"): "announced",
    ("announced", "takeover"): "announced",
    ("announced", "opened"): "open",
    ("announced", "cancelled"): "closed",
    ("open", "joined"): "open",
    ("open", "left"): "open",
    ("open", "gap"): "open",
    ("open", "takeover"): "open",
    ("open", "bid"): "open",
    ("open", "closed"): "closed",
    ("open", "paused"): "paused",
    ("open", "cancelled"): "closed",
    ("paused", "joined"): "paused",
    ("paused", "left"): "paused",
    ("paused", "gap"): "paused",
    ("paused", "takeover"): "paused",
    ("paused", "resumed"): "open",
    ("paused", "cancelled"): "closed",
}
ALLOWED_IN_A_SETTLEMENT = {
    ("pending_payment", "joined"): "pending_payment",
    ("pending_payment", "left"): "pending_payment",
    ("pending_payment", "gap"): "pending_payment",
    ("pending_payment", "takeover"): "pending_payment",
    ("pending_payment", "payment"): "paid",
    ("pending_payment", "defaulted"): "defaulted",
    ("paid", "payment_rejected"): "pending_payment",
    ("paid", "settled"): "settled",
    ("paid", "takeover"): "paid",
    ("defaulted", "gap"): "defaulted",
    ("defaulted", "takeover"): "defaulted",
    ("defaulted", "offered"): "offered",
    ("defaulted", "reverted"): "reverted",
    ("offered", "gap"): "offered",
    ("offered", "takeover"): "offered",
    ("offered", "accepted"): "pending_payment",
    ("offered", "declined"): "defaulted",
}

PHASES = ("announced", "open", "paused", "closed")
STAGES = ("pending_payment", "paid", "defaulted", "offered", "settled", "reverted")
HOUSE_KINDS = ("opened", "left", "gap", "takeover", "paused", "resumed", "cancelled", "closed")
COMMANDS = {"paused": Pause, "resumed": Resume, "cancelled": Cancel}


@pytest.mark.parametrize(("phase", "kind"), list(itertools.product((None, *PHASES), KINDS)))
def test_what_is_not_in_the_table_is_not_allowed(phase: str | None, kind: str) -> None:
    after = next_phase(None if phase is None else Phase(phase), kind)
    assert after == ALLOWED.get((phase, kind))


@pytest.mark.parametrize(("stage", "kind"), list(itertools.product(STAGES, KINDS)))
def test_what_is_not_in_the_table_of_a_settlement_is_not_allowed(stage: str, kind: str) -> None:
    assert next_stage(Stage(stage), kind) == ALLOWED_IN_A_SETTLEMENT.get((stage, kind))


def test_the_table_of_a_settlement_holds_no_other_pair_and_does_not_change() -> None:
    assert dict(SETTLEMENT) == ALLOWED_IN_A_SETTLEMENT
    assert tuple(Stage) == STAGES
    with pytest.raises(TypeError):
        SETTLEMENT[Stage.SETTLED, "payment"] = Stage.PAID  # type: ignore[index]


def test_nothing_leads_out_of_the_last_stages_and_every_stage_can_be_reached() -> None:
    assert {after for (before, _), after in SETTLEMENT.items() if before is not after} == set(Stage)
    assert {before for before, _ in SETTLEMENT} == set(Stage) - {Stage.SETTLED, Stage.REVERTED}


def test_the_table_holds_no_other_pair_and_does_not_change() -> None:
    assert dict(TRANSITIONS) == ALLOWED
    assert tuple(Phase) == PHASES
    assert next_phase(Phase.OPEN, "Bid") is None
    with pytest.raises(TypeError):
        TRANSITIONS[Phase.CLOSED, "bid"] = Phase.OPEN  # type: ignore[index]


def test_nothing_leads_out_of_the_last_phase_and_every_phase_can_be_reached() -> None:
    reached = {after for (before, _), after in TRANSITIONS.items() if before is not after}
    assert reached == set(Phase)
    assert not [kind for before, kind in TRANSITIONS if before is Phase.CLOSED]


def test_the_end_reasons_are_these() -> None:
    reasons = ["completed", "reserve_not_met", "no_bids", "cancelled", "reverted"]
    assert [str(reason) for reason in EndReason] == reasons


@pytest.fixture(params=PHASES)
def room(request: pytest.FixtureRequest, room_with: Callable[..., Any], open_room: Callable[..., Any]) -> Any:
    """An auction in each phase, ann and ben present, nobody leading; the announced one waits for a third.

    The one that stands still waits for cat, by its terms.
    """
    if request.param == "announced":
        return room_with(min_bidders=3).join("ann", "ben")
    room = open_room(pauses=PauseRules(Disconnection.PAUSE, max_pauses_a_bidder=10))
    if request.param == "paused":
        room.join("cat").say(Left(room.key("cat"))).follow()
    if request.param == "closed":
        room.at(room.auction.end_ns).due()
    assert room.auction.phase == request.param
    return room


def claims(room: Any, kind: str) -> list[tuple[HouseEvent, int]]:
    """Events of ``kind``, each with a time, of which one at least is faultless wherever the phase allows the kind."""
    now_ns, auction = room.now_ns, room.auction
    match kind:
        case "opened":
            return [(Opened(), now_ns)]
        case "left":
            return [(Left(room.key("ann")), now_ns)]
        case "gap":
            return [(Gap(now_ns, now_ns, GapCause.RESTART), now_ns)]
        case "takeover":
            return [(Takeover("two", 2), now_ns)]
        case "paused":
            return [(Paused(PauseCause.TERMS), now_ns)]
        case "resumed":
            times_ns = (now_ns, auction.pauses.end_by_ns())
            return [(Resumed(cause), max(now_ns, at_ns)) for cause in PauseCause for at_ns in times_ns]
        case "cancelled":
            return [(Cancelled("min_bidders"), now_ns), (Cancelled("min_bidders"), auction.start_deadline_ns)]
        case _:
            times_ns = (now_ns, auction.end_ns, auction.start_deadline_ns)
            return [(Closed(EndReason.NO_BIDS), max(now_ns, time_ns)) for time_ns in times_ns]


@pytest.mark.parametrize("kind", HOUSE_KINDS)
def test_the_machine_takes_an_event_of_the_house_only_where_the_table_does(room: Any, kind: str) -> None:
    phase = room.auction.phase
    if kind == "opened" and phase is Phase.ANNOUNCED:
        room.join("cat")  # so that there is cause
    if kind == "paused" and phase is Phase.OPEN:
        room.join("cat").say(Left(room.key("cat")))
    verdicts = []
    for event, time_ns in claims(room, kind):
        assert kind_of(event) == kind
        verdicts.append(room.auction.check(event, time_ns))
    if (phase, kind) == ("open", "cancelled") or (phase, kind) == ("paused", "cancelled"):
        assert set(verdicts) == {"cancelled without cause"}  # there only an operator does it, and signs
    elif (phase, kind) in ALLOWED:
        assert None in verdicts
        event, time_ns = claims(room, kind)[verdicts.index(None)]
        room.at(time_ns).say(event)
        assert room.auction.phase == ALLOWED[phase, kind]
    else:
        assert set(verdicts) == {f"{kind} is not allowed while {phase}"}


def test_the_machine_takes_a_joining_only_where_the_table_does(room: Any) -> None:
    phase = room.auction.phase
    allowed = room.try_join("cat") is None
    assert allowed == ((phase, "joined") in ALLOWED)
    if allowed:
        assert room.join("cat").auction.phase == ALLOWED[phase, "joined"]


def test_the_machine_takes_a_bid_only_where_the_table_does(room: Any) -> None:
    phase = room.auction.phase
    allowed = room.try_bid("ann", 1_000) is None
    assert allowed == ((phase, "bid") in ALLOWED)
    if allowed:
        room.bid("ann", 1_000)
        assert room.auction.phase == ALLOWED[phase, "bid"]


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_machine_takes_a_command_of_an_operator_only_where_the_table_does(
    open_room: Callable[..., Any], room: Any, kind: str
) -> None:
    if room.auction.phase is Phase.PAUSED:
        room = open_room()  # by an operator, who alone may have it go on
        room.command(Pause, "otto", "")
    phase = room.auction.phase
    allowed = room.try_command(COMMANDS[kind], "otto", "") is None
    assert allowed == ((phase, kind) in ALLOWED)
    if allowed:
        room.command(COMMANDS[kind], "otto", "")
        assert room.auction.phase == ALLOWED[phase, kind]


@pytest.mark.parametrize("kind", HOUSE_KINDS)
def test_an_announced_auction_with_enough_bidders_takes_its_opening_alone(
    room_with: Callable[..., Any], kind: str
) -> None:
    room = room_with().join("ann", "ben")
    verdicts = {room.auction.check(event, time_ns) for event, time_ns in claims(room, kind)}
    match kind:
        case "opened":
            assert verdicts == {None}
        case "closed" | "paused" | "resumed":
            assert verdicts == {f"{kind} is not allowed while announced"}
        case _:
            assert verdicts == {"enough bidders have joined: it has to open first"}
    assert room.try_join("cat") is not None
    assert room.try_bid("ann", 1_000) is not None


def test_an_event_that_the_table_does_not_allow_is_never_applied_silently(open_room: Callable[..., Any]) -> None:
    room = open_room()
    with pytest.raises(AssertionError):
        room.auction.apply(Opened(), room.now_ns)
