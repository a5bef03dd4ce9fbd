"""The strategies are listed and shown as their own data have them, with kinds, defaults and sources."""

from __future__ import annotations

import json
from pathlib import Path

from auctionctl.bidding.strategies import SPECS
from auctionctl.cli.strategies import JSON_SCHEMA

from .conftest import Run


def test_every_strategy_is_listed_for_people_and_for_programs(run: Run) -> None:
    rows = [line.split("\t") for line in run("strategies", "ls").out.splitlines()]
    assert rows[0] == ["name", "parameters", "summary"]
    assert [row[0] for row in rows[1:]] == list(SPECS)
    told = json.loads(run("strategies", "ls", "--json").out)
    assert [each["name"] for each in told["strategies"]] == list(SPECS)
    assert {"strategies", *told["strategies"][0]} == JSON_SCHEMA[told["schema"]].keys()


def test_every_strategy_is_shown_with_its_parameters_and_its_source(run: Run) -> None:
    for name, spec in SPECS.items():
        done = run("strategies", "show", name, "--json")
        told = json.loads(done.out)
        assert told.keys() - {"schema"} == JSON_SCHEMA[told["schema"]].keys()
        assert (told["source"], told["is_builtin"]) == (spec.source, True)
        assert [(each["name"], each["default"] or "") for each in told["parameters"]] == [
            (each.name, each.default) for each in spec.parameters
        ]
    lines = run("strategies", "show", "truthful").out.splitlines()
    assert lines[0] == "name     truthful"
    assert lines[-1].split("\t")[:3] == ["value", "amount", "required"]


def test_one_in_a_file_is_shown_with_what_it_can_be_called_with(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        'class Mine:\n    """Bids little."""\n    def __init__(self, most, share="0.5"): ...\n'
        "    def decide(self, view, purse, now_ns, rng): ...\n"
    )
    told = json.loads(run("strategies", "show", f"{path}:Mine", "--json").out)
    assert (told["name"], told["summary"], told["is_builtin"]) == ("Mine", "Bids little.", False)
    assert [(each["name"], each["is_required"], each["default"]) for each in told["parameters"]] == [
        ("most", True, None),
        ("share", False, "0.5"),
    ]


def test_a_strategy_that_there_is_not_is_answered_with_those_that_there_are(run: Run) -> None:
    done = run("strategies", "show", "smrt")
    assert done.status == 2
    assert "NAME: unknown strategy 'smrt'" in done.err
    assert "market-value, aggressive" in done.err
