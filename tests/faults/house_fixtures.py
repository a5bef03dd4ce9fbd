"""Every house and session that a test starts ends with it, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from house_clients import HonestBidder, RawSession
from house_process import HouseInProcesses
from machine_stalls import MachineStalls


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def start_house(stack: ExitStack, tmp_path: Path) -> Callable[..., HouseInProcesses]:
    """Start a house in ``tmp_path``; called again, the same house on the same state."""

    def start(*arguments: object, **settings: object) -> HouseInProcesses:
        house = HouseInProcesses(settings.pop("directory", tmp_path), *arguments, **settings)
        stack.callback(house.close)
        return house

    return start


@pytest.fixture
def bidder_of(stack: ExitStack) -> Callable[..., HonestBidder]:
    """Open a session of a name at a house."""

    def connect(name: str, house: HouseInProcesses, role: str = "bidder") -> HonestBidder:
        bidder = HonestBidder(name, house.address, role)
        stack.callback(bidder.close)
        return bidder

    return connect


@pytest.fixture
def raw_session_of(stack: ExitStack) -> Callable[..., RawSession]:
    """Open a socket under the key of a name at a house."""

    def connect(name: str, house: HouseInProcesses, **options: bytes) -> RawSession:
        session = RawSession(name, house.address, **options)
        stack.callback(session.close)
        return session

    return connect


@pytest.fixture
def machine_stalls(tmp_path: Path) -> Iterator[MachineStalls]:
    """How long the machine stands still in a test, at the most."""
    with MachineStalls(tmp_path) as stalls:
        yield stalls
