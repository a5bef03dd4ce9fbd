"""The next deadline is always at hand, however often deadlines move."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auctionctl.house.timers import Timers


def test_nothing_is_due_where_nothing_was_set() -> None:
    timers = Timers()
    assert timers.next_ns() is None
    assert list(timers.take_due(10**30)) == []


def test_keys_come_by_time_and_once() -> None:
    timers = Timers()
    for key, at_ns in ((b"c", 30), (b"a", 10), (b"b", 20)):
        timers.set(key, at_ns)
    assert list(timers.take_due(9)) == []
    assert list(timers.take_due(20)) == [b"a", b"b"]
    assert timers.next_ns() == 30
    assert list(timers.take_due(100)) == [b"c"]
    assert list(timers.take_due(100)) == []


def test_setting_again_moves_a_deadline_either_way() -> None:
    timers = Timers()
    timers.set(b"a", 10)
    timers.set(b"a", 20)
    assert timers.next_ns() == 20
    timers.set(b"a", 5)
    assert list(timers.take_due(7)) == [b"a"]
    assert timers.next_ns() is None


def test_a_deadline_taken_away_and_set_again_comes_once() -> None:
    timers = Timers()
    for _ in range(3):
        timers.set(b"a", 10)
        timers.set(b"a", None)
    timers.set(b"a", 10)
    assert list(timers.take_due(10)) == [b"a"]
    assert timers.next_ns() is None


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.none() | st.integers(0, 20)), max_size=60))
def test_timers_agree_with_a_plain_table(changes: list[tuple[bytes, int | None]]) -> None:
    timers, table = Timers(), dict[bytes, int]()
    for number, (key, at_ns) in enumerate(changes):
        timers.set(key, at_ns)
        table.pop(key, None)
        if at_ns is not None:
            table[key] = at_ns
        assert timers.next_ns() == min(table.values(), default=None)
        if number % 5 == 4:
            due = sorted((at, each) for each, at in table.items() if at <= 10)
            assert list(timers.take_due(10)) == [each for _, each in due]
            for _, each in due:
                del table[each]
