"""Run one seed again, and show what happened: ``python tests/simulation/replay_seed.py SEED``.

With ``--digest``, only the hash of it. A seed is the same history in the same version of everything, and in no other.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from checkers import CheckFailed
from plan import draw
from signatures import signatures_for
from world import Report, World, run_seed


def digest(report: Report) -> str:
    """The SHA-256 of all logs and of the trace of a run."""
    summed = hashlib.sha256(repr(report.trace).encode())
    for log, data in report.logs.items():
        summed.update(log + data)
    return summed.hexdigest()


def show(seed: int) -> int:
    """Print the plan and the trace; 1 if something did not hold."""
    print(draw(seed))
    with signatures_for(seed):
        world = World(draw(seed))
        try:
            world.run()
            world.check(world.exports())
        except CheckFailed as error:
            found = str(error)
        else:
            found = ""
    for at_ns, *what in world.traced:
        print(f"{at_ns / 1e9:12.6f}", *what)
    print(found or "everything held")
    return bool(found)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="+", type=int)
    parser.add_argument("--digest", action="store_true")
    arguments = parser.parse_args()
    if arguments.digest:
        for seed in arguments.seeds:
            print(seed, digest(run_seed(seed)))
        return 0
    return max(map(show, arguments.seeds))


if __name__ == "__main__":
    sys.exit(main())
