"""A manual page as data, and its text in roff with the man(7) macros.

Rule: nothing that stands in a page can become a request, an escape or a macro's argument, and the same page gives the
same ASCII bytes in every run: there is no date in it. Source: groff_man(7), tbl(1), mandoc's man(7).

A page is written like this::

    def page() -> Page:
        return Page(
            name="auctionctl-log",
            section=5,
            title="the log of an auction",
            parts=(
                Heading("Description"),
                Paragraph("What `auctionctl export -o ‹FILE›` writes. A line begins with `auctionctl-log/1`."),
                Definitions((("`terms`", "The lot and its rules."), ("`bid`", "An offer, in its bidder's words."))),
                Subheading("Example"),
                Code("$ auctionctl verify watch.auction\\nverified"),
                Table(("kind", "signed by"), (("`bid`", "its bidder"), ("`closed`", "the house"))),
            ),
            see_also=("auctionctl(1)", "auctionctl-export(1)"),
        )

NAME and SEE ALSO are added from name, title and see_also. In texts, terms and cells a word in backquotes is literal
(bold) and ``‹NAME›`` stands for what is put in its place (italic); in code nothing is marked. A module with such a
``page`` is entered in :data:`auctionctl.cli.manual.library.HAND_WRITTEN`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from auctionctl import __version__

HAS_TABLES: Final = "'\\\" t\n"
"""The first line of a page with tables: man(1) reads from it that tbl(1) comes first."""

TABLE_OPTIONS: Final = "nokeep;"
"""Rows are not kept on one page: tbl would warn of rows that it cannot keep wherever a page happens to end."""

INDENT_CHARACTERS: Final = 4

_ESCAPES: Final = {
    "\\": r"\(rs",
    "-": r"\-",
    "'": r"\(aq",
    "`": r"\(ga",
    '"': r"\(dq",
    "^": r"\(ha",
    "~": r"\(ti",
}
_SPAN: Final = re.compile(r"`([^`‹›]+)`|‹([^`‹›]+)›")
_MARKS: Final = re.compile(r"[`‹›]")
_SPACE: Final = re.compile(r"\s+")
_REFERENCE: Final = re.compile(r"([A-Za-z0-9._-]+)\((\d)\)")


@dataclass(frozen=True, slots=True)
class Heading:
    """A section of the page; shown in capitals."""

    text: str


@dataclass(frozen=True, slots=True)
class Subheading:
    """A part of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text, with marks."""

    text: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """Terms, each with a text of one or more paragraphs (parted by an empty line) beside it; marks in both."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines that stand as they are, without marks."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns, with marks; the last column takes the width that the others leave."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Part = Heading | Subheading | Paragraph | Definitions | Code | Table


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the manual: ``title`` is its one line in NAME, ``see_also`` holds references such as ``man(1)``."""

    name: str
    section: int
    title: str
    parts: tuple[Part, ...]
    see_also: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """``auctionctl.1``"""
        return f"{self.name}.{self.section}"

    @property
    def reference(self) -> str:
        """``auctionctl(1)``"""
        return f"{self.name}({self.section})"


def render(page: Page) -> str:
    """The page in roff, ASCII. Raises ValueError for marks that do not close, and for rows that do not fit a table."""
    lines = [
        f'.TH "{escape(page.name.upper())}" "{page.section}" "" "auctionctl {escape(__version__)}" "auctionctl manual"',
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{escape(page.name)} \\- {_marked(page.title)}",
    ]
    for part in page.parts:
        lines += _part_lines(part)
    if page.see_also:
        lines += [".SH SEE ALSO", ", ".join(_reference(each) for each in page.see_also)]
    tables = HAS_TABLES if any(isinstance(part, Table) for part in page.parts) else ""
    return tables + "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """``text`` as roff that shows it as it is; white space becomes single spaces, what is not ASCII its code."""
    return "".join(map(_escape_character, _SPACE.sub(" ", text)))


def _escape_character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isascii():
        if not character.isprintable():
            raise ValueError(f"a page cannot hold the control character {character!a}")
        return character
    return f"\\[u{ord(character):04X}]"


def _line(text: str) -> str:
    """An input line of text that no formatter takes for a request: only a dot is left to begin one."""
    return f"\\&{text}" if text.startswith(".") else text


def _marked(text: str) -> str:
    """``text`` with its marks as fonts, on one line."""
    pieces: list[str] = []
    end = 0
    for span in _SPAN.finditer(text):
        pieces.append(_unmarked(text, end, span.start()))
        literal, placeholder = span.groups()
        pieces.append(rf"\fB{escape(literal)}\fR" if literal else rf"\fI{escape(placeholder)}\fR")
        end = span.end()
    pieces.append(_unmarked(text, end, len(text)))
    return _line("".join(pieces).strip())


def _unmarked(text: str, start: int, end: int) -> str:
    piece = text[start:end]
    if _MARKS.search(piece):
        raise ValueError(f"a mark does not close in {text!r}")
    return escape(piece)


def _reference(reference: str) -> str:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise ValueError(f"{reference!r} is no reference such as man(1)")
    return rf"\fB{escape(match[1])}\fR({match[2]})"


def _part_lines(part: Part) -> list[str]:
    match part:
        case Heading(text):
            return [f'.SH "{escape(text.upper())}"']
        case Subheading(text):
            return [f'.SS "{escape(text)}"']
        case Paragraph(text):
            return [".PP", _marked(text)]
        case Definitions(items):
            return [line for term, text in items for line in _definition_lines(term, text)]
        case Code(text):
            code = [_line(_escape_code(line)) for line in text.rstrip("\n").split("\n")]
            return [".PP", f".RS {INDENT_CHARACTERS}", ".nf", *code, ".fi", ".RE"]
        case Table(columns, rows):
            return _table_lines(columns, rows)


def _definition_lines(term: str, text: str) -> list[str]:
    first, *others = [_marked(paragraph) for paragraph in text.split("\n\n")]
    lines = [".TP", _marked(term), first]
    for other in others:
        lines += [".IP", other]
    return lines


def _escape_code(line: str) -> str:
    # Spaces that follow one another are kept in lines that are not filled; an empty line would only be a space.
    return "".join(map(_escape_character, line.expandtabs(8).rstrip()))


def _table_lines(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> list[str]:
    if any(len(row) != len(columns) for row in rows):
        raise ValueError(f"a row of the table under {columns} has another number of cells")
    formats = ["l"] * (len(columns) - 1)
    heads = "\t".join(["lB"] * len(columns))
    lines = [".PP", ".TS", TABLE_OPTIONS, heads, "\t".join([*formats, "lx"]) + ".", _row(columns)]
    for *cells, last in rows:
        # A block, for only blocks are broken into lines.
        lines += [_row((*cells, "")) + "T{", _marked(last) or "\\&", "T}"]
    return [*lines, ".TE"]


def _row(cells: tuple[str, ...]) -> str:
    # A cell of '_' or '=' alone would be a rule, and one that begins with 'T{' a block.
    return "\t".join(f"\\&{_marked(cell)}" if cell else "" for cell in cells)
