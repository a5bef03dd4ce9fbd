"""A key has one state on a machine: another name for the house is no second registry under it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.house_state import check_one_state, mark_state
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError
from auctionctl.keys.signing import SecretKey

HOUSE, OTHER = SecretKey(b"h" * 32).identity, SecretKey(b"o" * 32).identity


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    made = Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")
    for name in ("house", "second"):
        made.house_state(name).mkdir(parents=True)
    return made


def test_a_second_state_under_one_key_is_refused_by_name(paths: Paths) -> None:
    check_one_state(paths, "house", HOUSE)
    mark_state(paths, "house", HOUSE)
    check_one_state(paths, "house", HOUSE)
    with pytest.raises(ConfigurationError, match="this key is that of the house 'house'") as refused:
        check_one_state(paths, "second", HOUSE)
    assert "auctionctl keygen second" in refused.value.hint
    check_one_state(paths, "second", OTHER)


def test_marking_it_again_changes_nothing(paths: Paths) -> None:
    mark_state(paths, "house", HOUSE)
    path = paths.house_state("house") / "identity"
    before = path.stat()
    mark_state(paths, "house", HOUSE)
    assert path.stat().st_ino == before.st_ino
    assert (path.read_text(), before.st_mode & 0o777) == (HOUSE.text + "\n", 0o600)


def test_a_house_under_another_name_is_not_served_under_the_same_key(start_house: Any, run: Any, home: Path) -> None:
    lots = "[house]\nport = {port}\nverifiers = 1\n[[auction]]\nitem = 'X'\nstarting_price = '1EUR'\nmin_bidders = 2\n"
    house = start_house(lots)
    assert house.stdout is not None
    while not house.stdout.readline().startswith(b"serving at"):
        assert house.poll() is None
    house.terminate()
    assert house.wait(30) == 0
    second = start_house.start(start_house.home / "AUCTIONS.toml", "--name", "second")
    assert second.wait(30) == 78
    assert second.stderr is not None
    assert b"this key is that of the house 'house'" in second.stderr.read()
    assert not (start_house.home / "state/house-second").exists()
