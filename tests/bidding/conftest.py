"""What the tests of bidders share: worlds in memory, and keys and views that are the same for all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))

from agents_world import World, key_of
from spread_world import SpreadWorld

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.strategy import AuctionView
from auctionctl.keys.signing import SecretKey


@pytest.fixture
def spread_over() -> Callable[..., SpreadWorld]:
    """A house that is reached in the places that are named."""
    return SpreadWorld


@pytest.fixture
def world_with() -> Callable[..., World]:
    """A world whose clocks differ as asked for."""
    return World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def secret_key() -> Callable[[str], SecretKey]:
    return key_of


@pytest.fixture(scope="session")
def view() -> Callable[..., AuctionView]:
    """An auction of 300 s, opened at 0, one bid of 10.00 by somebody else; with what is given changed."""

    def build(**changes: Any) -> AuctionView:
        usual: dict[str, Any] = {
            "auction": bytes(32),
            "title": "A lot",
            "currency": "EUR",
            "starting_price_minor": 1_000,
            "price_minor": 1_000,
            "minimum_minor": 1_100,
            "increment_minor": 100,
            "is_leading": False,
            "opened_at_ns": 0,
            "end_ns": 300 * SECOND_NS,
            "duration_ns": 300 * SECOND_NS,
            "active_bidders": 1,
            "bid_count": 1,
            "estimate_minor": 2_000,
        }
        return AuctionView(**usual | changes)

    return build
