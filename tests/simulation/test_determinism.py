"""A seed is one history: the same logs and the same trace, byte by byte, in this process and in any other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from world import run_seed

REPLAY = Path(__file__).parent / "replay_seed.py"
SEEDS = [str(seed) for seed in range(40)]


def digests(hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, str(REPLAY), "--digest", *SEEDS],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        timeout=120,
    )
    return done.stdout


def test_two_runs_of_a_seed_give_the_same_logs_and_the_same_trace() -> None:
    for seed in (0, 7, 11):  # The first is one with real signatures.
        once, again = run_seed(seed), run_seed(seed)
        assert once.logs == again.logs
        assert once.trace == again.trace
        assert once.tally == again.tally
        assert len(once.trace) > 10


def test_no_order_comes_from_hashes() -> None:
    first = digests("1")
    assert len(first.splitlines()) == len(SEEDS)
    assert first == digests("2")


def test_different_seeds_are_different_histories() -> None:
    assert len({repr(run_seed(seed).trace) for seed in range(1, 11)}) == 10
