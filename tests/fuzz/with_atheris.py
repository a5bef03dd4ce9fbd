"""The same targets, driven by coverage: ``python tests/fuzz/with_atheris.py TARGET [libFuzzer options]``.

Where atheris installs (``pip install atheris``); nothing else needs it. A directory given as an option keeps what was
found; ``-runs=100000`` ends the run. What is accepted or refused as documented is no finding.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import atheris

with atheris.instrument_imports(include=["auctionctl"]):
    from replay_input import mutator_of
    from targets import TARGETS


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: with_atheris.py TARGET [options]; targets: {', '.join(TARGETS)}")
    name = sys.argv.pop(1)
    target, mutator = TARGETS[name], mutator_of(name)

    def one_input(data: bytes) -> None:
        with contextlib.suppress(*target.errors):
            target.check(data)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        """Half by structure, half by libFuzzer."""
        if seed % 2:
            return mutator.find(seed, 0, seed % 16)[:max_size]
        return atheris.Mutate(data, max_size)

    atheris.Setup(sys.argv, one_input, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
