"""The checks that the back ends share. What they add up to is in tests/conformance/test_log_store.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import SizeConflictError, StoreError
from auctionctl.store.log_store import ENTRY_BYTES_MAX, Append, check_appends, check_name, check_time, extent


@given(size=st.integers(0, 50), start=st.integers(0, 60), limit=st.none() | st.integers(0, 60))
def test_an_extent_covers_what_a_slice_does(size: int, start: int, limit: int | None) -> None:
    numbers = list(range(size))
    assert list(extent(size, start, limit)) == numbers[start:][:limit]


def test_a_conflict_says_log_and_both_sizes() -> None:
    with pytest.raises(SizeConflictError, match="log registry has 3 entries, not 2"):
        check_appends([Append("registry", 2, (b"x",))], lambda _log: 3)


def test_an_entry_of_exactly_the_bound_passes() -> None:
    check_appends([Append("registry", 0, (b"x" * ENTRY_BYTES_MAX,))], lambda _log: 0)
    with pytest.raises(StoreError, match="over 16384"):
        check_appends([Append("registry", 0, (b"x" * (ENTRY_BYTES_MAX + 1),))], lambda _log: 0)


def test_the_names_in_use_are_names() -> None:
    check_name("registry")
    check_name("auction/" + "0123456789abcdef" * 4)


def test_the_ends_of_time() -> None:
    check_time(0)
    check_time(2**63 - 1)
    with pytest.raises(StoreError):
        check_time(2**63)
