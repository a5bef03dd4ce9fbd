"""A log that whoever announced it had no time to give to anybody stands still since that one was there last."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.replica.registry import REGISTRY


@pytest.mark.parametrize("others", [("y", "z"), ("z", "y")])
def test_a_log_that_was_announced_by_one_that_died_before_it_gave_it_loses_no_time(
    company: Any, others: tuple[str, str]
) -> None:
    for number in range(4):  # Whoever takes the registry, be it first or second, is not always chosen for the log.
        them = company("x", *others)
        log = them.sell(f"lot-{number}")
        announced_ns = them.now_ns
        them.die("x")
        them.after(8 * SECOND_NS)
        assert [gap.since_ns for gap in them.gaps(log)] == [announced_ns], number


def without_giving(company: Any, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """These have no time to give what they announce, nor to claim it."""
    for name in names:
        monkeypatch.setattr(company[name].part, "_give_new", lambda _now_ns: None)


@pytest.mark.parametrize("others", [("y", "z", "w"), ("w", "z", "y")])
def test_a_log_that_was_announced_behind_a_takeover_stands_still_since_its_announcer_died_and_no_longer(
    company: Any, monkeypatch: pytest.MonkeyPatch, others: tuple[str, ...]
) -> None:
    company = company("x", *others)
    company.die("x")
    del company.instances["x"]
    company.after(8 * SECOND_NS)
    (first,) = (name for name, each in company.instances.items() if each.part.announces())
    without_giving(company, monkeypatch, first)
    # Whoever takes the registry, be it first or second, is not always chosen for the log.
    logs = [company.sell(f"lot-{number}") for number in range(4)]
    company.after(5 * SECOND_NS)
    dead_ns = company.now_ns
    company.die(first)
    company.after(8 * SECOND_NS)
    for log in logs:
        assert company.kinds(log)[:3] == ["terms", "takeover", "gap"]
        assert dead_ns - SECOND_NS <= company.gaps(log)[0].since_ns <= dead_ns


def test_a_log_whose_announcer_died_stands_still_since_then_however_often_the_registry_is_taken_over_behind_it(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = company("x", "y", "z", "w")
    others = ["y", "z", "w"]
    without_giving(company, monkeypatch, "x")
    log = company.sell()
    company.after(2 * SECOND_NS)
    dead_ns = company.now_ns
    company.die("x")
    with monkeypatch.context() as held_up:
        # The registry changes hands twice, and nobody comes to claim the log.
        for name in others:
            part = company[name].part
            claim = part._claim
            only = lambda holder, logs, now_ns, claim=claim: claim(  # noqa: E731
                holder, [each for each in logs if each == REGISTRY], now_ns
            )
            held_up.setattr(part, "_claim", only)
        for _ in range(2):
            company.after(8 * SECOND_NS)
            (first,) = (name for name in others if company[name].part.announces())
            others.remove(first)
            company.die(first)
    company.after(8 * SECOND_NS)
    assert company.kinds(log)[-2:] == ["takeover", "gap"]
    assert dead_ns - SECOND_NS <= company.gaps(log)[0].since_ns <= dead_ns
