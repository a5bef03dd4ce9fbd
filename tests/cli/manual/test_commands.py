"""A command's page says what the command itself says, all of it; what is missing is seen to be missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

import auctionctl
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.manual import commands
from auctionctl.cli.manual.commands import Entry, command_pages, program, sentence, walk, writes_json
from auctionctl.cli.manual.roff import Page, render
from auctionctl.cli.manual.surroundings import ALL, FILES, PLACES, VARIABLES
from auctionctl.cli.options import KeyOption
from auctionctl.client.paths import find_paths

ENTRIES = list(walk(program()))
PAGES = {page.name: page for page in command_pages(program())}
FIRST_WORDS_TO_COME = {"init"}


def text_of(page: Page) -> str:
    return re.sub(r"\\f[BIR]", "", render(page)).replace("\\-", "-").replace("\\(aq", "'").replace("\\(dq", '"')


def page_of(app: typer.Typer, name: str) -> str:
    (page,) = [page for page in command_pages(typer.main.get_command(app)) if page.name == name]
    return text_of(page)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.page_name)
def test_every_command_has_a_page_with_every_option_and_argument(entry: Entry) -> None:
    text = text_of(PAGES[entry.page_name])
    for param in entry.command.params:
        for name in param.opts if isinstance(param, typer.core.TyperOption) else ():
            assert name in text
        if param.help and "`" not in param.help:
            assert text_of(Page("x", 1, param.help, ())).splitlines()[4].removeprefix("x - ") in text
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "ENVIRONMENT", "EXAMPLES"):
        assert re.search(rf'^\.SH "?{heading}"?$', text, re.MULTILINE)


def test_a_page_gives_every_exit_status_with_its_meaning() -> None:
    lines = text_of(PAGES["auctionctl-bid"]).splitlines()
    assert [status for status in ExitStatus if str(status.value) not in lines] == []


def test_the_page_of_the_program_lists_every_command() -> None:
    text = text_of(PAGES["auctionctl"])
    first = [entry for entry in ENTRIES if len(entry.words) == 1]
    assert [entry.page_name for entry in first if f"{entry.page_name}(1)" not in text] == []


def made(help_text: str = "Sell it.", epilog: str | None = None) -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None, add_completion=False)

    @app.callback()
    def root() -> None:
        """All."""

    @app.command(help=help_text, epilog=epilog)
    def sell(
        *,
        lots: Annotated[list[str], typer.Argument(help="What to sell.")],
        place: Annotated[str | None, typer.Argument(metavar="[PLACE]", help="Where.")] = None,
        at: Annotated[int, typer.Option("--at", "-a", min=1, max=9, help="When.", envvar="AT")] = 3,
        note: Annotated[list[str] | None, typer.Option(help="Why.")] = None,
        is_quiet: Annotated[bool, typer.Option("--quiet/--loud")] = False,
        key: KeyOption = None,
        house: Annotated[str, typer.Option(help="Whose.")] = "",
        to: Annotated[str | None, typer.Option(metavar="[HOST:]PORT", help="Where to.")] = None,
    ) -> None:
        pass

    @app.command(hidden=True)
    def secret() -> None:
        """Nobody is to know."""

    return app


def test_what_is_required_repeated_bounded_or_has_a_default_or_a_variable_is_said() -> None:
    text = page_of(made(), "auctionctl-sell")
    assert "auctionctl sell [OPTION]... LOTS... [PLACE]" in text
    assert ".TP\n-a, --at N\nWhen. From 1 to 9. Default: 3. Variable: AT." in text
    assert ".TP\n--note NOTE\nWhy. May be given several times." in text
    assert ".TP\n--quiet, --loud\n" in text
    assert "one 'default'. Variable: AUCTIONCTL_KEY." in text
    assert ".TP\n--house HOUSE\nWhose.\n" in text  # it only shares its name with the option of other commands
    assert "AUCTIONCTL_HOUSE" not in text


def test_brackets_within_what_stands_for_a_value_stay() -> None:
    text = page_of(made(), "auctionctl-sell")
    assert ".TP\n--to [HOST:]PORT\nWhere to.\n" in text
    assert ".TP\nPLACE\nWhere.\n" in text


def test_a_hidden_command_has_no_page() -> None:
    assert [page.name for page in command_pages(typer.main.get_command(made()))] == ["auctionctl", "auctionctl-sell"]


def test_examples_are_taken_from_the_epilog_a_line_each() -> None:
    assert "$ a one\n$ b two" in page_of(made(epilog="Examples: a one\n\nb two"), "auctionctl-sell")
    assert "EXAMPLES" not in page_of(made(), "auctionctl-sell")


def test_help_whose_backquotes_do_not_pair_is_shown_without_them() -> None:
    assert sentence("a `b` c\nd") == "a `b` c d"
    assert sentence("it`s") == "its"


def test_json_is_described_by_the_module_of_the_command_or_is_seen_not_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = next(entry for entry in ENTRIES if entry.words == ("watch",))
    from auctionctl.cli import watch

    monkeypatch.delitem(commands.FIELDS, "watch")
    for said, expected in (
        ({}, commands.NOT_DESCRIBED),
        ({"auctionctl.watch/1": {"index": "Where."}}, "\\&index\tT{\nWhere.\nT}"),
        ({"auctionctl.other/1": {"kind": "What."}}, "\\&kind\tT{\nWhat.\nT}"),
        ({"auctionctl.ls/1": {"kind": "What."}}, commands.NOT_DESCRIBED),
    ):
        monkeypatch.setattr(watch, "JSON_SCHEMA", said, raising=False)
        (page,) = [page for page in command_pages(program()) if page.name == entry.page_name]
        assert expected in text_of(page)
    assert writes_json(entry)


def test_every_variable_that_the_program_reads_is_in_the_manual_and_no_other() -> None:
    sources = Path(auctionctl.__file__).parent.rglob("*.py")
    read = {
        name
        for path in sources
        if path.parent.name != "manual"
        for name in re.findall(r"(?<!_)AUCTIONCTL_[A-Z_]*[A-Z]", path.read_text())
    }
    assert {variable.name for variable in VARIABLES} == read, "see auctionctl/cli/manual/surroundings.py"


def test_files_and_variables_belong_to_commands_and_options_that_there_are() -> None:
    words = {entry.words[0] for entry in ENTRIES if entry.words} | FIRST_WORDS_TO_COME
    assert {word for file in FILES for word in file.belongs_to} <= words
    options: set[str] = {name for entry in ENTRIES for param in entry.command.params for name in param.opts} | {ALL}
    assert {variable.belongs_to for variable in VARIABLES} <= options


@pytest.mark.skipif("sys.platform != 'linux'", reason="the manual gives the places of Linux")
def test_files_are_where_the_manual_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = find_paths({"XDG_RUNTIME_DIR": str(tmp_path)})
    said: Any = [str(place).replace("~", str(tmp_path)) for place in (PLACES.config, PLACES.state, PLACES.run)]
    said[2] = said[2].replace("$XDG_RUNTIME_DIR", str(tmp_path))
    assert [str(found.config), str(found.state), str(found.run)] == said
