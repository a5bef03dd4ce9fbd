"""In no window does anybody get more than the rate and the burst allow, and whoever waits as told gets the next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.rates import Rate, RateLimit

RATES = st.builds(Rate, st.integers(1, 50), st.integers(1, 10))


@given(RATES, st.lists(st.integers(0, SECOND_NS), max_size=80))
def test_no_window_holds_more_than_the_rate_and_the_burst_allow(rate: Rate, waits_ns: list[int]) -> None:
    limit, now_ns, taken = RateLimit(rate), 0, list[int]()
    for wait_ns in waits_ns:
        now_ns += wait_ns
        if not limit.take("ann", now_ns):
            taken.append(now_ns)
    for start, since_ns in enumerate(taken):
        for end in range(start, len(taken)):
            length_ns = taken[end] - since_ns
            assert end - start + 1 <= rate.burst + length_ns // rate.interval_ns


@given(RATES, st.integers(1, 60))
def test_whoever_comes_back_when_told_is_served_and_not_a_nanosecond_before(rate: Rate, count: int) -> None:
    limit, now_ns = RateLimit(rate), 0
    for _ in range(count):
        wait_ns = limit.take("ann", now_ns)
        if wait_ns:
            assert limit.take("ann", now_ns + wait_ns - 1) == 1
            now_ns += wait_ns
            assert limit.take("ann", now_ns) == 0


def test_one_key_uses_nothing_of_another() -> None:
    limit = RateLimit(Rate(1, 2))
    assert [limit.take("ann", 0) for _ in range(3)] == [0, 0, SECOND_NS]
    assert limit.take("ben", 0) == 0


def test_what_is_given_back_can_be_taken_again() -> None:
    limit = RateLimit(Rate(1, 1))
    assert limit.take("ann", 0) == 0
    limit.give_back("ann")
    assert [limit.take("ann", 0) for _ in range(2)] == [0, SECOND_NS]


def test_however_many_keys_come_no_more_are_kept_than_the_table_holds_and_the_busiest_are() -> None:
    limit = RateLimit(Rate(1, 5), max_keys=100)
    while not limit.take("busy", 0):
        pass
    for number in range(10_000):
        limit.take(number, 0)
        assert len(limit) <= 100
    assert limit.take("busy", 0) > 0
    limit.take("late", 1_000 * SECOND_NS)
    for number in range(100):
        limit.take(number, 1_000 * SECOND_NS)
    assert limit.take("busy", 1_000 * SECOND_NS) == 0, "it has its whole burst again, and was forgotten for that"


def test_whoever_has_had_more_than_it_might_waits_for_that_and_then_has_as_much_as_before() -> None:
    limit = RateLimit(Rate(10, 50))
    assert limit.wait_ns("ann", 0) == 0
    limit.use("ann", 70, 0)
    assert limit.wait_ns("ann", 0) == (70 - 49) * SECOND_NS // 10
    assert limit.wait_ns("ann", 2 * SECOND_NS) == SECOND_NS // 10
    assert limit.wait_ns("ann", 21 * SECOND_NS // 10) == limit.wait_ns("ben", 0) == 0
    limit.use("ann", 1, 10 * SECOND_NS)
    assert limit.wait_ns("ann", 10 * SECOND_NS) == 0, "what was not used in ten seconds is there again"


@given(RATES, st.lists(st.tuples(st.integers(0, SECOND_NS), st.integers(1, 30)), max_size=60))
def test_in_no_window_more_is_used_than_the_rate_and_the_burst_allow_and_one_use(
    rate: Rate, comings: list[tuple[int, int]]
) -> None:
    limit, now_ns, used = RateLimit(rate), 0, list[tuple[int, int]]()
    for wait_ns, amount in comings:
        now_ns += wait_ns
        if not limit.wait_ns("ann", now_ns):
            limit.use("ann", amount, now_ns)
            used.append((now_ns, amount))
    for start, (since_ns, _) in enumerate(used):
        for end in range(start + 1, len(used) + 1):
            before_last = sum(amount for _, amount in used[start : end - 1])
            assert before_last <= rate.burst + (used[end - 1][0] - since_ns) // rate.interval_ns


def test_a_key_with_a_rate_of_its_own_is_counted_by_that_and_keeps_what_it_used_while_that_stays() -> None:
    limit = RateLimit(Rate(1, 2), own={"ann": Rate(1, 5)})
    assert [limit.take("ann", 0) for _ in range(6)] == [0, 0, 0, 0, 0, SECOND_NS]
    assert [limit.take("ben", 0) for _ in range(3)] == [0, 0, SECOND_NS]
    limit.adjust(Rate(1, 2), {"ann": Rate(1, 5), "cleo": Rate(1, 1)})
    assert limit.take("ann", 0) == limit.take("ben", 0) == SECOND_NS, "another rate of another changes nothing"
    limit.adjust(Rate(1, 2), {"ann": Rate(1, 6)})
    assert [limit.take("ann", 0) for _ in range(7)] == [0] * 6 + [SECOND_NS]
    limit.adjust(Rate(1, 3), {"ann": Rate(1, 6)})
    assert (limit.take("ann", 0), limit.take("ben", 0)) == (SECOND_NS, 0)
    limit.adjust(Rate(1, 3), {})
    assert [limit.take("ann", 0) for _ in range(4)] == [0, 0, 0, SECOND_NS], "as all others have it"
