"""``evidence``: the cases on this machine, against houses and against bidders, and what each proves.

Rule: what proves something is on disk before anybody hears of it (:mod:`auctionctl.client.evidence`, and a house's own
:mod:`auctionctl.store.conflict_files`); here it is read, never written. Files are hostile: names are looked up among
those that are there, contents are bounded, and every signature is checked anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, write_document, write_facts, write_list, write_note
from auctionctl.client.paths import Paths, find_paths
from auctionctl.errors import ConfigurationError, NotFoundError
from auctionctl.views.peer_text import safe_text

MAX_CASES: Final = 10_000
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""A log may be among the files."""
COLUMNS: Final = ("case", "against", "proven", "what")
LS_SCHEMA: Final = "auctionctl.evidence-ls/1"
SHOW_SCHEMA: Final = "auctionctl.evidence-show/1"
_CASE_FIELDS: Final = {
    "case": "The name of the case, which begins with the time (UTC) at which it was kept.",
    "against": "`house`, `bidder`, or null where the files prove nothing that is known.",
    "key": "Of a house its public key, `auc1…`; of a bidder its signing key; or null.",
    "proven": "Whether the files alone prove it: every signature is checked anew.",
    "what": "What they prove, or what is wrong with them.",
    "path": "The directory of the case, to be shown to others as it is.",
    "files": "The names of its files.",
}
JSON_SCHEMA: Final = {
    LS_SCHEMA: {
        "cases": "All of them, each with the fields below. With `--output jsonl` each is a line of its own, under the"
        " same schema.",
        **_CASE_FIELDS,
    },
    SHOW_SCHEMA: _CASE_FIELDS,
}

app = typer.Typer(rich_markup_mode=None)
evidence_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Look at what proves a broken word.")
app.add_typer(evidence_app, name="evidence", epilog="Example: auctionctl evidence ls")


class Case(NamedTuple):
    """One case, judged."""

    path: Path
    files: tuple[str, ...]
    against: str
    key: str
    is_proven: bool
    words: str

    @property
    def record(self) -> dict[str, object]:
        """As JSON."""
        return {
            "case": self.path.name,
            "against": self.against or None,
            "key": self.key or None,
            "proven": self.is_proven,
            "what": self.words,
            "path": str(self.path),
            "files": list(self.files),
        }


@evidence_app.command("ls", epilog="Example: auctionctl evidence ls")
@with_form
def list_cases(form: Form) -> int:
    """List the cases on this machine: against houses that broke their word, and against bidders of houses here."""
    cases = [_judged(path) for path in find_cases(find_paths())]
    if not cases and not form.is_json:
        write_note("there is no evidence against anybody here")
    rows = [
        (safe_text(case.path.name), case.against or "-", "yes" if case.is_proven else "no", safe_text(case.words))
        for case in cases
    ]
    write_list(form, LS_SCHEMA, "cases", [case.record for case in cases], columns=COLUMNS, rows=rows)
    return ExitStatus.OK


@evidence_app.command("show", epilog="Example: auctionctl evidence show 20261127T120000.000000000Z-history")
@with_form
def show(
    form: Form,
    name: Annotated[str, typer.Argument(metavar="CASE", help="The name of the case, or how it begins.")],
) -> int:
    """Show one case and what it proves, every signature checked anew: 0 if it is proven, 7 if not."""
    found = [path for path in find_cases(find_paths()) if path.name.startswith(name)]
    exact = [path for path in found if path.name == name]
    chosen = exact or found
    if not name or len(chosen) != 1:
        several = "several cases begin" if name and chosen else "no case begins"
        raise NotFoundError(f"{several} with {name[:64]!a}", hint="see which there are: auctionctl evidence ls")
    case = _judged(chosen[0])
    if form.is_json:
        write_document(SHOW_SCHEMA, case.record)
    else:
        write_facts(
            [
                ("case", case.path.name),
                ("against", f"{case.against} {case.key}" if case.against else "nobody"),
                ("proven", "yes" if case.is_proven else "no"),
                ("what", case.words),
                ("files", ", ".join(case.files)),
                ("path", str(case.path)),
            ]
        )
    return ExitStatus.OK if case.is_proven else ExitStatus.VERIFICATION_FAILED


def find_cases(paths: Paths) -> list[Path]:
    """The directories of all cases, the oldest first. Raises ConfigurationError for one that cannot be listed."""
    places = [paths.evidence, *sorted(paths.state.glob(f"{paths.house_state('*').name}/{paths.evidence.name}"))]
    found: list[Path] = []
    for place in places:
        try:
            if place.is_dir():
                found += [each for each in place.iterdir() if each.is_dir() and not each.name.startswith(".")]
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise ConfigurationError(f"cannot read {place}: {reason}", hint="it should be yours") from error
    return sorted(found, key=lambda path: path.name)[:MAX_CASES]


def _judged(path: Path) -> Case:
    from auctionctl.client.files import read_bounded  # noqa: PLC0415
    from auctionctl.replica.proven import NAMES, Finding, judge  # noqa: PLC0415

    names: tuple[str, ...] = ()
    try:
        names = tuple(sorted(name for name in NAMES if (path / name).is_file()))
        finding = judge({name: read_bounded(path / name, MAX_FILE_BYTES) for name in names})
    except (ConfigurationError, NotFoundError, OSError) as error:
        finding = Finding("", "", False, f"the files cannot be read: {error}")
    return Case(path, names, *finding)
