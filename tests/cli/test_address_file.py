"""The address of a house is there while the house serves, and an address without a house is no address."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auctionctl.cli.address_file import published_address, running_houses
from auctionctl.client.paths import Paths, find_paths
from auctionctl.errors import ConfigurationError
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.address import HouseAddress

ADDRESS = HouseAddress(SecretKey(bytes(32)).identity, "localhost", 1)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths({"AUCTIONCTL_HOME": str(tmp_path)})


def test_the_address_is_published_while_the_house_serves_and_no_longer(paths: Paths) -> None:
    path = paths.address_file("house")
    with published_address(paths, "house") as file:
        assert running_houses(paths) == []
        file.publish(ADDRESS)
        assert path.read_text() == ADDRESS.text + "\n"
        assert path.stat().st_mode & 0o777 == 0o600
        assert running_houses(paths) == [path]
    assert list(paths.run.iterdir()) == []


def test_the_address_goes_however_the_house_ends(paths: Paths) -> None:
    def end_badly() -> None:
        with published_address(paths, "house") as file:
            file.publish(ADDRESS)
            raise SystemExit(143)

    with pytest.raises(SystemExit):
        end_badly()
    assert list(paths.run.iterdir()) == []


def test_a_house_that_was_killed_leaves_an_address_that_is_replaced(paths: Paths) -> None:
    path = paths.address_file("house")
    child = os.fork()
    if not child:
        with published_address(paths, "house") as file:
            file.publish(HouseAddress(ADDRESS.identity, "localhost", 9))
            os._exit(0)  # as a kill would: nothing on the way out is run
    os.waitpid(child, 0)
    assert path.exists()
    assert running_houses(paths) == []
    with published_address(paths, "house") as file:
        file.publish(ADDRESS)
        assert path.read_text() == ADDRESS.text + "\n"
        assert running_houses(paths) == [path]


def test_the_address_of_a_successor_is_left_alone(paths: Paths) -> None:
    with published_address(paths, "house") as first, published_address(paths, "house") as second:
        first.publish(ADDRESS)
        second.publish(ADDRESS)
        first.withdraw()
        assert running_houses(paths) == [paths.address_file("house")]


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(paths: Paths) -> None:
    paths.address_file("house").mkdir(parents=True)
    with published_address(paths, "house") as file, pytest.raises(ConfigurationError, match=r"house\.address"):
        file.publish(ADDRESS)
    assert [path.name for path in paths.run.iterdir()] == ["house.address"]
