"""What instances of one house do for each other's logs: no time is lost in which nobody could bid, and none is stolen.

The store is the real one, over a stream in memory; whole processes over real servers are in tests/faults.
"""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.events import GapCause, Takeover, decode_event
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import StoreError, StoreFullError
from auctionctl.house.instances import NOBODY
from auctionctl.net.instances import PORTION, SIGNED_FOR_NS
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID


def sold_at(company: Any, name: str) -> str:
    """An open auction, which the instance of this name holds."""
    for number in range(12):
        log: str = company.sell(f"lot-{number}")
        company.after(SECOND_NS)
        if company.holder(log) == name:
            company.open(log)
            company.after(SECOND_NS)
            return log
    raise AssertionError(f"nothing is {name}'s")


def state(company: Any, name: str, log: str) -> Any:
    return company[name].house._find(bytes.fromhex(log.partition("/")[2])).auction


def until(company: Any, at_ns: int) -> None:
    company.after(at_ns - company.now_ns)


def test_the_time_without_a_gateway_is_in_the_logs_before_they_are_given_away(company: Any) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    end_ns = state(company, "x", log).end_ns
    until(company, end_ns - 5 * SECOND_NS)
    company["x"].house.gateway_lost(company.now_ns)
    lost_ns = company.now_ns
    company.after(8 * SECOND_NS)
    company.end("x")
    company.after(2 * SECOND_NS)
    assert [(gap.since_ns, gap.cause) for gap in company.gaps(log)] == [(lost_ns, GapCause.GATEWAY_LOST)]
    assert company.kinds(log)[-2:] == ["gap", "takeover"]
    assert state(company, "y", log).end_ns == end_ns + 9 * SECOND_NS


def test_the_time_without_a_gateway_is_in_the_logs_that_one_that_comes_is_given(company: Any) -> None:
    company = company("x")
    logs = [company.sell(f"lot-{number}") for number in range(6)]
    company.after(SECOND_NS)
    company["x"].house.gateway_lost(company.now_ns)
    lost_ns = company.now_ns
    company.after(4 * SECOND_NS)
    company.come("y")
    given = [log for log in logs if company.holder(log) == "y"]
    assert given
    assert [company.gaps(log)[0].since_ns for log in given] == [lost_ns] * len(given)


def test_what_could_not_be_said_for_want_of_room_is_not_lost_when_its_holder_ends(company: Any) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    end_ns = state(company, "x", log).end_ns
    until(company, end_ns - 5 * SECOND_NS)
    company["x"].house.gateway_lost(company.now_ns)
    lost_ns = company.now_ns
    company.after(8 * SECOND_NS)
    company.link.is_full = True
    company.end("x")
    company.link.is_full = False
    company.after(6 * SECOND_NS)
    assert company.holder(log) == "y"
    assert lost_ns - SECOND_NS <= company.gaps(log)[0].since_ns <= lost_ns


def test_a_log_that_was_given_to_one_that_never_went_on_with_it_loses_no_time(company: Any) -> None:
    company = company("x", "y", "z")
    log = sold_at(company, "x")
    end_ns = state(company, "x", log).end_ns
    until(company, end_ns - 3 * SECOND_NS)
    company["y"].store.logs_tail.is_still = True
    company["x"].part._give_each({log: "y"}, company.now_ns)
    given_ns = company.now_ns
    company.after(5 * SECOND_NS)
    company.die("y")
    company.after(5 * SECOND_NS)
    assert company.kinds(log)[-2:] == ["takeover", "gap"]
    assert company.gaps(log)[0].since_ns == given_ns


def test_a_log_that_stayed_where_it_was_announced_was_served_there_until_the_end(company: Any) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    company.after(4 * SECOND_NS)
    dead_ns = company.now_ns
    company.die("x")
    company.after(6 * SECOND_NS)
    assert company.holder(log) == "y"
    assert dead_ns - SECOND_NS <= company.gaps(log)[0].since_ns <= dead_ns


