"""Who sends too much is told when to come back; others do not notice, and operators are never counted."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from auctionctl.auction.commands import Pause, Resume
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.limits import Limits
from auctionctl.house.quotas import MAX_FORGERIES, MUTE_NS, QUESTION_RATE
from auctionctl.wire.messages import Read, Refused

ANN, BEN, OTTO = 1, 2, 9


@pytest.fixture
def auction(stage: Any) -> bytes:
    """An open auction, at a house with the limits that it has by itself."""
    auction: bytes = stage.opened(duration_ns=600 * SECOND_NS)
    stage.enter(OTTO, "otto", "operator")
    stage.house.limits = Limits()
    return auction


@pytest.fixture
def refused(stage: Any, staging: ModuleType) -> Any:
    """The refusals that one session gets for these requests."""

    def of(session: int, *requests: Any) -> list[Refused]:
        replies = staging.replies(stage.handle(*requests), session)
        return [reply for reply in replies if isinstance(reply, Refused)]

    return of


def flood(stage: Any, auction: bytes, session: int, count: int) -> list[Any]:
    """Bids that each outbid the one before; or would, if somebody else had made that."""
    return [stage.bid(session, auction, 1_000 + 100 * number) for number in range(count)]


def test_beyond_its_burst_an_identity_is_told_when_the_next_bid_is_taken(
    stage: Any, auction: bytes, refused: Any
) -> None:
    bids = flood(stage, auction, ANN, 45)
    answers = refused(ANN, *bids)
    assert [answer.code for answer in answers] == ["rate"] * 5
    assert {answer.retry_after_ns for answer in answers} == {SECOND_NS // 20}
    assert "20 commands a second" in answers[0].message
    before = stage.data(auction)
    stage.now_ns += answers[0].retry_after_ns - 1
    assert [each.code for each in refused(ANN, bids[-1])] == ["rate"]
    assert stage.data(auction) == before
    stage.now_ns += 1
    assert refused(ANN, bids[-1]) == []


def test_what_one_identity_has_used_up_nobody_else_lacks(stage: Any, auction: bytes, refused: Any) -> None:
    assert refused(BEN, *flood(stage, auction, ANN, 500), stage.bid(BEN, auction, 90_000)) == []
    assert stage.log(auction).auction.standing.leader == stage.house.presence.peers[BEN].identity.signing


def test_a_second_session_of_the_same_identity_has_no_rate_of_its_own(stage: Any, auction: bytes, refused: Any) -> None:
    stage.handle(*flood(stage, auction, ANN, 40))
    again = stage.enter(5, "ann")
    assert [each.code for each in refused(again, stage.bid(again, auction, 50_000))] == ["rate"]


def test_all_together_get_no_more_than_the_house_takes(stage: Any, auction: bytes, refused: Any) -> None:
    stage.house.limits = replace(Limits(), all_bids_per_s=10)
    stage.handle(*flood(stage, auction, ANN, 10))
    (answer,) = refused(BEN, stage.bid(BEN, auction, 50_000))
    assert (answer.code, answer.retry_after_ns) == ("rate", SECOND_NS // 10)


def test_an_operator_pauses_and_resumes_in_the_midst_of_a_flood(stage: Any, auction: bytes, refused: Any) -> None:
    stage.house.limits = replace(Limits(), all_bids_per_s=1)
    commands = [stage.command(OTTO, of, auction, "a flood") for of in (Pause, Resume) * 5]
    stage.handle(*flood(stage, auction, ANN, 100), *commands)
    assert stage.kinds(auction).count("paused") == stage.kinds(auction).count("resumed") == 5


def test_so_many_bids_in_one_auction_are_enough_and_elsewhere_it_goes_on(
    stage: Any, auction: bytes, refused: Any
) -> None:
    other = stage.opened(duration_ns=600 * SECOND_NS)
    stage.house.limits = replace(Limits(), max_bids_an_auction=2)
    for amount_minor in (1_000, 3_000):
        assert refused(ANN, stage.bid(ANN, auction, amount_minor)) == []
        assert refused(BEN, stage.bid(BEN, auction, amount_minor + 1_000)) == []
    (answer,) = refused(ANN, stage.bid(ANN, auction, 5_000))
    assert answer.code == "quota"
    assert refused(ANN, stage.bid(ANN, other, 5_000)) == []


def test_whoever_signs_badly_again_and_again_is_not_heard_for_a_while(stage: Any, auction: bytes, refused: Any) -> None:
    ann = stage.house.presence.peers[ANN].identity.signing
    for _ in range(MAX_FORGERIES - 1):
        assert not stage.house.quotas.forged(ann, stage.now_ns)
    assert refused(ANN, stage.bid(ANN, auction, 1_000)) == []
    assert stage.house.quotas.forged(ann, stage.now_ns)
    (answer,) = refused(ANN, stage.bid(ANN, auction, 2_000))
    assert (answer.code, answer.retry_after_ns) == ("muted", MUTE_NS)
    assert refused(BEN, stage.bid(BEN, auction, 2_000)) == []
    stage.after(MUTE_NS)
    assert refused(ANN, stage.bid(ANN, auction, 4_000)) == []


def test_a_bad_signature_now_and_then_mutes_nobody(stage: Any) -> None:
    for number in range(20):
        assert not stage.house.quotas.forged(b"a" * 32, stage.now_ns + number * MUTE_NS // (MAX_FORGERIES - 1))


def test_questions_have_a_rate_too(stage: Any, auction: bytes, refused: Any) -> None:
    questions = [stage.ask(ANN, Read(auction, 0))] * (QUESTION_RATE.burst + 3)
    assert [answer.code for answer in refused(ANN, *questions)] == ["rate"] * 3
    assert refused(ANN, stage.bid(ANN, auction, 1_000)) == [], "bids are counted apart"
