"""Evidence is found wherever it is kept on this machine, judged anew, and shown without believing its names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.cases import JSON_SCHEMA

from .conftest import Run

CASE = "20260101T000000.000000007Z-sequence_conflict-6161616161616161-230d8358dc8e8890"


def put(directory: Path, name: str, **files: bytes) -> Path:
    case = directory / name
    case.mkdir(parents=True)
    for file, data in files.items():
        (case / file.replace("_", ".")).write_bytes(data)
    return case


@pytest.fixture
def conflict(home: Path, stage: Any) -> Path:
    """In the state of a house called fair: ann has signed two bids under one number."""
    stage.enter(1, "ann")
    first, second = (stage.bid(1, b"a" * 32, minor, seq=5) for minor in (1_000, 1_001))
    return put(
        home / "state" / "house-fair" / "evidence",
        CASE,
        refused_bid=first.signature + first.body,
        accepted_bid=second.signature + second.body,
    )


def test_cases_of_houses_and_of_people_are_listed_together(run: Run, home: Path, conflict: Path) -> None:
    put(home / "state" / "evidence", "20250101T000000.000000000Z-history", before_note=b"x", now_note=b"y")
    done = run("evidence", "ls")
    assert done.status == 0
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert [line[:3] for line in lines] == [
        ["case", "against", "proven"],
        ["20250101T000000.000000000Z-history", "-", "no"],
        [CASE, "bidder", "yes"],
    ]


def test_a_case_is_shown_with_what_it_proves_and_exit_status_zero(run: Run, conflict: Path) -> None:
    done = run("evidence", "show", CASE[:8])
    assert done.status == 0
    assert "the bidder signed two different bids under seq 5" in done.out
    assert str(conflict) in done.out
    document = json.loads(run("evidence", "show", CASE, "--json").out)
    assert (document["proven"], document["against"], document["files"]) == (
        True,
        "bidder",
        ["accepted.bid", "refused.bid"],
    )


def test_the_fields_are_those_that_the_manual_names(run: Run, conflict: Path) -> None:
    shown = json.loads(run("evidence", "show", CASE, "--json").out)
    assert set(shown) - {"schema"} == set(JSON_SCHEMA[shown["schema"]])
    listed = json.loads(run("evidence", "ls", "--json").out)
    (record,) = listed["cases"]
    assert {*record, "cases"} == set(JSON_SCHEMA[listed["schema"]])
    (line,) = run("evidence", "ls", "--output", "jsonl").out.splitlines()
    assert json.loads(line)["case"] == CASE


def test_a_damaged_case_says_so_and_has_the_status_of_what_does_not_verify(run: Run, conflict: Path) -> None:
    (conflict / "refused.bid").write_bytes(b"\x1b[31m" + bytes(80))
    done = run("evidence", "show", CASE)
    assert done.status == 7
    assert "prove nothing" in done.out
    assert "\x1b" not in done.out


@pytest.mark.parametrize("name", ["", "nothing", "../state", "/etc", "\x1b[31m"])
def test_no_case_of_that_name_is_looked_for_outside(run: Run, conflict: Path, name: str) -> None:
    done = run("evidence", "show", name)
    assert done.status == 3
    assert "\x1b" not in done.err


def test_names_and_contents_that_somebody_planted_move_nothing(run: Run, home: Path) -> None:
    directory = home / "state" / "evidence"
    put(directory, "\x1b[2J\u202eZ-history", before_note=b"\xff" * 100, now_note=b"\n\n")
    (directory / "a-file").write_bytes(b"x")
    (directory / "dangling").symlink_to("/nowhere")
    for form in ("plain", "json", "jsonl", "table"):
        done = run("evidence", "ls", "--output", form)
        assert done.status == 0
        assert not {"\x1b", "\u202e"} & set(done.out)


def test_without_a_case_people_are_told_and_programs_get_an_empty_list(run: Run) -> None:
    done = run("evidence", "ls")
    assert (done.status, done.err) == (0, "there is no evidence against anybody here\n")
    assert json.loads(run("evidence", "ls", "--json").out)["cases"] == []
