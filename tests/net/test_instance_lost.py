"""An instance that is dead is told of until it is back; one that has ended in order is not, and says no more."""

from __future__ import annotations

from typing import Any

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.condition import INSTANCE_LOST


def test_an_instance_that_dies_is_told_of_until_it_is_back_and_one_that_ends_in_order_is_not(company: Any) -> None:
    company = company("x", "y", "z")
    warnings = company["x"].house.warnings
    company.sell("lot")
    company.after(SECOND_NS)
    assert warnings.listed() == ()
    company.end("z")
    company.after(8 * SECOND_NS)
    assert warnings.listed() == ()
    company.die("y")
    company.after(8 * SECOND_NS)
    ((code, words),) = warnings.listed()
    assert (code, words.partition(":")[0]) == (INSTANCE_LOST, "y")
    company.come("y")
    company.after(2 * SECOND_NS)
    assert warnings.listed() == ()


def test_an_instance_that_ends_in_order_after_it_was_taken_for_dead_is_not_told_of(company: Any) -> None:
    company = company("x", "y")
    company.after(SECOND_NS)
    assert company["y"].store.depose("x")
    company.end("x")
    company.after(8 * SECOND_NS)
    assert company["y"].house.warnings.listed() == ()


def test_whoever_has_given_everything_away_and_ended_gives_no_sign_of_life_any_more(company: Any) -> None:
    company = company("x", "y")
    company.after(SECOND_NS)
    company["x"].part.leave(company.now_ns)
    company["x"].part.commit((), company.now_ns + 3 * SECOND_NS)
    company["y"].store.refresh()
    assert [(sign.instance, sign.is_deposed) for sign in company["y"].store.signs()] == [("x", True), ("y", False)]
