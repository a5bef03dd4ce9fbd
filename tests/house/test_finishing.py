"""What was begun under a key that was replaced is finished with it, in a session of the key that took its place."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.commands import Accept, Capacity, Decline, Offer, Pause, Pay, RejectPayment, Settle
from auctionctl.auction.rules import OnDefault, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import RemoteProtocolError
from auctionctl.house.finishing import take_out
from auctionctl.house.intake import Request
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.audit import audit, audit_registry, compare_with_registry
from auctionctl.replica.registry import Revoke, encode_registry_event, rotation
from auctionctl.wire.frames import sign_body
from auctionctl.wire.messages import Acknowledged, Finish, encode

OFFERING = PaymentRules(100 * SECOND_NS, 30 * SECOND_NS, OnDefault.OFFER, 50 * SECOND_NS)
ANN, BEN, SUE, OTTO = 1, 2, 8, 9


@pytest.fixture
def renewed(stage: Any, staging: ModuleType) -> Any:
    """Has the holder of session ``session`` come back under a new key, which is called after it; returns its number."""

    def renew(session: int, name: str, role: str = "bidder") -> int:
        old, new = staging.key_of(name), staging.key_of(f"{name}2")
        event = rotation(old.identity.signing, new, stage.key.identity.signing)
        stage.handle(Request(session, old.identity.signing, *sign_body(old, encode_registry_event(event))))
        assert session not in stage.house.presence.peers
        number: int = stage.enter(session + 20, f"{name}2", role)
        assert number in stage.house.presence.peers
        return number

    return renew


@pytest.fixture
def finish(stage: Any, staging: ModuleType) -> Any:
    """What ``name`` signs with its old key, brought in ``session`` by its new one, or by ``by``."""

    def request(session: int, name: str, of: Any, auction: bytes, *fields: Any, by: str = "") -> Request:
        stage._names[session] = name
        within = stage.command(session, of, auction, *fields)
        stage._names[session] = by or f"{name}2"
        return brought(stage, staging.key_of(by or f"{name}2"), session, within)

    return request


def brought(stage: Any, key: SecretKey, session: int, within: Request, **changes: Any) -> Request:
    body = Finish(stage.key.identity.signing, within.signer or bytes(32), within.body, within.signature)
    message = sign_body(key, encode(replace(body, **changes)))
    return Request(session, key.identity.signing, *message)


def sold(stage: Any) -> bytes:
    """An auction with an offer to the next where there is a default; ann leads, and ben comes next."""
    auction = stage.opened(payment=OFFERING)
    for session, name, role in ((SUE, "sue", "seller"), (OTTO, "otto", "operator")):
        stage.enter(session, name, role)
    stage.handle(stage.bid(BEN, auction, 1_000), stage.bid(ANN, auction, 2_000))
    stage.until(stage.log(auction).auction.end_ns)
    assert stage.kinds(auction)[-1] == "closed"
    result: bytes = auction
    return result


def verified(stage: Any, auction: bytes) -> None:
    log, registry = stage.export(auction), stage.registry_export()
    compare_with_registry(audit(log, stage.key.identity), audit_registry(registry, stage.key.identity))


def reasons(staging: ModuleType, effects: list[Any], session: int) -> list[str]:
    return [reply.code for reply in staging.replies(effects, session) if hasattr(reply, "code")]


def test_a_winner_pays_and_a_seller_settles_with_the_keys_that_the_log_names(
    stage: Any, staging: ModuleType, renewed: Any, finish: Any
) -> None:
    auction = sold(stage)
    ann2, sue2 = renewed(ANN, "ann"), renewed(SUE, "sue", "seller")
    pay = finish(ann2, "ann", Pay, auction, 2_000, "EUR", "a transfer")
    effects = stage.handle(pay)
    (answer,) = [each for each in staging.replies(effects, ann2) if isinstance(each, Acknowledged)]
    payment = stage.log(auction).auction.settlement.payment
    assert answer.logs[0].receipts[0].command == payment
    stage.handle(finish(sue2, "sue", RejectPayment, auction, Capacity.SELLER, payment, "nothing came"))
    stage.handle(finish(ann2, "ann", Pay, auction, 2_000, "EUR", "another transfer"))
    payment = stage.log(auction).auction.settlement.payment
    stage.handle(finish(sue2, "sue", Settle, auction, Capacity.SELLER, payment))
    assert stage.kinds(auction)[-4:] == ["payment", "payment_rejected", "payment", "settled"]
    assert stage.entries(auction)[-1].body != pay.body
    verified(stage, auction)
    reputations = stage.house.registry.state.reputations
    new = staging.key_of("ann2").identity.signing
    assert reputations.ppm(new, stage.now_ns) > 500_000, "what the old key has done counts for the new one"


def test_offers_are_made_and_answered_as_well(stage: Any, staging: ModuleType, renewed: Any, finish: Any) -> None:
    auction = sold(stage)
    stage.until(stage.log(auction).auction.get_timer())
    assert stage.kinds(auction)[-1] == "defaulted"
    ben2, sue2 = renewed(BEN, "ben"), renewed(SUE, "sue", "seller")
    bidder, bid = stage.log(auction).auction.settlement.next_bidder
    assert bidder == staging.key_of("ben").identity.signing
    stage.handle(finish(sue2, "sue", Offer, auction, bidder, bid.amount_minor, "EUR", bid.bid_index))
    offer = stage.log(auction).auction.settlement.offer
    stage.handle(finish(ben2, "ben", Accept, auction, offer))
    assert stage.kinds(auction)[-2:] == ["offered", "accepted"]
    assert reasons(staging, stage.handle(finish(ben2, "ben", Decline, auction, offer)), ben2) == []
    assert stage.kinds(auction)[-1] == "accepted", "the rules have refused that, and signed for it"
    verified(stage, auction)


def test_a_winner_counts_as_there_while_its_new_key_is(stage: Any, renewed: Any) -> None:
    auction = sold(stage)
    ann2 = renewed(ANN, "ann")
    stage.after(60 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "closed"
    stage.house.session_ended(ann2, stage.now_ns)
    stage.after(12 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "left"
    stage.after(30 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "defaulted"


@pytest.mark.parametrize("pays", [True, False])
def test_a_debtor_that_had_left_joins_under_no_other_key_and_pays_before_its_absence_is_over(
    stage: Any, staging: ModuleType, renewed: Any, finish: Any, pays: bool
) -> None:
    auction = sold(stage)
    stage.house.session_ended(ANN, stage.now_ns)
    stage.after(12 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "left"
    stage.enter(ANN, "ann")
    ann2 = renewed(ANN, "ann")
    assert reasons(staging, stage.handle(stage.join(ann2, auction)), ann2) == ["not_authorised"]
    if pays:
        stage.handle(finish(ann2, "ann", Pay, auction, 2_000, "EUR", "a transfer"))
        assert stage.kinds(auction)[-1] == "payment"
    stage.after(30 * SECOND_NS)
    assert stage.kinds(auction)[-1] == ("payment" if pays else "defaulted")
    verified(stage, auction)


def test_nobody_else_finishes_it_and_nothing_new_is_begun(
    stage: Any, staging: ModuleType, renewed: Any, finish: Any
) -> None:
    auction = sold(stage)
    size = stage.log(auction).auction.size
    ann2, otto2 = renewed(ANN, "ann"), renewed(OTTO, "otto", "operator")
    stage.enter(30, "ben", "bidder")
    pay = (Pay, auction, 2_000, "EUR", "a transfer")
    for request, code in (
        (finish(30, "ann", *pay, by="ben"), "not_authorised"),  # another holder brings it
        (finish(ann2, "ben", *pay, by="ann2"), "not_authorised"),  # of a key that is not replaced
        (finish(ann2, "ann2", *pay, by="ann2"), ""),  # one's own needs no bringing, and the log names another
        (finish(otto2, "otto", Settle, auction, Capacity.OPERATOR, bytes(32)), "not_authorised"),
        (finish(otto2, "otto", Pause, auction, "a reason"), "not_authorised"),
        (stage.enter(31, "ann2", "observer") and finish(31, "ann", *pay), "not_authorised"),
    ):
        found = reasons(staging, stage.handle(request), request.session)
        assert found == ([code] if code else []), request
        assert stage.log(auction).auction.size == size
    within = stage.join(ann2, auction)
    assert reasons(staging, stage.handle(brought(stage, staging.key_of("ann2"), ann2, within)), ann2) == ["malformed"]


def test_once_it_is_revoked_a_replaced_key_finishes_nothing(
    stage: Any, staging: ModuleType, renewed: Any, finish: Any
) -> None:
    auction = sold(stage)
    ann2, otto = renewed(ANN, "ann"), staging.key_of("otto")
    # By its own line the new key is let in whatever becomes of the old one.
    allowed = staging.allowed_with(ann2="bidder", ben="bidder", sue="seller", otto="operator")
    stage.do(stage.house.set_allowed(allowed, stage.now_ns))
    event = Revoke(stage.key.identity.signing, otto.identity.signing, staging.key_of("ann").identity.signing)
    stage.handle(Request(OTTO, otto.identity.signing, *sign_body(otto, encode_registry_event(event))))
    effects = stage.handle(finish(ann2, "ann", Pay, auction, 2_000, "EUR", "a transfer"))
    assert reasons(staging, effects, ann2) == ["not_authorised"]


def test_one_holder_takes_part_in_an_auction_under_one_key(stage: Any, staging: ModuleType, renewed: Any) -> None:
    auction = stage.opened()
    stage.enter(SUE, "sue", "seller")
    stage.house.session_ended(BEN, stage.now_ns)
    stage.after(11 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "left", "to have left changes nothing"
    for session, name, role in ((ANN, "ann", "bidder"), (SUE, "sue", "seller")):
        new = renewed(session, name, role)
        size = stage.log(auction).auction.size
        if role == "seller":
            allowed = staging.allowed_with(sue="seller+bidder", ann="bidder", ben="bidder")
            stage.do(stage.house.set_allowed(allowed, stage.now_ns))
            new = stage.enter(40, "sue2", "bidder")
        assert reasons(staging, stage.handle(stage.join(new, auction)), new) == ["not_authorised"]
        assert stage.log(auction).auction.size == size
    other = stage.announce("house", min_bidders=1)
    ann2 = stage.enter(41, "ann2")
    stage.handle(stage.join(ann2, other))
    assert stage.kinds(other)[1] == "joined"
    verified(stage, auction)


def test_a_seller_keeps_its_listings_and_its_share(stage: Any, staging: ModuleType, renewed: Any) -> None:
    stage.enter(SUE, "sue", "seller")
    for number in range(5):
        stage.handle(stage.offer(SUE, stage.terms("sue", listing=f"mine-{number}")))
    sue2 = renewed(SUE, "sue", "seller")
    replies = staging.replies(stage.handle(stage.offer(sue2, stage.terms("sue2", listing="mine-0"))), sue2)
    assert "limit for one seller is 5" in replies[0].message
    stage.after(60 * SECOND_NS)
    replies = staging.replies(stage.handle(stage.offer(sue2, stage.terms("sue2", listing="mine-0"))), sue2)
    assert "has announced 'mine-0' before" in replies[0].message
    stage.handle(stage.offer(sue2, stage.terms("sue2", listing="another")))
    assert stage.house.logs[-1].auction.terms.listing == "another"


@pytest.mark.parametrize(
    "changes", [{"house": b"x" * 32}, {"actor": b"y" * 32}, {"signature": bytes(64)}, {"command": b"\x91\xa3bid"}]
)
def test_what_is_within_has_to_hold_by_itself(
    stage: Any, staging: ModuleType, renewed: Any, changes: dict[str, Any]
) -> None:
    auction = sold(stage)
    ann2 = renewed(ANN, "ann")
    stage._names[ann2] = "ann"
    within = stage.command(ann2, Pay, auction, 2_000, "EUR", "a transfer")
    good = brought(stage, staging.key_of("ann2"), ann2, within)
    assert take_out(good, stage.key.identity.signing) == within
    bad = brought(stage, staging.key_of("ann2"), ann2, within, **changes)
    with pytest.raises(RemoteProtocolError):
        take_out(bad, stage.key.identity.signing)
    assert reasons(staging, stage.handle(bad), ann2) == ["malformed"]
    stage.handle(good)
    assert stage.kinds(auction)[-1] == "payment"
