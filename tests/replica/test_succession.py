"""A holder's keys form one chain: it grows at its end, and neither forks nor closes."""

from __future__ import annotations

import pytest

from auctionctl.replica.succession import Successions

A, B, C, D = (name * 32 for name in (b"a", b"b", b"c", b"d"))


def test_a_chain_tells_all_keys_of_a_holder_the_former_ones_and_the_newest() -> None:
    keys = Successions()
    assert (keys.keys_of(A), keys.former(A), keys.newest(A)) == ((A,), (), A)
    keys.add(A, B)
    keys.add(B, C)
    for key, former in ((A, []), (B, [A]), (C, [A, B])):
        assert (list(keys.keys_of(key)), list(keys.former(key)), keys.newest(key)) == ([A, B, C], former, C)
    assert [list(keys.later(key)) for key in (A, B, C, D)] == [[B, C], [C], [], []]
    assert list(keys.keys_of(D)) == [D]


@pytest.mark.parametrize(("old", "new"), [(A, C), (A, D), (B, A), (B, B), (D, B), (D, A)])
def test_no_chain_forks_or_closes(old: bytes, new: bytes) -> None:
    keys = Successions()
    keys.add(A, B)
    with pytest.raises(AssertionError):
        keys.add(old, new)