def test_a_log_that_another_one_took_is_not_taken_back_by_giving_it(company: Any) -> None:
    company = company("x", "y", "z")
    log = sold_at(company, "x")
    company["x"].store.logs_tail.is_still = True
    company.after(SECOND_NS // 4)
    company["y"].store.give([log], "y", company.now_ns)
    company["x"].part._give_each({log: "z"}, company.now_ns)
    company.after(SECOND_NS // 2)
    assert company["x"].store.holder_of(log)[1] == "y"


def test_one_that_was_taken_for_dead_gives_nothing_away_and_is_given_nothing_when_it_ends(company: Any) -> None:
    company = company("x", "y", "z")
    sold_at(company, "x")
    company.after(8 * SECOND_NS, without=["x"])
    logs = [log for log, _ in company["y"].store.logs() if log != REGISTRY]
    holders = {log: company["y"].store.holder_of(log) for log in logs}
    company["x"].store.logs_tail.is_still = True
    company.end("x")
    company.after(SECOND_NS)
    assert {log: company["y"].store.holder_of(log) for log in logs} == holders


def test_one_that_hears_that_it_was_taken_for_dead_lets_go_of_what_nobody_else_took_before_it_says_more(
    company: Any,
) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    x = company["x"]
    assert company["y"].store.depose("x")
    # It hears of it before its next sign is due.
    assert company.now_ns - x.part._signed_at_ns < SECOND_NS
    assert x.part._absorb(company.now_ns) == []
    assert x.store.heard() == company["y"].store.signs()[0].sequence
    company.now_ns += SECOND_NS
    assert not x.part.may_commit(company.now_ns + SECOND_NS)
    claimed = x.store.holder_of(log)
    x.turn(company.now_ns)
    assert x.store.holder_of(log) == (claimed[0] + 1, "x"), "what it had it has by a claim behind that"
    assert "takeover" in company.kinds(log)[-2:]


def test_one_that_hears_that_its_log_was_claimed_under_its_name_finds_out_the_other_process(
    company: Any, several: Any
) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    x = company["x"]
    again = several.StoreInMemory(company.link, x.key, "x")
    # It has signed, and hears of the claim before its next sign is due.
    again.give([log], "x", company.now_ns)
    assert company.now_ns - x.part._signed_at_ns < SECOND_NS
    with pytest.raises(StoreError, match="another process runs this house as its instance x"):
        x.turn(company.now_ns)


def test_a_claim_is_not_earlier_than_what_its_giver_has_said(company: Any) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    ahead_ns = company.now_ns + 2 * SECOND_NS
    company["x"].perform(company["x"].house.handle((), ahead_ns), ahead_ns)
    company["x"].part._give_each({log: "y"}, company.now_ns)
    assert company["x"].store.given_ns(log) == ahead_ns


def test_one_that_ends_passes_on_what_it_was_given_with_the_time_of_that(company: Any) -> None:
    company = company("x", "y", "z")
    log = sold_at(company, "x")
    company["y"].store.logs_tail.is_still = True
    company["x"].part._give_each({log: "y"}, company.now_ns)
    given_ns = company.now_ns
    company.after(SECOND_NS)
    company["y"].part.leave(company.now_ns)
    company["y"].store.logs_tail.is_still = False
    company["y"].part.turn(company.now_ns - SECOND_NS // 8)
    assert company["x"].store.refresh() is not None
    assert company["y"].store.holder_of(log)[1] != "y"
    assert company["y"].store.given_ns(log) == given_ns


def test_an_instance_that_dies_with_more_than_fits_into_one_batch_is_taken_over_from(
    company: Any, monkeypatch: pytest.MonkeyPatch, several: Any
) -> None:
    monkeypatch.setattr(several, "MAX_BATCH_MESSAGES", PORTION + 60)
    company = company("x")
    logs = [company.sell(f"lot-{number}", start_timeout_ns=600 * SECOND_NS) for number in range(PORTION + 100)]
    company.after(SECOND_NS)
    company.come("y")
    for log in company["y"].held():
        company["y"].part._give_each({log: "x"}, company.now_ns)
    company.after(SECOND_NS)
    assert len(company["x"].held()) == len(logs)
    company.die("x")
    company.after(8 * SECOND_NS)
    assert len(company["y"].held()) == len(logs)


def test_a_registry_that_does_not_hold_here_is_not_claimed_again_and_again(company: Any) -> None:
    company = company("x", "y")
    x = company["x"]
    x.part._let_go(company.now_ns)
    size = x.store.size(REGISTRY)
    x.house.absorb(REGISTRY, size, [b"?"], company.now_ns)
    assert x.house.is_quarantined(REGISTRY)
    claim = x.store.holder_of(REGISTRY)
    company.after(2 * SECOND_NS, without=["y"])
    assert x.store.holder_of(REGISTRY) == claim


def test_whoever_asks_an_instance_that_holds_a_log_by_its_claim_alone_is_not_sent_to_itself(company: Any) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    auction = bytes.fromhex(log.partition("/")[2])
    company["x"].part._let_go(company.now_ns)
    assert company["x"].part._endpoints(company.now_ns)[auction] == ""
    assert company["x"].part._endpoints(company.now_ns)[REGISTRY_ID] == ""
    assert company["y"].part._endpoints(company.now_ns)[auction] == "x:1"


def test_a_takeover_says_who_went_on(company: Any) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    company["x"].part._give_each({log: "y"}, company.now_ns)
    company.after(SECOND_NS)
    entry = next(each for each in reversed(company.entries(log)) if each.kind.value == "takeover")
    assert decode_event(entry.kind, entry.body) == Takeover("y", company["y"].store.holder_of(log)[0])


def test_an_instance_ends_though_the_cluster_is_full(company: Any) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    company.link.is_full = True
    company.end("x")
    company.link.is_full = False
    company.after(8 * SECOND_NS)
    assert company.holder(log) == "y"


def test_nobody_is_sent_to_an_instance_that_is_dead_while_there_is_no_room_to_claim_what_it_had(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    auction = bytes.fromhex(log.partition("/")[2])
    y = company["y"]
    assert y.house._foreign.endpoint_of(auction) == "x:1"
    company.die("x")

    def full(*_arguments: Any) -> None:
        raise StoreFullError("insufficient storage")

    # Signs are another stream, which has room.
    monkeypatch.setattr(y.store, "give", full)
    with pytest.raises(StoreFullError):
        company.after(8 * SECOND_NS)
    assert y.house._foreign.endpoint_of(auction) == ""


def test_what_is_taken_over_is_dated_behind_every_sign_of_its_holder_and_not_only_the_last(company: Any) -> None:
    company = company("x", "y", behind={"y": 9 * SECOND_NS // 2})
    log = sold_at(company, "x")
    x = company["x"]
    company.after(2 * SECOND_NS)
    latest_ns = x.part._signed_ns
    # It finds out only now that nobody could reach it: its next sign says an earlier time.
    x.house.gateway_silent(latest_ns - SECOND_NS)
    company.after(5 * SECOND_NS // 4)
    assert x.part._reached_ns == latest_ns - SECOND_NS
    company.die("x")
    company.after(8 * SECOND_NS)
    takeover = next(each for each in reversed(company.entries(log)) if each.kind.value == "takeover")
    assert company.holder(log) == "y"
    assert takeover.time_ns >= latest_ns + SIGNED_FOR_NS


def test_a_log_whose_taker_died_before_it_went_on_with_it_loses_no_time(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = company("x", "y", "z")
    log = sold_at(company, "x")
    dead_ns = company.now_ns
    company.die("x")
    for name in ("y", "z"):
        monkeypatch.setattr(company[name].part, "_take_over", lambda _won, _at_ns: None)
    company.after(5 * SECOND_NS)
    first = company["y"].store.holder_of(log)[1]
    assert first != "x"
    company.die(first)
    second = next(name for name in ("y", "z") if name != first)
    company.after(5 * SECOND_NS)
    assert company[second].store.holder_of(log)[1] == second
    # It is started again: all of it is here, and in nobody's memory.
    company.come(second)
    company.after(2 * SECOND_NS)
    assert company.kinds(log)[-2:] == ["takeover", "gap"]
    assert dead_ns - SECOND_NS <= company.gaps(log)[0].since_ns <= dead_ns


class KilledError(Exception):
    """The process is no more."""


def killed(*_arguments: Any) -> None:
    raise KilledError


def test_no_sign_of_life_hides_that_its_house_stood_still_before(company: Any) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    still_ns = company.now_ns
    company.after(7 * SECOND_NS // 4, without=["x"])
    company["x"].part.turn(company.now_ns)  # It signs, and is killed before it has judged anything.
    company.die("x")
    company.after(6 * SECOND_NS)
    assert company.holder(log) == "y"
    assert still_ns - SECOND_NS <= company.gaps(log)[0].since_ns <= still_ns


def test_no_sign_of_life_hides_the_time_without_a_gateway_before_a_log_says_it(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    x = company["x"]
    lost_ns = company.now_ns
    x.house.gateway_lost(lost_ns)
    company.after(8 * SECOND_NS)
    effects = x.house.gateway_back(company.now_ns)
    monkeypatch.setattr(x.store, "append", killed)
    with pytest.raises(KilledError):
        x.perform(effects, company.now_ns)
    company.die("x")
    company.after(6 * SECOND_NS)
    assert company.holder(log) == "y"
    assert lost_ns - SECOND_NS <= company.gaps(log)[0].since_ns <= lost_ns


def test_whoever_comes_later_knows_what_an_earlier_sign_was_for(company: Any) -> None:
    company = company("x", behind={"y": 9 * SECOND_NS // 2})
    log = company.sell()
    company.open(log)
    company.after(2 * SECOND_NS)
    x = company["x"]
    latest_ns = x.part._signed_ns
    x.house.gateway_silent(latest_ns - SECOND_NS)
    company.after(5 * SECOND_NS // 4)
    company.die("x")
    company.come("y")
    company.after(8 * SECOND_NS)
    takeover = next(each for each in reversed(company.entries(log)) if each.kind.value == "takeover")
    assert takeover.time_ns >= latest_ns + SIGNED_FOR_NS


@pytest.mark.parametrize("is_registry", [False, True])
def test_what_cannot_be_read_where_it_is_given_to_is_gone_on_with_elsewhere_at_once(
    company: Any, is_registry: bool
) -> None:
    company = company("x", "y", "z")
    auction = sold_at(company, "x")
    log = REGISTRY if is_registry else auction
    giver = next(name for name in ("x", "y", "z") if log in company[name].part._held())
    taker = next(name for name in ("x", "y", "z") if name not in ("x", giver))
    company[taker].house.absorb(log, company[taker].store.size(log), [b"?"], company.now_ns)
    company[giver].part._give_each({log: taker}, company.now_ns)
    given_ns = company.now_ns
    company.after(8 * SECOND_NS)
    holders = [name for name in ("x", "y", "z") if log in company[name].part._held()]
    assert len(holders) == 1
    assert taker not in holders
    claim = company["x"].store.holder_of(log)
    company.after(8 * SECOND_NS)
    assert company["x"].store.holder_of(log) == claim
    assert any(code == "quarantined" and log in words for code, words in company[taker].house.warnings.listed())
    if not is_registry:
        takeover = next(each for each in reversed(company.entries(log)) if each.kind.value == "takeover")
        assert given_ns <= takeover.time_ns <= given_ns + SECOND_NS, "no gap is due"


def test_what_an_instance_cannot_read_any_more_when_it_comes_back_is_gone_on_with_elsewhere(company: Any) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    dead_ns = company.now_ns
    company.die("x")
    company.after(SECOND_NS)
    company.come("x", unreadable=[log])
    company.after(5 * SECOND_NS)
    assert company.holder(log) == "y"
    assert dead_ns - SECOND_NS <= company.gaps(log)[0].since_ns <= dead_ns


def test_what_an_instance_cannot_read_when_it_comes_back_is_dated_behind_all_that_it_signed_before(
    company: Any,
) -> None:
    company = company("x", "y", behind={"y": 9 * SECOND_NS // 2})
    log = sold_at(company, "x")
    latest_ns = company["x"].part._signed_ns
    company.die("x")
    company.come("x", unreadable=[log])
    company.after(8 * SECOND_NS)
    takeover = next(each for each in reversed(company.entries(log)) if each.kind.value == "takeover")
    assert company.holder(log) == "y"
    assert takeover.time_ns >= latest_ns + SIGNED_FOR_NS


def test_what_nobody_can_read_stands_still_and_is_claimed_by_nobody(company: Any) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    company["y"].house.absorb(log, company["y"].store.size(log), [b"?"], company.now_ns)
    company.end("x")
    company.after(8 * SECOND_NS)
    epoch, holder = company["y"].store.holder_of(log)
    assert holder == NOBODY
    company.come("x")  # Which can.
    company.after(8 * SECOND_NS)
    assert company["x"].store.holder_of(log) == (epoch + 1, "x")
    assert company.kinds(log)[-2:] == ["takeover", "gap"]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_no_sign_of_life_hides_that_what_is_claimed_is_not_held(
    company: Any, several: Any, monkeypatch: pytest.MonkeyPatch, is_restarted: bool
) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    lost_ns = company.now_ns
    # The cluster elects a leader, and x has nothing any more: it lives, and cannot claim anew what it had.
    monkeypatch.setattr(several.AmongSeveral, "_is_held_up", lambda part, _now_ns: part._name == "x")
    if is_restarted:
        company.die("x")
        company.come("x")
    else:
        company["y"].store.depose("x")
    company.after(4 * SECOND_NS)
    assert company["y"].store.holder_of(log)[1] == "x"
    company.die("x")
    company.after(6 * SECOND_NS)
    assert company.holder(log) == "y"
    assert lost_ns - SECOND_NS <= company.gaps(log)[0].since_ns <= lost_ns


def test_a_log_that_could_not_be_given_for_want_of_room_stood_still_since_then_and_no_longer(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = company("x", "y")
    log = sold_at(company, "x")
    company.after(4 * SECOND_NS)
    given_up_ns = company.now_ns
    company.link.is_full = True
    with pytest.raises(StoreFullError):
        company["x"].part._give_each({log: "y"}, company.now_ns)
    company.link.is_full = False
    monkeypatch.setattr(company["x"].part, "_is_held_up", lambda _now_ns: True)
    company.after(2 * SECOND_NS)
    monkeypatch.undo()
    company.after(2 * SECOND_NS)
    assert company.holder(log) == "x"
    assert given_up_ns - SECOND_NS <= company.gaps(log)[0].since_ns <= given_up_ns
