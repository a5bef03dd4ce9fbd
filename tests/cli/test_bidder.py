"""One bidder a key: two would spend one budget twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.client.kept_session import alone
from auctionctl.client.paths import Paths
from auctionctl.errors import StoreLockedError
from auctionctl.keys.signing import SecretKey


def test_a_second_bidder_of_a_key_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")
    alice, bob = SecretKey(b"a" * 32), SecretKey(b"b" * 32)
    with alone(paths, alice):
        with pytest.raises(StoreLockedError, match="a bidder is running under") as refused, alone(paths, alice):
            pass
        assert "--all" in refused.value.hint
        with alone(paths, bob):
            pass
    with alone(paths, alice):
        pass
