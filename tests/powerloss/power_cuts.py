"""Power cuts by the thousand: each state of a recording is opened and checked, counted, and named if it fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from crash_states import CrashState
from loss_checkers import Laboratory, LostError, TornError

from auctionctl.store.sqlite import SqliteStore

ONE_STATE = "AUCTIONCTL_POWER_CUT"
"""Set to ``SEED:STATE``, everything but that state is left out."""
FAILURES_SHOWN = 5

Check = Callable[[SqliteStore, Path, CrashState], None]


@dataclass(slots=True)
class Tally:
    """What all power cuts of a run came to."""

    states: int = 0
    house_states: int = 0
    lost: int = 0
    torn: int = 0

    def __str__(self) -> str:
        return (
            f"power loss: {self.states:,} states ({self.house_states:,} of whole houses), {self.lost:,} lost,"
            f" {self.torn:,} torn groups"
        )


@dataclass(slots=True)
class Outcome:
    """What the power cuts of one recording came to. ``failures`` name the states that did not hold."""

    seed: int
    states: int = 0
    lost: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)

    def require_nothing_lost(self) -> None:
        failures = self.lost + self.torn
        assert not failures, "\n".join(
            [f"{len(failures)} of {self.states} states of seed {self.seed} do not hold:", *failures[:FAILURES_SHOWN]]
        )


def wanted(seed: int) -> tuple[bool, int | None]:
    """Whether anything of this seed is asked for, and the number of the one state that is, or None for all."""
    only = os.environ.get(ONE_STATE)
    if only is None:
        return True, None
    seed_text, _, number = only.partition(":")
    return int(seed_text) == seed, int(number)


def cut_power(laboratory: Laboratory, seed: int, states: Iterable[CrashState], check: Check) -> Outcome:
    """Check every one of ``states``."""
    outcome = Outcome(seed)
    for state in states:
        outcome.states += 1
        named = (
            f"seed {seed}, state {state.number} (behind {state.done} operations, {state.mode.value});"
            f" again with {ONE_STATE}={seed}:{state.number}"
        )
        try:
            laboratory.check(state, lambda store, directory, state=state: check(store, directory, state))
        except LostError as error:
            outcome.lost.append(f"{named}: {error}")
        except TornError as error:
            outcome.torn.append(f"{named}: {error}")
    return outcome
