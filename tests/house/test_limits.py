"""One seller fills no more than its share of a house, whatever it signs."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import Capacity, Pay, Settle
from auctionctl.auction.phase import Stage
from auctionctl.auction.rules import PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import TermsError
from auctionctl.house.limits import HOUR_NS, Limits, check_share
from auctionctl.wire.messages import Acknowledged, Refused

LIMITS = Limits(max_concurrent_auctions=10, max_auctions_a_seller=2, max_openings_an_hour=3)


@pytest.fixture
def stage(staging: Any) -> Any:
    made = staging.Stage(LIMITS)
    made.enter(1, "sue", "seller")
    made.enter(2, "sam", "seller")
    return made


def offer(stage: Any, staging: Any, session: int, name: str, **changes: Any) -> Any:
    message = stage.terms(name, **changes)
    request = stage._signed(session, staging.key_of(name), message.body)
    (answer,) = staging.replies(stage.handle(request), session)
    return answer


def test_a_seller_has_no_more_auctions_at_once_than_its_share_and_others_have_theirs(stage: Any, staging: Any) -> None:
    for _ in range(2):
        assert isinstance(offer(stage, staging, 1, "sue"), Acknowledged)
    refused = offer(stage, staging, 1, "sue")
    assert isinstance(refused, Refused)
    assert "2 auctions of yours have not ended" in refused.message
    assert "wait until one has ended" in refused.message
    assert isinstance(offer(stage, staging, 2, "sam"), Acknowledged)
    assert stage.house.live_count == 3
    stage.after(30 * SECOND_NS)
    assert isinstance(offer(stage, staging, 1, "sue"), Acknowledged)


def test_a_sale_that_is_paid_for_takes_a_place_of_its_seller_until_it_is_settled(stage: Any, staging: Any) -> None:
    payment = PaymentRules(60 * SECOND_NS)
    auction = stage.announce(payment=payment)
    for session, name in ((10, "ann"), (11, "ben")):
        stage.enter(session, name)
        stage.handle(stage.join(session, auction))
    stage.handle(stage.bid(10, auction, 1_000))
    stage.until(stage.log(auction).auction.end_ns)
    pay = stage.command(10, Pay, auction, 1_000, "EUR", "a transfer")
    stage.handle(pay)
    assert stage.log(auction).auction.settlement.stage is Stage.PAID
    assert isinstance(offer(stage, staging, 1, "sue"), Acknowledged)
    refused = offer(stage, staging, 1, "sue")
    assert isinstance(refused, Refused)
    assert "2 auctions of yours have not ended" in refused.message
    assert "settle a sale that is paid for" in refused.message
    stage.handle(stage.command(1, Settle, auction, Capacity.SELLER, command_id(pay.body)))
    assert isinstance(offer(stage, staging, 1, "sue"), Acknowledged)


def test_a_seller_opens_no_more_auctions_within_an_hour_than_its_share(stage: Any, staging: Any) -> None:
    opened_ns = stage.now_ns
    for _ in range(3):
        assert isinstance(offer(stage, staging, 1, "sue", start_timeout_ns=SECOND_NS), Acknowledged)
        stage.after(SECOND_NS)
    refused = offer(stage, staging, 1, "sue")
    assert isinstance(refused, Refused)
    assert "3 auctions within an hour" in refused.message
    assert "in 60 min" in refused.message
    stage.restart(SECOND_NS)
    registry = stage.house.registry.state
    sue = staging.key_of("sue").identity.signing
    with pytest.raises(TermsError):
        check_share(sue, registry, (), LIMITS, opened_ns + HOUR_NS - 1)
    check_share(sue, registry, (), LIMITS, opened_ns + HOUR_NS)


def test_terms_that_are_held_already_count_for_nothing(stage: Any, staging: Any) -> None:
    message = stage.terms("sue")
    request = stage._signed(1, staging.key_of("sue"), message.body)
    for _ in range(9):
        (answer,) = staging.replies(stage.handle(request), 1)
        assert isinstance(answer, Acknowledged)
    assert stage.house.live_count == 1


def test_what_is_refused_leaves_no_trace(stage: Any, staging: Any) -> None:
    for _ in range(2):
        offer(stage, staging, 1, "sue")
    size = stage.house.registry.tree.size
    for _ in range(5):
        assert isinstance(offer(stage, staging, 1, "sue"), Refused)
    assert (stage.house.registry.tree.size, len(stage.house.logs)) == (size, 2)


def test_the_house_itself_is_bound_by_the_limit_of_all_alone(stage: Any) -> None:
    for _ in range(5):
        check_share(stage.key.identity.signing, stage.house.registry.state, stage.house.logs, LIMITS, stage.now_ns)
        stage.announce("house")
    assert stage.house.live_count == 5
