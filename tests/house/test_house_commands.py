"""Commands over sessions: who may give which, what they are answered, and that what was answered once stays so."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, get_args

import pytest

from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import (
    KINDS,
    Accept,
    AnyCommand,
    Cancel,
    Capacity,
    Decline,
    Offer,
    Pause,
    Pay,
    RejectPayment,
    Resume,
    Settle,
    type_of,
)
from auctionctl.auction.rules import OnDefault, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.effects import Commit, Publish
from auctionctl.house.intake import Request
from auctionctl.tlog.entry import decode
from auctionctl.tlog.merkle import leaf_hash, verify_inclusion
from auctionctl.wire.frames import sign_body
from auctionctl.wire.messages import Acknowledged, Refused, Subscribe

ANN, BEN, SUE, SAM, OTTO, OLGA = 1, 2, 8, 7, 9, 6
OFFERING = PaymentRules(100 * SECOND_NS, 20 * SECOND_NS, OnDefault.OFFER, 50 * SECOND_NS)
FIELDS: dict[type[AnyCommand], tuple[Any, ...]] = {
    Pause: ("a reason",),
    Resume: ("a reason",),
    Cancel: ("a reason",),
    Pay: (1_200, "EUR", "a reference"),
    Settle: (Capacity.SELLER, b"?" * 32),
    RejectPayment: (Capacity.SELLER, b"?" * 32, "a reason"),
    Offer: (b"?" * 32, 1_000, "EUR", 4),
    Accept: (b"?" * 32,),
    Decline: (b"?" * 32,),
}
MAY_GIVE: dict[type[AnyCommand], set[str]] = {
    Pause: {"operator"},
    Resume: {"operator"},
    Cancel: {"operator"},
    Pay: {"bidder"},
    Settle: {"seller", "operator"},
    RejectPayment: {"seller", "operator"},
    Offer: {"seller"},
    Accept: {"bidder"},
    Decline: {"bidder"},
}
SESSIONS = {"bidder": ANN, "seller": SUE, "operator": OTTO, "observer": OLGA}


@pytest.fixture
def full(stage: Any) -> Any:
    """Everybody is there."""
    for session, name, role in ((SUE, "sue", "seller"), (SAM, "sam", "seller"), (OTTO, "otto", "operator")):
        stage.enter(session, name, role)
    stage.enter(OLGA, "olga", "observer")
    return stage


@pytest.fixture
def answers(full: Any, staging: ModuleType) -> Callable[..., list[Any]]:
    """What one command is answered: the codes of rejections and refusals, or the kinds of receipts."""

    def give(session: int, request: Request) -> list[Any]:
        effects = full.handle(request)
        refused = [reply.code for reply in staging.replies(effects, session) if isinstance(reply, Refused)]
        receipted = [
            decode(full.data(receipts_auction(reply))[item.index]).kind.value
            for reply in staging.replies(effects, session)
            if isinstance(reply, Acknowledged)
            for item in items_of(reply)
        ]
        return [*staging.codes(effects, session), *refused, *receipted]

    return give


def items_of(reply: Acknowledged) -> list[Any]:
    return [item for receipts in reply.logs for item in receipts.receipts]


def receipts_auction(reply: Acknowledged) -> bytes:
    (auction,) = {receipts.auction for receipts in reply.logs}
    return auction


def sold(stage: Any, payment: PaymentRules = OFFERING) -> bytes:
    """An auction that ben has won at 12.00, after a bid by ann of 10.00."""
    auction: bytes = stage.opened(payment=payment)
    stage.handle(stage.bid(ANN, auction, 1_000))
    stage.handle(stage.bid(BEN, auction, 1_200))
    stage.until(stage.log(auction).auction.end_ns)
    return auction


# Who may give which


def test_every_command_is_known_here() -> None:
    assert set(FIELDS) == set(MAY_GIVE) == set(get_args(AnyCommand))


@pytest.mark.parametrize("role", SESSIONS)
@pytest.mark.parametrize("of", FIELDS)
def test_a_command_is_taken_from_the_roles_that_may_give_it(full: Any, answers: Any, of: Any, role: str) -> None:
    auction = sold(full)
    before = full.data(auction)
    fields = FIELDS[of]
    if of in (Settle, RejectPayment) and role == "operator":
        fields = (Capacity.OPERATOR, *fields[1:])
    session = SESSIONS[role]
    codes = answers(session, full.command(session, of, auction, *fields))
    assert (codes == ["not_authorised"]) == (role not in MAY_GIVE[of]), codes
    assert full.data(auction) == before, "whoever may, nothing of it is possible now"


@pytest.mark.parametrize(
    ("session", "capacity"), [(OTTO, Capacity.SELLER), (SUE, Capacity.OPERATOR)], ids=["operator", "seller"]
)
def test_a_session_acts_in_no_other_capacity_than_its_own(
    full: Any, staging: ModuleType, session: int, capacity: Capacity
) -> None:
    auction = sold(full)
    effects = full.handle(full.command(session, Settle, auction, capacity, b"?" * 32))
    (refused,) = staging.replies(effects, session)
    role = "operator" if session == OTTO else "seller"
    assert refused.code == "not_authorised"
    assert refused.message == f"a command of the {capacity} needs a session in that role; this one is {role}"


def test_a_command_is_signed_by_its_sessions_identity(full: Any, staging: ModuleType) -> None:
    auction = full.opened()
    of_otto = full.command(OTTO, Pause, auction, "")
    stranger = sign_body(staging.key_of("sam"), of_otto.body)
    for request in (
        of_otto._replace(session=SAM),
        full.command(ANN, Pay, auction, 1_000, "EUR", "")._replace(session=BEN),
        of_otto._replace(signer=staging.key_of("sam").identity.signing, signature=stranger.signature),
        of_otto._replace(signer=b""),
        full.command(OTTO, Pause, auction, "", actor=staging.key_of("olga").identity.signing),
    ):
        (refused,) = staging.replies(full.handle(request), request.session)
        assert (refused.code, refused.command) == ("not_authorised", command_id(request.body))
    assert full.log(auction).auction.phase == "open"


def test_a_seller_settles_its_own_sales_only(full: Any, answers: Any) -> None:
    auction = sold(full)
    paid = full.command(BEN, Pay, auction, 1_200, "EUR", "")
    assert answers(BEN, paid) == ["payment"]
    payment = command_id(paid.body)
    assert answers(SAM, full.command(SAM, Settle, auction, Capacity.SELLER, payment)) == ["not_the_seller"]
    assert answers(SUE, full.command(SUE, Settle, auction, Capacity.SELLER, payment)) == ["settled"]


# What is answered


def test_every_accepted_command_is_entered_verbatim_and_receipted(full: Any, staging: ModuleType) -> None:
    auction = full.opened()
    request = full.command(OTTO, Pause, auction, "the hall is dark")
    full.handle(full.ask(OLGA, Subscribe((auction,))))
    effects = full.handle(request)
    assert isinstance(effects[0], Commit)
    entry = full.entries(auction)[-1]
    assert (entry.kind, entry.body, entry.signature) == ("paused", request.body, request.signature)
    (reply,) = staging.replies(effects, OTTO)
    (item,) = items_of(reply)
    assert (item.command, item.index) == (command_id(request.body), 4)
    log = full.log(auction)
    assert verify_inclusion(leaf_hash(full.data(auction)[4]), 4, 5, item.proof, log.tree.root())
    assert any(isinstance(effect, Publish) and effect.auction == auction for effect in effects)


@pytest.mark.parametrize("restarts", [False, True])
def test_the_same_bytes_get_the_same_receipt_again_and_are_entered_once(
    full: Any, staging: ModuleType, restarts: bool
) -> None:
    auction = full.opened(duration_ns=60 * SECOND_NS)
    pause, resume = (full.command(OTTO, of, auction, "") for of in (Pause, Resume))
    full.handle(pause)
    full.handle(resume)
    size = full.log(auction).tree.size
    if restarts:
        full.restart(SECOND_NS)
        full.enter(OTTO, "otto", "operator")
        size += 1
    (reply,) = staging.replies(full.handle(pause), OTTO)
    (item,) = items_of(reply)
    assert (item.command, item.index) == (command_id(pause.body), 4)
    assert (full.log(auction).tree.size, full.log(auction).auction.phase) == (size, "open")


def test_a_rejected_command_is_rejected_by_its_code_and_leaves_nothing(full: Any, answers: Any) -> None:
    auction = full.opened()
    full.handle(full.bid(ANN, auction, 1_000))
    before = full.data(auction)
    assert answers(OTTO, full.command(OTTO, Cancel, auction, "")) == ["has_bids"]
    assert answers(OTTO, full.command(OTTO, Resume, auction, "")) == ["not_paused"]
    assert answers(ANN, full.command(ANN, Pay, auction, 1_000, "EUR", "")) == ["no_sale"]
    assert answers(OTTO, full.command(OTTO, Pause, auction, "", not_after_ns=full.now_ns - 1)) == ["expired"]
    assert full.data(auction) == before


def test_what_is_no_command_is_malformed(full: Any, answers: Any) -> None:
    auction = full.opened()
    request = full.command(OTTO, Pause, auction, "")
    assert answers(OTTO, request._replace(body=request.body + b"\0")) == ["malformed"]
    assert answers(OTTO, full.command(OTTO, Pause, b"n" * 32, "")) == ["no_such_auction"]


def test_commands_of_one_batch_are_judged_in_order(full: Any, staging: ModuleType) -> None:
    auction = full.opened(duration_ns=60 * SECOND_NS)
    effects = full.handle(
        full.command(OTTO, Pause, auction, "one"),
        full.bid(ANN, auction, 1_000),
        full.command(OTTO, Pause, auction, "two"),
        full.command(OTTO, Resume, auction, "three"),
        full.bid(BEN, auction, 1_000),
        full.command(OTTO, Cancel, auction, "four"),
    )
    assert full.kinds(auction)[4:] == ["paused", "resumed", "bid"]
    assert staging.codes(effects, ANN) == ["paused"]
    assert staging.codes(effects, OTTO) == ["paused", "has_bids"]


def test_a_verifier_finds_the_signer_of_every_type(full: Any, staging: ModuleType) -> None:
    assert set(KINDS) == {type_of(of) for of in FIELDS}
    for of, fields in FIELDS.items():
        request = full.command(OTTO, of, bytes(32), *fields)
        assert request.signer == staging.key_of("otto").identity.signing, of
