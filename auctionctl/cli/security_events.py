"""``events --security``: the journal of security events of a house whose state is on this machine, running or not.

Rule: read, never written. Names, addresses and words in it may come from whoever attacked the house.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from auctionctl.cli.output import Form, write_document, write_fields, write_note
from auctionctl.cli.records import clock_time
from auctionctl.cli.streams import check_reader

if TYPE_CHECKING:
    from pathlib import Path

    from auctionctl.house.security import SecurityEvent

SCHEMA: Final = "auctionctl.security-event/1"
COLUMNS: Final = ("time", "kind", "who", "count", "words")
LOOK_S: Final = 0.5


def show_security(state: Path, form: Form, *, follow: bool) -> None:
    """Write what the journal in ``state`` holds; with ``follow``, also what is added, until there is no reader.

    Raises StoreError where a file of it cannot be read.
    """
    from auctionctl.net.security_journal import SecurityReader  # noqa: PLC0415 - commands that connect do without

    reader = SecurityReader(state)
    events = reader.read()
    if not events:
        write_note(f"no security events are in the journal of this house: {state}")
    if not form.is_json:
        write_fields(COLUMNS)
    while True:
        for event in events:
            _write(event, form)
        if not follow:
            return
        check_reader()
        time.sleep(LOOK_S)
        events = reader.read()


def _write(event: SecurityEvent, form: Form) -> None:
    if form.is_json:
        record = {
            "kind": event.kind.value,
            "who": event.who,
            "count": event.count,
            "words": event.words,
            "first_ns": event.first_ns,
            "last_ns": event.last_ns,
        }
        write_document(SCHEMA, record)
    else:
        write_fields((clock_time(event.last_ns), event.kind.value, event.who, str(event.count), event.words))
