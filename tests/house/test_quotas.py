"""Who sends too much is told when to come back; others do not notice, and operators are never counted."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from auctionctl.auction.commands import Pause, Resume
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.limits import Limits
from auctionctl.house.quotas import MAX_FORGERIES, MUTE_NS
from auctionctl.house.shares import QUESTION_BURST_S, QUESTION_RATE
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import AllowList
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


# Strangers


def strangers(stage: Any, auction: bytes, count: int) -> list[int]:
    """Sessions of so many strangers, who have joined."""
    stage.do(stage.house.set_allowed(AllowList(enumerate(stage.house.allowed, 1), Access.OPEN), stage.now_ns))
    sessions = [stage.enter(100 + number, f"stranger {number}") for number in range(count)]
    stage.handle(*[stage.join(session, auction) for session in sessions])
    return sessions


def test_a_stranger_has_less_than_whoever_is_listed(stage: Any, auction: bytes, refused: Any) -> None:
    (eve,) = strangers(stage, auction, 1)
    stage.after(10 * SECOND_NS)
    answers = refused(eve, *flood(stage, auction, eve, 8))
    assert [answer.code for answer in answers] == ["rate"] * 3
    assert {answer.retry_after_ns for answer in answers} == {SECOND_NS // 2}
    assert "2 commands a second of one identity" in answers[0].message
    limits = Limits()
    questions = [stage.ask(eve, Read(auction, 0))] * (limits.stranger_questions_per_s * QUESTION_BURST_S + 3)
    assert [answer.code for answer in refused(eve, *questions)] == ["rate"] * 3


def test_all_strangers_together_leave_listed_bidders_their_rate(
    stage: Any, auction: bytes, refused: Any, staging: ModuleType
) -> None:
    sessions = strangers(stage, auction, 3)
    stage.house.limits = replace(Limits(), all_stranger_bids_per_s=4, all_bids_per_s=10)
    bids = [bid for session in sessions for bid in flood(stage, auction, session, 3)]
    effects = stage.handle(*bids)
    codes = [getattr(reply, "code", "") for session in sessions for reply in staging.replies(effects, session)]
    assert codes.count("rate") == 5
    assert refused(ANN, *flood(stage, auction, ANN, 6)) == [], "ten in all, of which strangers had four"
    assert [each.code for each in refused(ANN, stage.bid(ANN, auction, 90_000))] == ["rate"]


def test_what_the_house_had_no_room_for_costs_a_stranger_nothing(stage: Any, auction: bytes, refused: Any) -> None:
    (eve,) = strangers(stage, auction, 1)
    stage.house.limits = replace(Limits(), all_bids_per_s=1)
    assert refused(ANN, stage.bid(ANN, auction, 1_000)) == []
    for _ in range(10):
        assert [each.message for each in refused(eve, stage.bid(eve, auction, 2_000))] == [
            "this house takes 1 commands a second in all; no log can say so"
        ]
    stage.after(SECOND_NS)
    assert refused(eve, stage.bid(eve, auction, 3_000)) == []
