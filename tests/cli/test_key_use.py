"""Who runs under a key, or holds a directory, is found out by the lock and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auctionctl.cli.address_file import published_address
from auctionctl.cli.key_use import Holder, check_unused, find_holder
from auctionctl.client.paths import Paths
from auctionctl.errors import StoreLockedError
from auctionctl.keys.signing import SecretKey
from auctionctl.store.state_directory import locked
from auctionctl.wire.address import HouseAddress

KEY = SecretKey(bytes(32))


def test_a_directory_is_held_as_long_as_its_lock_is(tmp_path: Path) -> None:
    assert find_holder(tmp_path) is None
    with locked(tmp_path):
        assert find_holder(tmp_path) == Holder(os.getpid())
        (tmp_path / "lock").write_text("")
        holder = find_holder(tmp_path)
        assert holder is not None
        assert holder.text == "another process"
    (tmp_path / "lock").write_text("1\n")
    assert find_holder(tmp_path) is None
    assert find_holder(tmp_path / "nowhere") is None


def test_to_look_does_not_take_the_lock_away_from_anybody(tmp_path: Path) -> None:
    with locked(tmp_path):
        find_holder(tmp_path)
        with pytest.raises(StoreLockedError), locked(tmp_path):
            pass


def test_a_house_uses_its_key_as_long_as_it_runs(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")
    with published_address(paths, "fair") as file:
        file.publish(HouseAddress(KEY.identity, "127.0.0.1", 8888))
        with pytest.raises(StoreLockedError, match="the house fair is running under the key mine"):
            check_unused(paths, "mine", KEY.identity.text)
        check_unused(paths, "other", SecretKey(bytes([1]) * 32).identity.text)
        check_unused(paths, "unknown", "")
    check_unused(paths, "mine", KEY.identity.text)
