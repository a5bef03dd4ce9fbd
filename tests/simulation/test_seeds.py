"""Thousands of histories, each from a seed: whatever goes wrong in them, every promise holds (DESIGN.md section 1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

SEEDS = 2_000
SOAKED = 50_000
CHUNK = 100


@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_whatever_goes_wrong_every_promise_holds(start: int, simulate: Callable[[range], None]) -> None:
    simulate(range(start, start + CHUNK))


@pytest.mark.soak
@pytest.mark.parametrize("start", range(SEEDS, SOAKED, CHUNK))
def test_whatever_goes_wrong_every_promise_holds_for_long(start: int, simulate: Callable[[range], None]) -> None:
    simulate(range(start, start + CHUNK))
