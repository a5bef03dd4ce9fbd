"""What an instance goes on with is dated behind all that was signed of it, and not later than that asks for.

Nor is what lies between the clock here and such a date a time in which this instance stood still.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from auctionctl.auction.events import GapCause
from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.instances import SIGNED_FOR_NS
from auctionctl.tlog.entry import Entry

LOOK_NS = SECOND_NS // 4
AHEAD_NS = 9 * SECOND_NS // 2


def opened(company: Any) -> str:
    log: str = company.sell()
    company.open(log)
    company.after(SECOND_NS)
    return log


def restarted(company: Any, several: Any, name: str) -> None:
    """A new process, which has not had a turn."""
    company.ended.discard(name)
    company.instances[name] = several.Instance(company.link, name, company.time_of(name))


def takeover_in(company: Any, log: str, without: Sequence[str] = ()) -> Entry:
    """The entry of the turn in which somebody goes on with this log."""
    begun = company.kinds(log).count("takeover")
    for _ in range(32):
        company.after(LOOK_NS, without=without)
        if company.kinds(log).count("takeover") > begun:
            return next(each for each in reversed(company.entries(log)) if each.kind.value == "takeover")
    raise AssertionError("nobody goes on with it")


def test_a_house_that_was_away_for_longer_than_its_sign_counts_goes_on_at_its_own_clocks_time(
    company: Any, several: Any
) -> None:
    company = company("x")
    log = opened(company)
    company.die("x")
    company.after(10 * SECOND_NS)
    restarted(company, several, "x")
    assert takeover_in(company, log).time_ns == company.now_ns


def test_a_house_that_goes_on_with_its_own_after_it_was_taken_for_dead_does_so_at_its_own_clocks_time(
    company: Any,
) -> None:
    company = company("x", "y")
    log = company.sell()
    company.after(SECOND_NS)
    name = company.holder(log)
    (other,) = {"x", "y"} - {name}
    assert company[other].store.depose(name)
    assert takeover_in(company, log, without=[other]).time_ns == company.now_ns


@pytest.mark.parametrize("processes", [1, 2])
def test_a_house_that_is_started_again_dates_nothing_before_what_any_process_before_has_signed(
    company: Any, several: Any, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    company = company("x")
    log = opened(company)
    latest_ns = company["x"].part._signed_ns
    company._behind["x"] = AHEAD_NS
    for _ in range(processes - 1):
        # It signs, by a clock that is behind, and is gone before it has claimed anything.
        company.die("x")
        restarted(company, several, "x")
        monkeypatch.setattr(company["x"].part, "_is_held_up", lambda _now_ns: True)
        company.after(2 * LOOK_NS)
        assert company["x"].part._reached_ns <= latest_ns
    company.die("x")
    restarted(company, several, "x")
    assert takeover_in(company, log).time_ns == latest_ns + SIGNED_FOR_NS


def test_what_the_process_before_signs_while_this_one_reads_the_store_counts_as_well(
    company: Any, several: Any
) -> None:
    company = company("x", "y")
    log = company.sell()
    company.after(SECOND_NS)
    name = company.holder(log)
    (other,) = {"x", "y"} - {name}
    before, company._behind[name] = company[name], AHEAD_NS
    restarted(company, several, name)
    company.now_ns += 2 * SECOND_NS
    signed_ns = company.now_ns
    before.part.keep_alive(signed_ns)
    company[other].store.refresh()
    assert company[other].store.depose(name)
    assert takeover_in(company, log, without=[other]).time_ns == signed_ns + SIGNED_FOR_NS


def with_one_ahead(company: Any) -> tuple[Any, str]:
    """x, whose clock is ahead of y's, and an open auction that y holds, at its own clock's time again."""
    company = company("x", "y", behind={"x": -AHEAD_NS})
    for number in range(12):
        log = company.sell(f"lot-{number}", duration_ns=30 * SECOND_NS)
        company.after(SECOND_NS)
        if company.holder(log) == "y":
            company.open(log)
            company.after(8 * SECOND_NS)
            assert company["y"].house.latest_ns(0) == company.now_ns
            return company, log
    raise AssertionError("nothing is y's")


def auction_of(company: Any, log: str) -> Any:
    return company["y"].house.log(bytes.fromhex(log.partition("/")[2])).auction


def test_a_takeover_that_is_dated_ahead_is_no_time_in_which_what_was_held_already_stood_still(company: Any) -> None:
    company, log = with_one_ahead(company)
    end_ns = auction_of(company, log).end_ns
    assert end_ns > company.now_ns + AHEAD_NS
    company.end("x")
    company.after(2 * LOOK_NS)
    assert company["y"].house.latest_ns(0) > company.now_ns + 3 * SECOND_NS
    assert company.gaps(log) == []
    assert auction_of(company, log).end_ns == end_ns


def test_no_deadline_comes_early_for_a_takeover_that_is_dated_behind_it(company: Any) -> None:
    company, log = with_one_ahead(company)
    end_ns = auction_of(company, log).end_ns
    company.after((end_ns - company.now_ns) // LOOK_NS * LOOK_NS - 3 * SECOND_NS)
    company.end("x")
    company.after(LOOK_NS)
    now_ns, (gap,) = company.now_ns, company.gaps(log)
    dated_ns = company["y"].house.latest_ns(0)
    assert dated_ns > end_ns
    assert (gap.since_ns, gap.until_ns, gap.cause) == (now_ns, dated_ns, GapCause.STALLED)
    company.after(end_ns - company.now_ns)
    assert "closed" not in company.kinds(log)


def test_nobody_who_is_absent_has_left_early_for_a_takeover_that_is_dated_ahead(company: Any) -> None:
    company, log = with_one_ahead(company)
    company.after(2 * SECOND_NS)
    company["y"].house.presence.end_all(company.now_ns)
    company["y"].house.presence.expect(auction_of(company, log).watched, company.now_ns)
    company.after(6 * SECOND_NS)
    company.end("x")
    company.after(2 * LOOK_NS)
    assert "left" not in company.kinds(log)


def test_the_time_in_which_it_did_stand_still_ends_at_its_own_clocks_time(company: Any) -> None:
    company, log = with_one_ahead(company)
    still_ns = company.now_ns
    company.end("x")
    company.after(2 * SECOND_NS, without=["y"])
    company.after(LOOK_NS)
    (gap,) = company.gaps(log)
    assert (gap.since_ns, gap.until_ns, gap.cause) == (still_ns, company.now_ns, GapCause.STALLED)
