"""How long the program takes to say its version: the least that anybody waits for any command.

Beside it the bare start of the interpreter, which nobody can do without; the two in turns.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any, Final

from auctionctl.cli.benchmarks.rows import Row, at_most
from auctionctl.cli.demo_stage import command_line
from auctionctl.cli.progress import Progress, tell_nobody

PATIENCE_S: Final = 60.0
STARTUP: Final = at_most(120.0)


def measure_startup(runs: int, *, progress: Progress = tell_nobody) -> dict[str, Any]:
    """Start it ``runs`` times; returns the figures by name."""
    program_s, interpreter_s = [], []
    for number in range(runs):
        progress(number, runs)
        program_s.append(_seconds(command_line(["--version"])))
        interpreter_s.append(_seconds([sys.executable, "-P", "-c", "pass"]))
    return {
        "runs": runs,
        "version_ms": statistics.median(program_s) * 1_000,
        "interpreter_ms": statistics.median(interpreter_s) * 1_000,
    }


def rows_of_startup(figures: dict[str, Any]) -> list[Row]:
    """Of the program, and of the interpreter alone."""
    return [
        Row("auctionctl --version", figures["version_ms"], "ms", target=STARTUP),
        Row("the interpreter alone", figures["interpreter_ms"], "ms"),
    ]


def _seconds(command: list[str]) -> float:
    started_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)  # noqa: S603 - our own interpreter
    return time.perf_counter() - started_s
