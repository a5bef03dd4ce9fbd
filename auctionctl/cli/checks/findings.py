"""What a command that checks things has found: a state, what it is about, what is the matter, and what mends it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.output import MAX_ERROR_CHARACTERS, Form, write_list
from auctionctl.errors import AuctionctlError
from auctionctl.views.peer_text import safe_text

COLUMNS: Final = ("state", "subject", "finding", "remedy")


class State(enum.StrEnum):
    """How grave it is."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


STYLES: Final = {State.OK: "green", State.WARNING: "yellow", State.WRONG: "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer; ``remedy`` may be empty where nothing needs one."""

    state: State
    subject: str
    message: str
    remedy: str = ""


def wrong(subject: str, error: AuctionctlError) -> Finding:
    """What ``error`` says of ``subject``."""
    return Finding(State.WRONG, subject, str(error), error.hint)


def write_findings(form: Form, schema: str, findings: Sequence[Finding]) -> ExitStatus:
    """All of ``findings``, each on a line or in an object; the exit status is CONFIGURATION if any is wrong."""
    if form is Form.TABLE:
        _write_for_people(findings)
    else:
        rows = [(each.state.value, each.subject, each.message, each.remedy) for each in findings]
        records = [
            {"state": each.state.value, "subject": each.subject, "finding": each.message, "remedy": each.remedy or None}
            for each in findings
        ]
        write_list(form, schema, "findings", records, columns=COLUMNS, rows=rows)
    return ExitStatus.CONFIGURATION if has_wrong(findings) else ExitStatus.OK


def has_wrong(findings: Iterable[Finding]) -> bool:
    """Whether anything is wrong, and not merely odd."""
    return any(each.state is State.WRONG for each in findings)


def summary(findings: Sequence[Finding]) -> str:
    """How many of them are wrong or odd, in words."""
    wrongs = sum(each.state is State.WRONG for each in findings)
    warnings = sum(each.state is State.WARNING for each in findings)
    if not wrongs and not warnings:
        return "nothing is wrong"
    return f"{wrongs or 'nothing'} wrong, {warnings or 'no'} warning{'' if warnings == 1 else 's'}"


def _write_for_people(findings: Sequence[Finding]) -> None:
    from rich.console import Console  # noqa: PLC0415 - Rich is slow to import, and pipes do without
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    width = max((len(each.subject) for each in findings), default=0)
    for each in findings:
        line = Text(f"{each.state.value:<7}  ", STYLES[each.state])
        line.append(f"{safe_text(each.subject, 120):<{width}}  ", style="bold")
        line.append(safe_text(each.message, MAX_ERROR_CHARACTERS), style="not bold default")
        # The terminal folds the line, not we: what it folded can be copied whole, and remedies are commands.
        console.print(line, soft_wrap=True)
        if each.remedy:
            console.print(Text(f"{'':9}→ {safe_text(each.remedy, MAX_ERROR_CHARACTERS)}"), soft_wrap=True)
