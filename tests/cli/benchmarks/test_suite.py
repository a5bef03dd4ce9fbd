"""Each benchmark has a name by which it is asked for, and every field of what comes of it is said in the manual."""

from __future__ import annotations

import pytest

from auctionctl.cli.benchmarks.fields import JSON_SCHEMA
from auctionctl.cli.benchmarks.names import Benchmark
from auctionctl.cli.benchmarks.rows import Row, at_most
from auctionctl.cli.benchmarks.suite import MEASURES, SHORT, Amounts, Result, run_benchmarks
from auctionctl.cli.benchmarks.yardstick import BareVerification
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.output import Form

from ..conftest import Run


@pytest.mark.parametrize("name", list(Benchmark))
def test_every_benchmark_can_be_run_and_is_described(name: Benchmark) -> None:
    assert name in MEASURES
    assert any(name in schema for schema in JSON_SCHEMA if schema.startswith("measured."))


def test_the_short_form_does_less_of_everything_with_as_many_gateways() -> None:
    assert SHORT.gateways == Amounts().gateways
    for field in Amounts.__dataclass_fields__.keys() - {"gateways"}:
        short, full = getattr(SHORT, field), getattr(Amounts(), field)
        assert short <= full if field in ("window",) else short < full or isinstance(short, tuple), field
    assert SHORT.but({"runs": 9}).runs == 9


def test_one_target_that_is_missed_is_said_for_all() -> None:
    result = Result(BareVerification(0.01))
    result.rows.append(("startup", Row("a", 1.0, "ms", target=at_most(2.0))))
    assert result.is_met
    result.rows.append(("startup", Row("b", 1.0, "ms")))
    assert result.is_met
    result.rows.append(("startup", Row("c", 3.0, "ms", target=at_most(2.0))))
    assert not result.is_met
    assert result.record()["is_met"] is False


def test_what_was_compared_with_nothing_says_so() -> None:
    result = run_benchmarks([Benchmark.STARTUP], SHORT.but({"starts": 1}), Form.JSON)
    assert result.record()["bare_verify_per_s"] is None
    assert [benchmark for benchmark, _ in result.rows] == ["startup", "startup"]


@pytest.mark.parametrize("words", [("throughput",), ("--profile",), ("restart", "--profile")])
@pytest.mark.parametrize("alone", ["--restart", "--simulate"])
def test_what_does_not_go_with_what_is_measured_alone_is_refused(run: Run, alone: str, words: tuple[str, ...]) -> None:
    done = run("bench", alone, *words, "--short")
    assert (done.status, done.out) == (ExitStatus.USAGE, "")
    assert f"{alone} measures one thing, without {words[-1]}" in done.err
    assert "hint: ask for one after the other" in done.err


def test_two_things_that_are_measured_alone_are_asked_for_one_after_the_other(run: Run) -> None:
    assert run("bench", "--simulate", "--restart").status == ExitStatus.USAGE


def test_people_get_a_table_and_what_was_verified(run: Run) -> None:
    out = run("bench", "startup", "--short").out.splitlines()
    assert out[0].split("\t") == ["benchmark", "what", "value", "ratio", "target", "verdict"]
    assert out[1].startswith("startup\tauctionctl --version\t")
    assert "fdatasync" in out[-2]
    assert out[-1] == "verified afterwards: 0 receipts, and 0 entries of logs, replayed"
