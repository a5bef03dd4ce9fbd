"""What sellers write is shown harmlessly by every command that reads: a house full of it, and all of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pytest

from auctionctl.cli.command_table import COMMANDS

LISTINGS: Final = ("markup", "escapes", "bidi", "w" * 64)
MARKUP: Final = "[/red][bold]markup[/bold] [link=http://x]y[/link]"

READING: Final = {
    "ls": ("ls",),
    "show": ("show", "ID"),
    "result": ("result", "ID"),
    "events": ("events", "ID"),
    "export": ("export", "ID", "-o", "-"),
    "pay": ("pay", "ID", "--reference", "x"),
}
"""Commands that end by themselves, of those that there are; for ``watch``, ``bid``, ``verify``, ``serve`` see below."""

NOT_READING: Final = (
    {"init", "open", "demo", "keygen", "key", "allow", "context", "bidders", "config", "doctor", "completion", "bench"}
    # Of an auction these name the listing, which is a name, and show the words of whoever gives them.
    | {"pause", "resume", "cancel", "pay", "settle", "reject-payment", "offer", "accept", "decline", "status"}
) | {
    *("watch", "bid", "verify", "serve", "backup", "restore", "evidence", "report", "simulate", "replay", "strategies"),
    *("top", "peers", "wallet"),
}
"""Commands that show nothing of a seller's own words, or that have a test of their own here."""

PAGE_ELEMENTS: Final = frozenset(
    {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section", "strong", "dl", "dt", "dd", "div"}
    | {"table", "thead", "tbody", "tr", "th", "td", "pre", "code"}
)
STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")
PROGRESS: Final = re.compile(
    r"\x1b\[\?25l(?:\r\x1b\[2Kreading the (?:log|registry) [━╸╺]+ \d+/(?:\d+|\?))+\r\n\x1b\[\?25h\r\x1b\[1A\x1b\[2K"
)
"""A bar of our own words and numbers alone, which stands there while something takes longer, and is taken away."""
SCREEN: Final = re.compile(r"\x1b\[(?:\?1049[hl]|\?25[hl]|[0-9;]*[HJKABCD])")


def check_harmless(text: str) -> None:
    """``text`` moves no cursor, turns no direction of writing, hides nothing, and has no line beyond all measure."""
    for character in text:
        assert character in "\n\t\r" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn"), (
            f"{character!a} in {text!a}"
        )
    assert "Traceback" not in text
    assert "owned\x07" not in text


def test_every_command_that_reads_is_tried_here() -> None:
    """A new command belongs into READING, or, if it shows nothing that sellers wrote, into NOT_READING."""
    assert set(COMMANDS) - set(READING) <= NOT_READING


def first_lines(process: Any, count: int) -> list[str]:
    """What ``process`` writes first; then it is ended."""
    try:
        return [process.stdout.readline().decode() for _ in range(count)]
    finally:
        process.kill()
        process.communicate()


def cases() -> list[tuple[str, ...]]:
    return [
        tuple(listing if word == "ID" else word for word in words)
        for command, words in READING.items()
        if command in COMMANDS
        for listing in (LISTINGS if "ID" in words else ("",))
    ]


@pytest.fixture(scope="module")
def status_of_benign(house: Any) -> Callable[..., int]:
    """How such a command ends for a lot whose seller means no harm; each is run once."""

    @cache
    def run(*words: str) -> int:
        status: int = house.run(*words).status
        return status

    return run


@pytest.mark.parametrize("arguments", cases(), ids=lambda words: " ".join(words)[:30])
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["plain", "json"])
def test_in_a_pipe(
    house: Any, status_of_benign: Callable[..., int], arguments: tuple[str, ...], form: tuple[str, ...]
) -> None:
    words = list(arguments)
    if "-o" in words and form:
        pytest.skip("a file has one form")
    done = house.run(*words, *form, "--key", "alice")
    benign = ["gold-watch-1962" if word in LISTINGS else word for word in words]
    assert done.status == status_of_benign(*benign, *form, "--key", "alice"), done.err
    assert done.out
    assert "\r" not in done.out + done.err
    check_harmless(done.out + done.err)
    if form:
        assert done.out.isascii()


@pytest.mark.parametrize("arguments", cases(), ids=lambda words: " ".join(words)[:30])
def test_on_a_terminal(terminal: Any, arguments: tuple[str, ...]) -> None:
    shown = terminal(*arguments, "--key", "alice", columns=200, lines=60)
    shown.end()
    assert shown.written
    check_harmless(PROGRESS.sub("", STYLE.sub("", shown.written)))


def test_a_list_shows_markup_as_it_was_written(house: Any, terminal: Any) -> None:
    assert MARKUP in house.run("ls", "--key", "alice").out
    shown = terminal("ls", "--key", "alice", columns=250)
    shown.end()
    assert MARKUP in STYLE.sub("", shown.written)


def test_on_the_board(terminal: Any) -> None:
    board = terminal("watch", "--key", "alice", columns=160)
    text = board.wait_for(lambda text: text.count("waits ") == 5)
    assert MARKUP[:40] in text
    assert "gnp.exe bidi" in text
    board.child.sendintr()
    assert board.end() == 130
    check_harmless(SCREEN.sub("", STYLE.sub("", board.written)).replace("^C", ""))


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["plain", "json"])
def test_watched_in_a_pipe(house: Any, form: tuple[str, ...]) -> None:
    process = house.start("watch", "--key", "alice", *form)
    lines = first_lines(process, 5)
    for line in lines:
        assert line.endswith("\n")
        check_harmless(line)


def test_by_the_house_that_serves_it(house: Any) -> None:
    assert len(house.lines) >= 6
    for line in house.lines:
        check_harmless(line)


@pytest.mark.parametrize("listing", LISTINGS)
def test_verified(house: Any, listing: str, tmp_path: Path) -> None:
    path = tmp_path / "x.auction"
    assert house.run("export", listing, "-o", path, "--key", "alice").status == 0
    for form in ((), ("--json",)):
        done = house.run("verify", path, *form)
        assert done.status == 0, done.err
        check_harmless(done.out + done.err)


@pytest.mark.parametrize("listing", LISTINGS[:3])
def test_reported(house: Any, listing: str) -> None:
    """The page is text too: what a terminal would obey is not in it, and what a browser would is escaped."""
    done = house.run("report", listing, "-o", "-", "--key", "alice")
    assert done.status == 0, done.err
    check_harmless(done.out + done.err)
    assert {each.tag for each in ElementTree.fromstring(done.out).iter()} <= PAGE_ELEMENTS
    if listing == "markup":
        assert f"<h1>{MARKUP}</h1>" in done.out


@pytest.mark.parametrize("listing", LISTINGS[:3])
@pytest.mark.parametrize(("key", "form"), [("alice", ()), ("bob", ("--json",))], ids=["plain", "json"])
def test_bid_for(house: Any, listing: str, key: str, form: tuple[str, ...]) -> None:
    """The bidder joins, and then waits for others: its first words name the lot."""
    budget = "5credits" if listing == "markup" else "5EUR"
    words = ("bid", listing, "--strategy", "smart", "--budget", budget, "--key", key, *form)
    for line in first_lines(house.start(*words), 1):
        assert listing in line
        check_harmless(line)


def test_named_where_nothing_fits(house: Any) -> None:
    done = house.run("watch", "\x1b[31m\u202ex", "--key", "alice")
    assert done.status == 3
    check_harmless(done.err)
