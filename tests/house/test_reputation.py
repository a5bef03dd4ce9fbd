"""A house says of its bidders what its auctions come to, once, and lets in by nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace as replaced

from auctionctl.auction.rules import PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import VerificationError
from auctionctl.house.effects import Commit
from auctionctl.house.registry import RegistryLog
from auctionctl.replica.audit import audit, audit_registry, compare_with_registry
from auctionctl.replica.conduct import Deeds
from auctionctl.replica.registry import REGISTRY, Conduct, decode_registry_event
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.messages import Rejections, decode_rejection

PAYMENT = PaymentRules(30 * SECOND_NS)
DEFAULTED_PPM = 71_428


def said(stage: Any) -> list[Conduct]:
    """What the stored registry says of bidders."""
    entries = [decode(data) for data in stage.registry_data()]
    events = [decode_registry_event(entry.kind, entry.body) for entry in entries if entry.kind is Kind.CONDUCT]
    return [event for event in events if isinstance(event, Conduct)]


def unpaid(stage: Any) -> bytes:
    """Ben wins an auction, and does not pay."""
    auction: bytes = stage.opened(payment=PAYMENT)
    stage.handle(stage.bid(1, auction, 1_000))
    stage.handle(stage.bid(2, auction, 1_200))
    stage.after(60 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "reverted"
    return auction


def answers(staging: Any, effects: list[Any], session: int) -> list[tuple[str, dict[str, int]]]:
    batches = [reply for reply in staging.replies(effects, session) if isinstance(reply, Rejections)]
    rejections = [decode_rejection(each.rejection) for batch in batches for each in batch.rejections]
    return [(rejection.code, dict(rejection.observed)) for rejection in rejections]


def ppm(stage: Any, session: int) -> int:
    signing = stage.house.presence.peers[session].identity.signing
    value: int = stage.house.registry.state.reputations.ppm(signing, stage.now_ns)
    return value


def test_what_an_auction_says_is_written_in_the_commit_that_makes_it_final(stage: Any) -> None:
    auction = unpaid(stage)
    (conduct,) = said(stage)
    ann, ben = (stage.house.presence.peers[session].identity.signing for session in (1, 2))
    assert conduct == Conduct(
        auction, tuple(sorted((Deeds(ann, 1, 0, 0, 0, 0, 0), Deeds(ben, 0, 1, 0, 1, 0, 0)), key=lambda d: d.bidder))
    )
    last = [effect for effect in stage.effects if isinstance(effect, Commit) and len(effect.appends) == 2][-1]
    assert {append.log for append in last.appends} == {REGISTRY, stage.log(auction).name}


def test_a_defaulter_is_kept_out_and_told_why_and_others_come_in(stage: Any, staging: Any) -> None:
    unpaid(stage)
    auction = stage.announce(min_reputation_ppm=400_000)
    effects = stage.handle(stage.join(2, auction))
    observed = {"stated": 0, "reputation": DEFAULTED_PPM}
    assert answers(staging, effects, 2) == [("wrong_reputation", observed)]
    effects = stage.handle(stage.join(2, auction, reputation_ppm=DEFAULTED_PPM))
    assert answers(staging, effects, 2) == [("low_reputation", {"reputation": DEFAULTED_PPM, "needed": 400_000})]
    effects = stage.handle(stage.join(2, auction, reputation_ppm=1_000_000))
    assert answers(staging, effects, 2) == [("wrong_reputation", {"stated": 1_000_000, "reputation": DEFAULTED_PPM})]
    stage.handle(stage.join(1, auction, reputation_ppm=ppm(stage, 1)))
    stage.enter(3, "cleo")
    stage.handle(stage.join(3, auction, reputation_ppm=500_000))
    assert stage.kinds(auction) == ["terms", "joined", "joined", "opened"]


def test_reputations_survive_the_house_and_its_archive(stage: Any) -> None:
    auction = unpaid(stage)
    stage.house.forget(stage.log(auction))
    stage.restart(5 * SECOND_NS)
    stage.enter(2, "ben")
    assert ppm(stage, 2) == DEFAULTED_PPM
    assert len(said(stage)) == 1


def test_what_a_crash_kept_from_being_said_is_said_by_the_house_that_starts(stage: Any) -> None:
    """A store of before there was anything to say: the registry's last entry is missing."""
    auction = unpaid(stage)
    entries = stage.registry_data()
    assert decode(entries[-1]).kind is Kind.CONDUCT
    lost = RegistryLog(stage.key, entries[:-1])
    stage.rebuild_registry = lambda: lost
    stage.house = type(stage.house)(stage.key, stage.limits, stage.house.allowed, stage.now_ns)
    effects = stage.house.adopt(
        lost, [stage.rebuild(stage_log) for stage_log in [named(stage, auction)]], None, stage.now_ns
    )
    (commit,) = [effect for effect in effects if isinstance(effect, Commit)]
    (append,) = [append for append in commit.appends if append.log == REGISTRY]
    assert [decode(data).kind for data in append.entries] == [Kind.CONDUCT]


def named(stage: Any, auction: bytes) -> Any:
    class Name:
        name = f"auction/{auction.hex()}"

    return Name


