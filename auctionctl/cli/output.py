"""Terminal manners, in one place: results on stdout, errors on stderr, people and programs each in their form.

Rule: a person at a terminal gets a table; a pipe gets tab-separated lines, never cut or coloured; ``-o json`` gets one
JSON document and ``-o jsonl`` one object a line, each with the name of its schema. What peers wrote is made safe here,
and what looks like a secret key is cut down to its prefix, so that no command can forget it. NO_COLOR is respected (by
Rich). Source: https://no-color.org, https://jsonlines.org.
"""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from auctionctl.keys.encoding import redacted
from auctionctl.views.json_line import Json, dump_json
from auctionctl.views.peer_text import safe_text

if TYPE_CHECKING:
    from auctionctl.cli.exit_status import ExitStatus
    from auctionctl.cli.process_log import ProcessLog

MAX_ERROR_CHARACTERS: Final = 1_000


class _Stderr:
    """What goes to stderr: lines for people, or records of ``log``, if there is one."""

    log: ProcessLog | None = None


_stderr: Final = _Stderr()


class Form(enum.StrEnum):
    """In which form a command writes its results."""

    TABLE = "table"
    PLAIN = "plain"
    JSON = "json"
    JSONL = "jsonl"

    @property
    def is_json(self) -> bool:
        """Whether programs read it: nothing but JSON is then written to stdout."""
        return self in (Form.JSON, Form.JSONL)


def choose_form(wanted: Form | None) -> Form:
    """``wanted``, or else what the kind of stdout asks for."""
    return wanted or (Form.TABLE if sys.stdout.isatty() else Form.PLAIN)


def can_redraw() -> bool:
    """Whether stdout is a terminal that can show a picture and change it: TERM=dumb can only add lines."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def write_line(text: str) -> None:
    """One line of our own words on stdout, at once: whoever reads a pipe reads it now."""
    sys.stdout.write(redacted(text) + "\n")
    sys.stdout.flush()


def write_fields(fields: Sequence[str]) -> None:
    """One line of tab-separated fields, each made safe."""
    write_line("\t".join(safe_text(field, MAX_ERROR_CHARACTERS) if field else "-" for field in fields))


def write_json(record: Json) -> None:
    """One object on one line, in ASCII: what is not is escaped, so that no terminal is misled by it."""
    write_line(dump_json(record))


def write_document(schema: str, record: Json) -> None:
    """One JSON object under the name of its ``schema``: the whole answer, or one line of a stream."""
    write_json({"schema": schema, **record})


def write_list(
    form: Form,
    schema: str,
    name: str,
    records: Sequence[Json],
    *,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> None:
    """The same things as JSON ``records`` or as ``rows`` under ``columns``, whichever ``form`` asks for.

    As one document they are ``{"schema": schema, name: [records]}``; as lines each record carries the schema.
    """
    if form is Form.JSON:
        write_document(schema, {name: list(records)})
    elif form is Form.JSONL:
        for record in records:
            write_document(schema, record)
    else:
        write_table(form, columns, rows)


def write_table(form: Form, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows of text under ``columns``: a Rich table on a terminal, tab-separated lines with a header otherwise."""
    if form is not Form.TABLE:
        for row in (columns, *rows):
            write_fields(row)
        return
    from rich.console import Console  # noqa: PLC0415 - Rich is slow to import, and pipes do without

    from auctionctl.views.results import plain_table  # noqa: PLC0415

    Console().print(plain_table(columns, rows))


def write_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Name and value, a line each; the values stand in one column."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        write_line(f"{name:<{width}}  {safe_text(value, MAX_ERROR_CHARACTERS)}")


def say_on_stderr_to(log: ProcessLog | None) -> None:
    """From now on ``log`` writes what goes to stderr; None: lines for people, or an object if JSON is asked for."""
    _stderr.log = log


def write_note(text: str) -> None:
    """A remark for people, on stderr, where it does not get into anybody's data."""
    if _stderr.log is not None:
        _stderr.log.note(text)
        return
    sys.stderr.write(safe_text(text, MAX_ERROR_CHARACTERS) + "\n")
    sys.stderr.flush()


def write_error(form: Form, status: ExitStatus, message: str, hint: str, defect: Exception | None = None) -> None:
    """What went wrong, on stderr: a line and a hint, or one object; ``defect`` if it is a fault of our own."""
    message = safe_text(message, MAX_ERROR_CHARACTERS)
    hint = safe_text(hint, MAX_ERROR_CHARACTERS) if hint else ""
    if _stderr.log is not None:
        _stderr.log.failed(status.name.lower(), message, hint, defect)
        return
    if form.is_json:
        error = {"code": status.name.lower(), "message": message, "hint": hint}
        text = dump_json({"error": error}) + "\n"
    else:
        text = f"auctionctl: {message}\n" + (f"hint: {hint}\n" if hint else "")
    # An error about a closed terminal has nowhere to go.
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        pass
