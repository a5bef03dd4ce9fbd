"""A process that dies young again and again comes back ever more slowly, and one that has lived at once."""

from __future__ import annotations

from auctionctl.net.backoff import LONGEST_BACKOFF_S, QUICK_DEATH_S, Backoff


def test_the_first_death_costs_nothing_and_each_quick_one_after_it_twice_the_wait_up_to_the_longest():
    backoff = Backoff()
    waits_s = [backoff.died(0.1) for _ in range(8)]
    assert waits_s == [0.0, 0.4, 0.8, 1.6, 3.2, LONGEST_BACKOFF_S, LONGEST_BACKOFF_S, LONGEST_BACKOFF_S]
    assert backoff.quick_deaths == 8


def test_whoever_has_lived_for_a_while_is_back_at_once_and_the_count_begins_anew():
    backoff = Backoff()
    for _ in range(5):
        backoff.died(QUICK_DEATH_S - 0.1)
    assert (backoff.died(QUICK_DEATH_S), backoff.quick_deaths) == (0.0, 0)
    assert (backoff.died(0.0), backoff.quick_deaths) == (0.0, 1)


def test_a_process_that_dies_for_hours_is_still_started_again():
    backoff = Backoff()
    assert {backoff.died(0.0) for _ in range(2_000)} >= {LONGEST_BACKOFF_S}
