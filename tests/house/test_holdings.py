"""What a house holds: every auction once, in order, with its deadline, and whatever the batch has changed."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.rules import PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import NotFoundError
from auctionctl.house.holdings import Holdings

HOUR_NS = 3_600 * SECOND_NS


@pytest.fixture
def held(stage: Any) -> Any:
    """Holdings of three: one that waits for its bidders, one that is open, one that has ended and waits for payment."""
    stage.announce(start_timeout_ns=2 * HOUR_NS)
    stage.opened(duration_ns=HOUR_NS)
    auction = stage.opened(duration_ns=SECOND_NS, payment=PaymentRules(3 * HOUR_NS))
    stage.handle(stage.bid(1, auction, 1_000))
    stage.after(SECOND_NS)
    holdings = Holdings()
    for log in stage.house.logs:
        holdings.register(log)
    return holdings


def test_what_is_held_is_found_by_its_id_and_stands_in_order(held: Any, stage: Any) -> None:
    logs = list(stage.house.logs)
    assert list(held) == list(held.in_order) == logs
    assert [held[log.id] for log in logs] == [held.get(log.id) for log in logs] == logs
    assert held.get(b"x" * 32) is None
    with pytest.raises(NotFoundError, match="holds no auction 787878787878"):
        held[b"x" * 32]


def test_what_has_an_end_to_come_is_counted_apart_from_what_is_bid_for(held: Any) -> None:
    assert (held.live_count, held.unfinished_count) == (2, 3)
    first = next(iter(held))
    held.replace(first, None)
    assert (held.live_count, held.unfinished_count) == (1, 2)
    assert held.get(first.id) is None


def test_the_next_deadline_is_that_of_whichever_auction_is_first(held: Any) -> None:
    waiting, opened, sold = held
    assert held.next_ns() == opened.auction.end_ns
    assert held.take_due(opened.auction.end_ns - 1) == []
    assert held.take_due(opened.auction.end_ns) == [opened]
    assert held.next_ns() == waiting.auction.start_deadline_ns
    held.touch(opened)
    assert held.next_ns() == opened.auction.end_ns
    opened.auction.end_ns += 5 * HOUR_NS
    held.extended(opened)
    assert held.take_due(opened.auction.end_ns) == [waiting, sold, opened]


def test_a_batch_holds_what_was_touched_or_asked_about_each_once(held: Any) -> None:
    waiting, opened, _ = held
    held.answer(opened)
    held.touch(waiting)
    held.touch(opened)
    assert held.dirty == [opened, waiting]
    assert held.take_dirty() == [opened, waiting]
    assert held.take_dirty() == []
    held.turn(waiting)
    held.turn(waiting)
    assert held.take_turned() == [waiting]
    assert held.take_turned() == []


def test_what_was_not_written_is_replaced_in_its_place_and_has_not_turned(held: Any, stage: Any) -> None:
    waiting, opened, sold = held
    opened.followers.add(7)
    stored = stage.rebuild(opened)
    held.turn(opened)
    held.replace(opened, stored)
    assert list(held) == [waiting, stored, sold]
    assert held[opened.id] is stored
    assert stored.followers == {7}
    assert held.take_turned() == []
    assert held.next_ns() == stored.auction.end_ns


def test_an_end_that_was_not_written_has_not_come_and_one_that_was_is_told_again(held: Any, stage: Any) -> None:
    _, _, sold = held
    before = stage.rebuild(sold)
    stage.after(4 * HOUR_NS)
    held.take_ended()
    held.turn(sold)
    held.replace(sold, before)
    assert held.take_ended() == []
    after = stage.rebuild(sold)
    held.replace(before, after)
    assert held.take_ended() == [after]


def test_only_what_has_come_to_its_last_entry_is_forgotten(held: Any, stage: Any) -> None:
    _, _, sold = held
    with pytest.raises(AssertionError):
        held.forget(sold)
    stage.after(4 * HOUR_NS)
    assert sold.auction.is_final
    held.touch(sold)
    held.forget(sold)
    assert (sold in list(held), held.dirty, held.unfinished_count) == (False, [], 2)


def test_what_is_halted_has_no_deadline_and_nobody_waits_for_it(held: Any, stage: Any) -> None:
    waiting, opened, sold = held
    assert list(held.running) == list(held)
    opened.is_halted = True
    held.halted(opened.id)
    held.halted(b"u" * 32)
    assert list(held.running) == [waiting, sold]
    assert (held.live_count, held.unfinished_count) == (1, 2)
    assert held.next_ns() == waiting.auction.get_timer()
    held.replace(opened, stage.rebuild(opened))
    assert held[opened.id].is_halted
    assert held.live_count == 1
