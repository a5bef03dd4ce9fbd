"""What is played for both programs: auctions that stand still, are called off, and are paid for or not.

A play is terms and steps, each after some seconds; whatever happens goes through a real house, so every log is honest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from auctionctl.auction import commands
from auctionctl.auction.auction import Auction
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import Capacity, encode_command
from auctionctl.auction.phase import Stage
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.wire.frames import sign_body
from auctionctl.wire.messages import Bye

ANN, BEN, CLEO, SUE, OTTO = 1, 2, 3, 8, 9
ROLES = {ANN: "ann", BEN: "ben", CLEO: "cleo", SUE: "sue", OTTO: "otto"}
TYPES: dict[str, Any] = {commands.type_of(each): each for each in commands.AnyCommand.__args__}  # type: ignore[attr-defined]
NOBODY = b"?" * 32


class Play(NamedTuple):
    """Changes of the terms; steps (seconds, what, who, …); the kinds that come of them, after ``opened``."""

    rules: dict[str, Any]
    steps: tuple[tuple[Any, ...], ...]
    kinds: str


# What participants say


def enter(stage: Any, *sessions: int) -> None:
    """Whoever has no session has one again."""
    for session in sessions or ROLES:
        if session not in stage.house.presence.peers:
            role = {SUE: "seller", OTTO: "operator"}.get(session, "bidder")
            stage.enter(session, ROLES[session], role)


def id_of(stage: Any, auction: bytes, kind: str) -> bytes:
    """The id of the last command of ``kind`` in the log."""
    return next((command_id(each.body) for each in stage.entries(auction)[::-1] if each.kind == kind), NOBODY)


def said(stage: Any, auction: bytes, name: str, key: Any, nonce: int) -> Any:
    """The command that would be right, as things stand, from whoever has ``key``."""
    state: Auction = stage.log(auction).auction
    rules, settlement = state.terms.rules, state.settlement
    price = 1 if settlement is None else settlement.price_minor
    bidder, best = (None if settlement is None else settlement.next_bidder) or (NOBODY, (1, 1))
    capacity = Capacity.SELLER if key.identity.signing == state.terms.seller else Capacity.OPERATOR
    rest: dict[str, tuple[Any, ...]] = {
        "pay": (price, rules.currency, "a transfer"),
        "settle": (capacity, id_of(stage, auction, "payment")),
        "reject_payment": (capacity, id_of(stage, auction, "payment"), "it has not come"),
        "offer": (bidder, best[0], rules.currency, best[1]),
        "accept": (id_of(stage, auction, "offered"),),
        "decline": (id_of(stage, auction, "offered"),),
    }
    common = (stage.key.identity.signing, auction, key.identity.signing, nonce.to_bytes(16, "big"))
    times = (stage.now_ns, stage.now_ns + 5 * SECOND_NS)
    return TYPES[name](*common, *times, *rest.get(name, ("a reason",)))


def order(stage: Any, staging: Any, auction: bytes, name: str, who: int) -> Any:
    """A command of this type as ``who`` sends it."""
    key = staging.key_of(ROLES[who])
    message = sign_body(key, encode_command(said(stage, auction, name, key, next(stage._count))))
    return staging.Request(who, key.identity.signing, *message)


def do(stage: Any, staging: Any, auctions: Iterable[bytes], step: tuple[Any, ...]) -> None:
    """One step: something is said in all of these auctions, or happens to the house."""
    what, who, *amount = step
    match what:
        case "bid":
            stage.handle(*(stage.bid(who, each, *amount, currency=currency_of(stage, each)) for each in auctions))
        case "join":
            enter(stage, who)
            stage.handle(*(stage.join(who, each) for each in auctions))
        case "leave":
            stage.handle(stage.ask(who, Bye()))
        case "stall":
            stage.now_ns += who * SECOND_NS
            stage.handle()
        case "restart":
            stage.store.alive(stage.now_ns)
            stage.restart(who * SECOND_NS)
            enter(stage)
        case "lose":
            stage.house.gateway_lost(stage.now_ns)
            stage.now_ns += who * SECOND_NS
            stage.do(stage.house.gateway_back(stage.now_ns))
            enter(stage)
        case "wait":
            stage.after(who * SECOND_NS)
        case _:
            stage.handle(*(order(stage, staging, each, what, who) for each in auctions))


def proceed(stage: Any, staging: Any, auction: bytes, choice: int) -> None:
    """One of the steps that may follow in the settlement, by whoever may take it."""
    settlement = stage.log(auction).auction.settlement
    stages = {
        Stage.PENDING_PAYMENT: ("pay", "pay", "leave", "wait", "wait", "wait"),
        Stage.PAID: ("settle", "reject_payment", "reject_payment"),
        Stage.DEFAULTED: ("offer", "offer", "offer", "wait"),
        Stage.OFFERED: ("accept", "accept", "decline", "wait"),
    }
    if settlement is None or settlement.stage not in stages:
        return
    what = stages[settlement.stage][choice % len(stages[settlement.stage])]
    sessions = {staging.key_of(name).identity.signing: session for session, name in ROLES.items()}
    debtor = sessions[settlement.offered_to or settlement.debtor]
    who = 15 if what == "wait" else debtor if what in {"pay", "leave", "accept", "decline"} else SUE
    do(stage, staging, [auction], (what, who))


def currency_of(stage: Any, auction: bytes) -> str:
    return str(stage.log(auction).auction.terms.rules.currency)


def perform(stage: Any, staging: Any, play: Play) -> bytes:
    """The auction of a play, which ann and ben have opened."""
    enter(stage)
    auction: bytes = stage.opened(**({"duration_ns": 60 * SECOND_NS} | play.rules))
    for seconds, *step in play.steps:
        stage.after(int(seconds * SECOND_NS))
        do(stage, staging, [auction], tuple(step))
    return auction


# Plays


def pausing(disconnection: Disconnection, *caps: int) -> dict[str, Any]:
    """``caps``: pauses in all, seconds in all, pauses a bidder, seconds a bidder."""
    often, long, each_often, each_long = caps or (10, 100, 2, 20)
    return {"pauses": PauseRules(disconnection, often, long * SECOND_NS, each_often, each_long * SECOND_NS)}


def paying(on_default: OnDefault = OnDefault.REVERT, absence_s: int = 0, **changes: Any) -> dict[str, Any]:
    offer_ns = 30 * SECOND_NS if on_default is OnDefault.OFFER else 0
    payment = PaymentRules(100 * SECOND_NS, absence_s * SECOND_NS, on_default, offer_ns)
    return {"payment": payment, "duration_ns": 20 * SECOND_NS, **changes}


BELOW, PAUSE = Disconnection.PAUSE_BELOW_MIN_BIDDERS, Disconnection.PAUSE
REVERT, OFFER = OnDefault.REVERT, OnDefault.OFFER
SOFT = {"soft_close_window_ns": 5 * SECOND_NS, "max_extension_ns": 8 * SECOND_NS}
BIDS = ((1, "bid", ANN, 1_000), (1, "bid", BEN, 1_200))
THREE = ((1, "join", CLEO), (1, "bid", CLEO, 1_000), (1, "bid", ANN, 1_200), (1, "bid", BEN, 1_500))
SOLD = (*BIDS, (30, "wait", 0))
DEFAULT = (*THREE, (20, "wait", 0), (101, "wait", 0))

PAUSES: dict[str, Play] = {
    "paused by an operator, and resumed": Play(
        SOFT,
        (
            *BIDS,
            (1, "pause", OTTO),
            (3, "bid", ANN, 1_400),
            (4, "resume", OTTO),
            (1, "bid", ANN, 1_500),
            (90, "wait", 0),
        ),
        "bid bid paused resumed bid closed",
    ),
    "paused by an operator up to the cap": Play(
        pausing(Disconnection.CONTINUE, 2, 8, 0, 0),
        ((1, "pause", OTTO), (9, "pause", OTTO), (1, "bid", ANN, 1_000), (70, "wait", 0)),
        "paused resumed bid closed",
    ),
    "paused by operators as often as may be": Play(
        pausing(Disconnection.CONTINUE, 2, 99, 0, 0),
        (*tuple((1, name, OTTO) for name in ("pause", "resume", "pause", "resume", "pause")), (70, "wait", 0)),
        "paused resumed paused resumed closed",
    ),
    "waiting until the bidder is back": Play(
        pausing(PAUSE) | SOFT,
        (*BIDS, (1, "leave", BEN), (15, "join", BEN), (2, "bid", ANN, 1_500), (90, "wait", 0)),
        "bid bid left paused joined resumed bid closed",
    ),
    "waiting for whoever leaves meanwhile": Play(
        pausing(PAUSE),
        (*BIDS, (1, "leave", BEN), (8, "leave", ANN), (15, "join", BEN), (2, "join", ANN), (90, "wait", 0)),
        "bid bid left paused left joined joined resumed closed",
    ),
    "waiting for a bidder in vain, once": Play(
        pausing(PAUSE, 9, 100, 1, 7),
        (*BIDS, (1, "leave", BEN), (20, "join", BEN), (1, "leave", BEN), (90, "wait", 0)),
        "bid bid left paused resumed joined left closed",
    ),
    "waiting for as long as the auction may": Play(
        pausing(PAUSE, 9, 12, 5, 7),
        (
            *BIDS,
            (1, "leave", BEN),
            (18, "join", BEN),
            (1, "leave", BEN),
            (5, "join", CLEO),
            (1, "leave", CLEO),
            (90, "wait", 0),
        ),
        "bid bid left paused resumed joined joined left left paused resumed closed",
    ),
    "waiting while too few are there": Play(
        pausing(BELOW),
        (
            *BIDS,
            (1, "join", CLEO),
            (1, "leave", BEN),
            (11, "bid", CLEO, 1500),
            (1, "leave", CLEO),
            (15, "join", BEN),
            (99, "wait", 0),
        ),
        "bid bid joined left bid left paused joined resumed closed",
    ),
    "an operator's pause, and then one by the terms": Play(
        pausing(PAUSE),
        (
            *BIDS,
            (1, "pause", OTTO),
            (1, "leave", BEN),
            (12, "resume", OTTO),
            (1, "resume", OTTO),
            (2, "join", BEN),
            (90, "wait", 0),
        ),
        "bid bid paused left resumed paused joined resumed closed",
    ),
    "gaps while it stands still": Play(
        pausing(PAUSE, 9, 30, 2, 15),
        (*BIDS, (1, "leave", BEN), (12, "lose", 20), (3, "stall", 4), (40, "join", BEN), (99, "wait", 0)),
        "bid bid left paused gap gap resumed joined closed",
    ),
    "a gap while an operator has it stand still": Play(
        pausing(PAUSE, 9, 30, 2, 15),
        (*BIDS, (1, "pause", OTTO), (12, "restart", 20), (1, "stall", 9), (20, "wait", 0), (99, "wait", 0)),
        "bid bid paused gap gap resumed closed",
    ),
    "called off before a bid": Play({}, ((1, "cancel", OTTO), (1, "cancel", OTTO)), "cancelled"),
    "called off while it stands still": Play({}, ((1, "pause", OTTO), (1, "cancel", OTTO)), "paused cancelled"),
    "called off after a bid": Play(
        {"cancellation": Cancellation.BEFORE_CLOSE}, (*BIDS, (1, "cancel", OTTO)), "bid bid cancelled"
    ),
    "not called off after a bid": Play({}, (*BIDS, (1, "cancel", OTTO), (70, "wait", 0)), "bid bid closed"),
}

SALES: dict[str, Play] = {
    "settled by the seller": Play(
        paying(), (*SOLD, (1, "pay", BEN), (1, "settle", SUE), (200, "wait", 0)), "bid bid closed payment settled"
    ),
    "settled by an operator": Play(
        paying(), (*SOLD, (1, "pay", BEN), (200, "settle", OTTO)), "bid bid closed payment settled"
    ),
    "rejected, and paid again": Play(
        paying(),
        (
            *SOLD,
            (1, "pay", BEN),
            (120, "reject_payment", SUE),
            (30, "pay", BEN),
            (1, "reject_payment", OTTO),
            (9, "pay", BEN),
            (1, "settle", OTTO),
        ),
        "bid bid closed payment payment_rejected payment payment_rejected payment settled",
    ),
    "rejected, and not paid": Play(
        paying(),
        (*SOLD, (1, "pay", BEN), (50, "reject_payment", SUE), (200, "wait", 0)),
        "bid bid closed payment payment_rejected defaulted reverted",
    ),
    "paid too late": Play(
        paying(), (*SOLD, (120, "pay", BEN), (1, "settle", SUE)), "bid bid closed defaulted reverted"
    ),
    "away for too long": Play(
        paying(absence_s=20), (*SOLD, (1, "leave", BEN), (60, "wait", 0)), "bid bid closed left defaulted reverted"
    ),
    "away at the close, and back": Play(
        paying(absence_s=20),
        (
            *BIDS,
            (1, "leave", BEN),
            (30, "join", BEN),
            (1, "leave", BEN),
            (15, "join", BEN),
            (1, "pay", BEN),
            (1, "reject_payment", SUE),
            (1, "leave", BEN),
            (60, "wait", 0),
        ),
        "bid bid left closed joined left joined payment payment_rejected left defaulted reverted",
    ),
    "gaps before the payment": Play(
        paying(absence_s=30),
        (
            *SOLD,
            (1, "leave", BEN),
            (12, "lose", 40),
            (5, "stall", 5),
            (5, "restart", 70),
            (10, "pay", BEN),
            (10, "settle", SUE),
        ),
        "bid bid closed left gap gap gap payment settled",
    ),
    "offered, and bought": Play(
        paying(OFFER),
        (*DEFAULT, (1, "offer", SUE), (1, "accept", ANN), (1, "pay", ANN), (1, "settle", OTTO)),
        "joined bid bid bid closed defaulted offered accepted payment settled",
    ),
    "offered, and not paid either": Play(
        paying(OFFER, absence_s=40),
        (*DEFAULT, (1, "offer", SUE), (1, "accept", ANN), (1, "leave", ANN), (70, "offer", SUE), (1, "decline", CLEO)),
        "joined bid bid bid closed defaulted offered accepted left defaulted offered declined reverted",
    ),
    "offered, and never answered": Play(
        paying(OFFER),
        (*DEFAULT, (1, "offer", SUE), (40, "offer", SUE), (1, "accept", CLEO), (120, "wait", 0)),
        "joined bid bid bid closed defaulted offered declined offered accepted defaulted reverted",
    ),
    "not offered in time": Play(
        paying(OFFER), (*DEFAULT, (40, "offer", SUE)), "joined bid bid bid closed defaulted reverted"
    ),
    "nobody to offer it to above the reserve": Play(
        paying(OFFER, reserve_minor=1_200),
        (*DEFAULT, (1, "offer", SUE), (1, "decline", ANN), (1, "offer", SUE)),
        "joined bid bid bid closed defaulted offered declined reverted",
    ),
    "gaps between offers": Play(
        paying(OFFER),
        (
            *DEFAULT,
            (5, "lose", 40),
            (15, "offer", SUE),
            (9, "restart", 40),
            (15, "accept", ANN),
            (9, "stall", 5),
            (100, "wait", 0),
            (9, "stall", 9),
            (60, "wait", 0),
        ),
        "joined bid bid bid closed defaulted gap offered gap accepted gap defaulted gap reverted",
    ),
    "no bids to pay for": Play(paying(), ((30, "pay", ANN),), "closed"),
    "a reserve that was not met": Play(
        paying(reserve_minor=9_000), (*SOLD, (1, "pay", BEN), (1, "settle", SUE)), "bid bid closed"
    ),
}
