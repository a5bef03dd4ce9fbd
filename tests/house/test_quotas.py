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
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.replica.registry import REGISTRY_ID
from auctionctl.wire.messages import Read, Refused, Remind

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


def test_reminders_are_taken_of_nobody_who_is_muted_and_no_faster_than_other_questions(
    stage: Any, auction: bytes, refused: Any
) -> None:
    reminder = Remind(auction, stage.log(auction).checkpoint)
    for _ in range(MAX_FORGERIES):
        stage.house.quotas.forged(stage.house.presence.peers[ANN].identity.signing, stage.now_ns)
    assert [answer.code for answer in refused(ANN, stage.ask(ANN, reminder))] == ["muted"]
    reminders = [stage.ask(BEN, reminder)] * (QUESTION_RATE.burst + 2)
    assert [answer.code for answer in refused(BEN, *reminders)] == ["rate"] * 2


def test_whoever_has_read_more_than_its_share_is_told_when_to_read_on_and_others_read(
    stage: Any, auction: bytes
) -> None:
    stage.house.limits = replace(Limits(), read_bytes_per_s=1_000, read_bytes_burst=5_000)
    stage.handle()
    quotas = stage.house.quotas
    quotas.has_read(ANN, 5_000, stage.now_ns)
    assert quotas.refuse_reading(ANN, auction, stage.now_ns).retry_after_ns == SECOND_NS // 1_000
    quotas.has_read(ANN, 3_000, stage.now_ns)
    for log in (auction, REGISTRY_ID):
        refusal = quotas.refuse_reading(ANN, log, stage.now_ns)
        assert (refusal.code, refusal.command, refusal.retry_after_ns) == ("rate", log, 3_001 * SECOND_NS // 1_000)
        assert "1000 bytes a second to one identity" in refusal.message
    assert quotas.refuse_reading(BEN, auction, stage.now_ns) is None
    again = stage.enter(5, "ann")
    assert quotas.refuse_reading(again, auction, stage.now_ns) is not None, "of all its sessions together"
    assert quotas.refuse_reading(ANN, auction, stage.now_ns + refusal.retry_after_ns) is None


def test_a_log_of_normal_size_is_read_at_once_under_the_limits_that_a_house_has_by_itself() -> None:
    assert Limits().read_bytes_burst >= 200_000 * 300


def allowed_with_options(stage: Any, **options: dict[str, str]) -> AllowList:
    """The list in force, with these options of those who are named."""
    entries = [
        Entry(each.identity, each.name, each.role, tuple(options.get(each.name, {}).items()))
        for each in stage.house.allowed
    ]
    return AllowList(enumerate(entries, 1))


def test_an_identity_that_the_allow_list_gives_limits_of_its_own_has_these_from_then_on(
    stage: Any, auction: bytes, refused: Any
) -> None:
    options = {"bids_per_s": "2", "bids_burst": "3", "read_bytes_burst": "70000"}
    stage.do(stage.house.set_allowed(allowed_with_options(stage, ann=options), stage.now_ns))
    answers = refused(ANN, *flood(stage, auction, ANN, 5))
    assert [(answer.code, answer.retry_after_ns) for answer in answers] == [("rate", SECOND_NS // 2)] * 2
    assert "2 commands a second of one identity" in answers[0].message
    assert refused(BEN, *flood(stage, auction, BEN, 40)) == []
    for session in (ANN, BEN):
        stage.house.quotas.has_read(session, 100_000, stage.now_ns)
    refusals = [stage.house.quotas.refuse_reading(session, auction, stage.now_ns) for session in (ANN, BEN)]
    assert [refusal is None for refusal in refusals] == [False, True]
    stage.do(stage.house.set_allowed(allowed_with_options(stage), stage.now_ns))
    assert refused(ANN, *flood(stage, auction, ANN, 40)) == [], "and no longer"
