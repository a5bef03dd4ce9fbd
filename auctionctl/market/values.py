"""What lots are worth to bidders: drawn from distributions that are stated, or taken from a record.

Rule: a value is an integer in minor units, at least 0; chance comes from a generator that is handed in. Private values
are independent; affiliated ones share a part that is drawn once a lot (Milgrom and Weber, A Theory of Auctions and
Competitive Bidding, 1982).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from auctionctl.auction.price import MAX_MINOR


class Values(Protocol):
    """What one lot is worth to each of so many bidders."""

    def draw(self, rng: random.Random, auction: int, bidders: int) -> Sequence[int]:
        """Minor units, a bidder each; ``auction`` counts from 0."""
        ...


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every amount from ``low_minor`` to ``high_minor``, both included, is as likely as any other."""

    low_minor: int
    high_minor: int

    def draw(self, rng: random.Random, auction: int, bidders: int) -> Sequence[int]:  # noqa: ARG002
        """Independent private values."""
        low_minor, count = self.low_minor, self.high_minor - self.low_minor + 1
        return [low_minor + rng.randrange(count) for _ in range(bidders)]


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Half of the values are below ``median_minor``; the logarithm is normal, with ``sigma`` as its deviation."""

    median_minor: int
    sigma: float

    def draw(self, rng: random.Random, auction: int, bidders: int) -> Sequence[int]:  # noqa: ARG002
        """Independent private values, rounded to a minor unit."""
        return [min(MAX_MINOR, round(self.median_minor * rng.lognormvariate(0.0, self.sigma))) for _ in range(bidders)]


@dataclass(frozen=True, slots=True)
class Affiliated:
    """A part that the lot has for everybody, drawn once, and a part of each bidder's own."""

    common: Uniform
    private: Uniform

    def draw(self, rng: random.Random, auction: int, bidders: int) -> Sequence[int]:
        """Values that are high together."""
        (common_minor,) = self.common.draw(rng, auction, 1)
        return [common_minor + minor for minor in self.private.draw(rng, auction, bidders)]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Row n is of auction n, and again of auction n + the number of rows; a row has a value for every bidder."""

    rows: tuple[tuple[int, ...], ...]

    def draw(self, rng: random.Random, auction: int, bidders: int) -> Sequence[int]:  # noqa: ARG002
        """The next row."""
        row = self.rows[auction % len(self.rows)]
        assert len(row) == bidders
        return row
