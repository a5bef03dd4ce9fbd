"""One record of what a process has to say of itself, as a line for programs or for the journal of systemd.

Rule: one record is one line, whatever is in it. A line of JSON has its time in RFC 3339; one for the journal begins
with its priority and has no time, since the journal knows both better. What others wrote is made safe, cut, and without
secret keys. Source: RFC 3339, RFC 5424 section 6.2.1 (severities), sd-daemon(3) (prefixes).
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from auctionctl.keys.encoding import redacted
from auctionctl.views.json_line import dump_json
from auctionctl.views.peer_text import safe_text

SCHEMA: Final = "auctionctl.log/1"
MAX_WORDS: Final = 1_000
MAX_TEXT: Final = 500
MAX_TRACEBACK: Final = 2_500
"""Of its end. With it a record is seldom more than PIPE_BUF bytes, so that several processes can write to one pipe."""
_SECOND_NS: Final = 1_000_000_000


class LogForm(enum.StrEnum):
    """In which form a process says what it has to say."""

    TEXT = "text"
    """Lines for people, as each command writes them; not by this module."""
    JSON = "json"
    JOURNAL = "journal"


class Level(enum.StrEnum):
    """How grave it is."""

    ERROR = "error"
    """Something does not work, and will not by itself."""
    WARNING = "warning"
    """Somebody should look at it."""
    NOTICE = "notice"
    """Worth knowing to whoever runs this."""
    INFO = "info"
    """What is bound to happen."""


PRIORITIES: Final = MappingProxyType({Level.ERROR: 3, Level.WARNING: 4, Level.NOTICE: 5, Level.INFO: 6})
"""The severities of syslog."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """``source`` is the process that says it, ``words`` are for people, ``fields`` the same for programs.

    ``traceback`` is that of a defect of our own, and empty otherwise.
    """

    time_ns: int
    level: Level
    source: str
    event: str
    words: str
    fields: Mapping[str, object] = field(default_factory=dict)
    traceback: str = ""


def log_line(record: LogRecord, form: LogForm) -> str:
    """``record`` as one line of ASCII (JSON) or of text (journal), without the end of the line."""
    traceback = redacted(record.traceback)[-MAX_TRACEBACK:]
    words = safe_text(record.words, MAX_WORDS)
    if form is LogForm.JSON:
        head = {
            "schema": SCHEMA,
            "time": rfc3339(record.time_ns),
            "level": record.level.value,
            "source": record.source,
            "event": record.event,
            "message": words,
        }
        fields = {name: _bounded(value) for name, value in record.fields.items() if name not in head}
        return dump_json(head | fields | ({"traceback": traceback} if traceback else {}))
    if traceback:
        words = f"{words} | {safe_text(' | '.join(line.strip() for line in traceback.splitlines()), MAX_TRACEBACK)}"
    return f"<{PRIORITIES[record.level]}>{words}"


def rfc3339(time_ns: int) -> str:
    """A time since 1970 in UTC, to the nanosecond: ``2026-01-02T03:04:05.000000006Z``."""
    seconds, rest_ns = divmod(time_ns, _SECOND_NS)
    time = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{rest_ns:09}Z"


def _bounded(value: object) -> object:
    """``value`` with texts of at most MAX_TEXT characters."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else redacted(value)[: MAX_TEXT - 1] + "…"
    return value