def test_what_was_rolled_back_is_said_again_and_once(stage: Any) -> None:
    auction = stage.opened()
    stage.handle(stage.bid(1, auction, 1_000))
    stage.after(15 * SECOND_NS)
    stage.is_full = True
    stage.after(10 * SECOND_NS)
    assert said(stage) == []
    stage.is_full = False
    stage.after(60 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "closed"
    assert [conduct.auction for conduct in said(stage)] == [auction]


def test_an_end_that_was_not_written_says_nothing_of_those_who_bid_after_it(stage: Any) -> None:
    auction = stage.opened()
    stage.handle(stage.bid(1, auction, 1_000))
    stage.until(stage.house.get_timer() - SECOND_NS // 2)
    stage.is_full = True
    stage.handle(stage.bid(2, auction, 2_000))
    stage.after(SECOND_NS)
    stage.is_full = False
    while stage.kinds(auction)[-1] != "gap":
        stage.after(SECOND_NS // 20)
    assert said(stage) == []
    stage.handle(stage.bid(2, auction, 2_000))
    stage.after(SECOND_NS)
    (conduct,) = said(stage)
    ben = stage.house.presence.peers[2].identity.signing
    assert [each.won for each in conduct.deeds] == [each.bidder == ben for each in conduct.deeds]
    assert len(conduct.deeds) == 2


def test_a_halted_registry_says_nothing_and_the_auctions_go_on(stage: Any) -> None:
    auction = stage.opened()
    stage.handle(stage.bid(1, auction, 1_000))
    stage.house.registry.is_halted = True
    stage.after(30 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "closed"
    assert said(stage) == []


def test_bids_that_are_wrong_by_themselves_are_counted_and_races_are_not(stage: Any) -> None:
    auction = stage.opened()
    ann = stage.house.presence.peers[1].identity.signing
    stage.handle(stage.bid(1, auction, 1), stage.bid(1, auction, 2_000, currency="USD"))
    stage.handle(stage.bid(1, auction, 2_000, house=bytes(32)), stage.bid(1, auction, 1_000, seq=9))
    stage.handle(stage.bid(1, auction, 3_000, seq=9))
    for harmless in ({"seq": 8}, {"not_after_ns": 0}):
        stage.handle(stage.bid(1, auction, 3_000, **harmless))
    stage.handle(stage.bid(2, auction, 1_001), stage.bid(1, auction, 5_000))
    stage.after(30 * SECOND_NS)
    (conduct,) = said(stage)
    assert conduct.deeds == (Deeds(ann, 1, 1, 0, 0, 0, 4),)


def test_of_many_bidders_it_speaks_in_several_entries(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auctionctl.house.reputation.MAX_DEEDS", 1)
    auction = unpaid(stage)
    assert [(conduct.auction, len(conduct.deeds)) for conduct in said(stage)] == [(auction, 1), (auction, 1)]
    assert len(stage.house.registry.state.reputations.auctions[auction]) == 2


def test_whoever_has_bid_is_let_back_in_whatever_it_did_elsewhere(stage: Any) -> None:
    first = stage.opened(payment=PAYMENT)
    second = stage.announce(min_reputation_ppm=400_000, duration_ns=200 * SECOND_NS)
    for session in (1, 2):
        stage.handle(stage.join(session, second, reputation_ppm=500_000))
    stage.handle(stage.bid(2, first, 1_000), stage.bid(2, second, 1_000))
    stage.after(60 * SECOND_NS)
    stage.house.session_ended(2, stage.now_ns)
    stage.after(20 * SECOND_NS)
    assert stage.kinds(second)[-1] == "left"
    stage.enter(2, "ben")
    stage.handle(stage.join(2, second, reputation_ppm=ppm(stage, 2)))
    assert (ppm(stage, 2), stage.kinds(second)[-1]) == (DEFAULTED_PPM, "joined")


def audits(stage: Any, auction: bytes) -> tuple[Any, Any]:
    house = stage.key.identity
    return audit(stage.export(auction), house), audit_registry(stage.registry_export(), house)


def test_anybody_recomputes_what_was_said_and_what_was_stated(stage: Any) -> None:
    first = unpaid(stage)
    second = stage.announce(min_reputation_ppm=50_000)
    stage.handle(
        stage.join(1, second, reputation_ppm=ppm(stage, 1)), stage.join(2, second, reputation_ppm=DEFAULTED_PPM)
    )
    for auction in (first, second):
        compare_with_registry(*audits(stage, auction))


def test_a_house_that_says_something_else_or_nothing_is_caught(stage: Any) -> None:
    auction = unpaid(stage)
    log, registry = audits(stage, auction)
    told = registry.registry.reputations.auctions
    told[auction] = tuple(replaced(each, stood=0, won=1, paid=0, defaulted=1) for each in told[auction])
    with pytest.raises(VerificationError, match="something else") as raised:
        compare_with_registry(log, registry)
    assert raised.value.rule == "conduct"
    del told[auction]
    compare_with_registry(log, registry)  # a copy that ends with the log may be a little older
    registry.registry.last_time_ns += 1
    with pytest.raises(VerificationError, match="goes on after it"):
        compare_with_registry(log, registry)


def test_a_house_that_let_somebody_state_another_reputation_is_caught(stage: Any) -> None:
    unpaid(stage)
    auction = stage.announce(min_reputation_ppm=50_000)
    stage.handle(stage.join(2, auction, reputation_ppm=DEFAULTED_PPM))
    log, registry = audits(stage, auction)
    registry.registry.reputations.records.clear()
    with pytest.raises(VerificationError, match="with a reputation of 71428 ppm") as raised:
        compare_with_registry(log, registry)
    assert (raised.value.rule, raised.value.index) == ("reputation", 1)
