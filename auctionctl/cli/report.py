"""``report``: one auction as a page for a browser: its terms, result, prices and bids, and whether its log verifies.

Rule: the verdict is that of ``verify``, by the same code; a log that does not hold still gets its page, which says so.
Nothing but the file and what is given beside it goes into the page: the same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from typer.models import TyperPath

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.export import STDOUT, check_target
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import Form, write_document, write_note
from auctionctl.cli.progress import shown_progress
from auctionctl.cli.verify import COPY_HINT, RECEIPT_MARK, CheckedLog, Given, check_log_file, read_given
from auctionctl.client.files import PUBLIC_MODE, Existing, write_whole
from auctionctl.errors import LogError

if TYPE_CHECKING:
    from auctionctl.cli.log_story import Story

SCHEMA: Final = "auctionctl.report/1"
JSON_SCHEMA: Final = {
    SCHEMA: {
        "file": "The page that was written.",
        "bytes": "Its size.",
        "id": "The auction: SHA-256 of its terms.",
        "listing": "Its name at its house.",
        "verified": "`true`: of a log that does not verify, the page is written, and the exit status is 7.",
        "log_size": "How many entries the log has.",
        "log_sha256": "SHA-256 of the exported log, as the page has it.",
    }
}
PAGE_SUFFIX: Final = ".html"
LISTING_UNKNOWN: Final = "report"

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl report gold-watch.auction --house auc1… -o gold-watch.html")
@with_house
def report(
    at: AtHouse,
    what: Annotated[
        str,
        typer.Argument(
            metavar="ID|FILE",
            click_type=TyperPath(readable=False),  # so that shells complete files
            help="An exported log ('-' is stdin); or an auction of the house, by name.",
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help=f"Where to; else LISTING{PAGE_SUFFIX}, here. '-' is stdout."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    registry: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An exported registry of the house: the log is held against it, and bidders get the names in it.",
        ),
    ] = None,
    clock_head: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            readable=False,  # that is found out here, like all else that may be wrong with a file
            help="A clock head of that auction, as `bid` keeps them; can be given more than once.",
        ),
    ] = None,
) -> int:
    """Write a page about one auction: terms, result, prices, bids, bidders, and whether its log verifies.

    The page is one file that loads nothing and runs nothing. It is written of a log that does not verify too, and says
    so; the exit status is then that of `verify`.
    """
    existing = Existing.REPLACE if force else Existing.REFUSE
    if output is not None:
        check_target(output, existing)
    given = read_given(at, what, registry, clock_head or ())
    _check_kind(given)
    checked, failure = _judge(given, at.form)
    story = _story(given.data, checked, at.form)
    listing = LISTING_UNKNOWN if story is None else story.auction.terms.listing
    # A listing is a name of letters, digits, '.', '_' and '-': it cannot lead elsewhere.
    target = output or Path(f"{listing}{PAGE_SUFFIX}")
    from auctionctl.cli.report_content import write_page  # noqa: PLC0415 - slow to import

    page = write_page(given, story, checked, failure).encode()
    _write(target, page, existing)
    if failure is not None:
        if target != STDOUT:
            write_note(f"the page says so too: {target}")
        raise failure
    assert story is not None
    if at.form.is_json and target != STDOUT:
        auction = story.auction
        found = {"id": auction.id.hex(), "listing": listing, "verified": True, "log_size": auction.size}
        digest = hashlib.sha256(given.data).hexdigest()
        write_document(SCHEMA, {"file": str(target), "bytes": len(page), **found, "log_sha256": digest})
    elif output is None:
        write_note(f"the page is in {target}")
    return ExitStatus.OK


def _check_kind(given: Given) -> None:
    from auctionctl.replica.audit import is_registry  # noqa: PLC0415

    is_receipt = given.data.startswith(RECEIPT_MARK)
    try:
        is_other = is_receipt or is_registry(given.data)
    except LogError:
        return  # not of any form: the page is to say so
    if is_other:
        kind = "a receipt" if is_receipt else "the log of a registry"
        raise ArgumentError(f"a report is about one auction, and this is {kind}", hint="auctionctl verify tells of it")


def _judge(given: Given, form: Form) -> tuple[CheckedLog | None, LogError | None]:
    try:
        return check_log_file(given.data, given.beside, given.known, form), None
    except LogError as error:
        error.hint = error.hint or COPY_HINT
        return None, error


def _story(data: bytes, checked: CheckedLog | None, form: Form) -> Story | None:
    from auctionctl.cli.log_story import story_of_unverified, story_of_verified  # noqa: PLC0415

    with shown_progress(form, "reading every entry") as progress:
        return story_of_unverified(data, progress) if checked is None else story_of_verified(data, progress)


def _write(target: Path, page: bytes, existing: Existing) -> None:
    if target == STDOUT:
        sys.stdout.buffer.write(page)
        sys.stdout.buffer.flush()
    else:
        write_whole(target, page, PUBLIC_MODE, existing)
