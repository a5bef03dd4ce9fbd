"""How long anybody waits for the program is measured beside the interpreter alone."""

from __future__ import annotations

from auctionctl.cli.benchmarks.fields import JSON_SCHEMA
from auctionctl.cli.benchmarks.startup import measure_startup, rows_of_startup


def test_the_program_takes_longer_than_the_interpreter_alone() -> None:
    figures = measure_startup(2)
    assert set(figures) == set(JSON_SCHEMA["measured.startup"])
    assert 0 < figures["interpreter_ms"] < figures["version_ms"]
    program, interpreter = rows_of_startup(figures)
    assert (program.target is None, interpreter.target is None) == (False, True)
