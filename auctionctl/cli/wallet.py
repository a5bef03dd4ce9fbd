"""``wallet``: what a bidder has tied up where, from its own records; no house is asked.

Rule: what it shows is never less than what may have to be paid (:mod:`auctionctl.client.account_file`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_document, write_facts, write_note, write_table

if TYPE_CHECKING:
    from auctionctl.client.account_file import Account, Holding

SCHEMA: Final = "auctionctl.wallet/1"
COLUMNS: Final = ("lot", "auction", "leading", "unanswered", "won", "paid", "cap", "committed", "result")

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl wallet --key alice")
@with_house
def wallet(at: AtHouse) -> int:
    """Show what your bidder has tied up where, of its budget: leading, unanswered, won and paid.

    From its records on this machine, while it runs and when it does not; with --house, at that house alone.
    """
    secret = at.secret()
    from auctionctl.client.account_file import read_accounts, runner_of  # noqa: PLC0415 - imports libsodium

    me = secret.identity
    accounts = read_accounts(at.paths, me)
    if at.house or at.context:
        chosen = at.address().identity.text
        accounts = [account for account in accounts if account.house == chosen]
    pid = runner_of(at.paths, me)
    if at.form.is_json:
        records = [_record(account) for account in accounts]
        write_document(SCHEMA, {"bidder": me.signing.hex(), "running": pid, "accounts": records})
        return ExitStatus.OK
    if not accounts:
        write_note(
            "no bidder has run here under this key within a budget: auctionctl bid --strategy NAME --budget AMOUNT"
        )
    for account in accounts:
        _write_account(at, account, pid)
    return ExitStatus.OK


def _write_account(at: AtHouse, account: Account, pid: int | None) -> None:
    from auctionctl.auction.price import format_minor  # noqa: PLC0415
    from auctionctl.cli.records import clock_time  # noqa: PLC0415

    def money(minor: int | None) -> str:
        return format_minor(minor, account.currency) if minor else ""

    rows = [
        (
            each.listing,
            each.auction[:12],
            money(each.leading_minor),
            money(each.unanswered_minor),
            money(0 if each.is_paid else each.won_minor),
            money(each.won_minor if each.is_paid else 0),
            money(each.cap_minor),
            money(each.committed_minor),
            "" if each.result is None else each.result.replace("_", " "),
        )
        for each in account.holdings
    ]
    write_table(at.form, COLUMNS, rows)
    budget_minor, committed_minor = account.budget_minor, account.committed_minor
    write_facts(
        [
            ("house", account.house),
            ("budget", format_minor(budget_minor, account.currency)),
            ("committed", format_minor(committed_minor, account.currency)),
            ("free", format_minor(max(0, budget_minor - committed_minor), account.currency)),
            ("as of", clock_time(account.written_ns)),
            ("bidder", "does not run" if pid is None else f"runs, process {pid}"),
        ]
    )


def _record(account: Account) -> dict[str, object]:
    from auctionctl.cli.records import amount  # noqa: PLC0415

    committed_minor = account.committed_minor
    return {
        "house": account.house,
        "time_ns": account.written_ns,
        "budget": amount(account.budget_minor, account.currency),
        "committed": amount(committed_minor, account.currency),
        "free": amount(max(0, account.budget_minor - committed_minor), account.currency),
        "auctions": [_holding_record(each, account.currency) for each in account.holdings],
    }


def _holding_record(holding: Holding, currency: str) -> dict[str, object]:
    from auctionctl.cli.records import amount  # noqa: PLC0415

    return {
        "auction": holding.auction,
        "listing": holding.listing,
        "leading": amount(holding.leading_minor, currency),
        "unanswered": amount(holding.unanswered_minor, currency),
        "won": amount(holding.won_minor, currency),
        "is_paid": holding.is_paid,
        "cap": amount(holding.cap_minor, currency),
        "committed": amount(holding.committed_minor, currency),
        "result": holding.result,
    }
