"""Options that every command shares: before its name or after it, and the later one wins."""

from __future__ import annotations

import inspect
import json
from typing import Annotated, Any

import pytest
import typer

from auctionctl.cli.options import GLOBALS, AtHouse, with_house
from auctionctl.cli.output import Form


@pytest.mark.parametrize(
    "arguments",
    [
        ("--json", "allow", "ls"),
        ("allow", "ls", "--json"),
        ("-o", "json", "allow", "ls"),
        ("--output=json", "allow", "ls"),
        ("allow", "ls", "-o", "json"),
        ("-o", "jsonl", "allow", "ls", "-o", "json"),
    ],
)
def test_a_form_is_asked_for_before_or_after_the_command(run: Any, arguments: tuple[str, ...]) -> None:
    assert json.loads(run(*arguments).out) == {"schema": "auctionctl.allow-ls/1", "entries": []}


def test_a_house_is_named_before_or_after_the_command(run: Any) -> None:
    for arguments in (
        ("--house", "nowhere", "ls"),
        ("ls", "--house", "nowhere"),
        ("--house", "x", "ls", "--house", "y"),
    ):
        done = run(*arguments)
        assert done.status == 2
        assert "--house" in done.err
    assert "'y'" in done.err or "y" in done.err.split("--house")[1]


def test_two_forms_at_once_are_refused(run: Any) -> None:
    done = run("allow", "ls", "--json", "-o", "table")
    assert done.status == 2
    assert json.loads(done.err)["error"]["message"] == "--json and --output table ask for two forms"
    assert run("allow", "ls", "--json", "-o", "json").status == 0


def test_errors_take_the_form_of_results(run: Any) -> None:
    for arguments in (("ls", "-o", "jsonl"), ("-o", "json", "ls"), ("ls", "--output=json")):
        done = run(*arguments)
        assert done.status == 78
        assert set(json.loads(done.err)["error"]) == {"code", "message", "hint"}
    assert run("ls", "-o", "table").err.startswith("auctionctl: ")


def test_a_command_that_has_such_an_option_itself_keeps_its_own() -> None:
    @with_house
    def command(at: AtHouse, output: Annotated[str, typer.Option("-o")] = "f") -> int:
        assert at.form in Form
        return len(output)

    parameters = inspect.signature(command).parameters
    assert parameters["output"].default == "f"
    assert set(parameters) == set(GLOBALS)
    assert command(output="abc", house=None, key=None, context=None, passphrase_file=None, as_json=True) == 3
