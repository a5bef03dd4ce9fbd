"""One input again: ``python tests/fuzz/replay_input.py TARGET SEED:BLOCK:NUMBER`` prints it and what comes of it."""

from __future__ import annotations

import sys
from functools import cache

from mutator import Mutator
from targets import TARGETS, Target


@cache
def mutator_of(name: str) -> Mutator:
    target = TARGETS[name]
    return Mutator(target.seeds(), is_text=target.is_text, repair=target.repair)


def judge(target: Target, data: bytes) -> str:
    """What comes of ``data``, in words."""
    try:
        target.check(data)
    except target.errors as error:
        return f"refused: {error}"
    except BaseException as error:  # noqa: BLE001 - to be shown
        return f"{type(error).__name__}: {error}"
    return "accepted"


if __name__ == "__main__":
    name, place = sys.argv[1:]
    data = mutator_of(name).find(*map(int, place.split(":")))
    print(repr(data))
    print(judge(TARGETS[name], data))
