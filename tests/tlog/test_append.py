"""What a log is to be longer by."""

from __future__ import annotations

from auctionctl.house import effects
from auctionctl.store import log_store
from auctionctl.tlog.append import Append


def test_whoever_decides_and_whoever_stores_have_one_word_for_it() -> None:
    assert effects.Append is Append is log_store.Append
    assert Append("registry", 2, (b"three",)) == ("registry", 2, (b"three",))
