"""``restore``: the state of a house from its backup, checked as if it came from a stranger.

Rule: all of it or nothing. A state that holds more than the backup is replaced only when that is asked for, and is
never deleted; whoever has seen more than was restored reminds the house of it, which then writes no more to that log.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.backup import RULE, house_section
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.house_state import check_one_state, mark_state
from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, write_document, write_facts, write_note
from auctionctl.cli.passphrases import OwnPassphraseFile, open_key
from auctionctl.cli.progress import shown_progress
from auctionctl.cli.records import clock_time
from auctionctl.client.paths import find_paths
from auctionctl.errors import ConfigurationError, TermsError, VerificationError

if TYPE_CHECKING:
    from auctionctl.cli.progress import Progress
    from auctionctl.keys.signing import SecretKey
    from auctionctl.replica.house_logs import HouseLogs
    from auctionctl.store.backup_file import Backup, BackupLabel
    from auctionctl.store.restoring import Restoring

SCHEMA: Final = "auctionctl.restore/1"
AHEAD_NS: Final = 24 * 3_600 * 10**9
"""So far at most the clock of a house may be ahead of that of the machine on which it was backed up."""
_OTHER_HINT: Final = "nothing was changed; take another copy of this backup, or an older one"

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl restore /mnt/backup/house.backup")
@with_form
def restore(
    form: Form,
    file: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="A backup of this house.")],
    *,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The name of the house's state.")] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The house's settings, in place of the usual house.toml.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even if the state holds entries that the backup lacks: it is set aside.")
    ] = False,
    passphrase_file: OwnPassphraseFile = None,
) -> int:
    """Make the state of a house from a backup, every entry verified; the state before is set aside, never deleted."""
    from auctionctl.keys.keyfile import key_path  # noqa: PLC0415 - imports libsodium
    from auctionctl.store.backup_file import open_backup  # noqa: PLC0415 - imports SQLite
    from auctionctl.store.restoring import restoring  # noqa: PLC0415

    paths = find_paths()
    section = house_section(paths, name, config)
    secret = open_key(key_path(paths.keys, section.key), passphrase_file).key
    check_one_state(paths, section.name, secret.identity)
    state = paths.house_state(section.name)
    with open_backup(file) as backup:
        with shown_progress(form, "checking every entry") as progress:
            checked = _checked(file, backup, secret, progress)
        now_ns = time.time_ns()
        moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now_ns // 1_000_000_000))
        aside = paths.state / f"replaced-{section.name}-{moment}.{now_ns % 1_000_000_000:09}Z"
        with restoring(state, backup) as found:
            if not force and found.lacking != 0:
                raise _refusal(state, found)
            has_set_aside = found.put(aside)
        mark_state(paths, section.name, secret.identity)
        label = backup.label
    _say(form, Outcome(file, state, label, checked, found.lacking, aside if has_set_aside else None))
    return ExitStatus.OK


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was restored from where, and what has become of what was there."""

    file: Path
    state: Path
    label: BackupLabel
    checked: HouseLogs
    lacking: int | None
    aside: Path | None


def _checked(file: Path, backup: Backup, secret: SecretKey, progress: Progress) -> HouseLogs:
    """Every log of the backup through the rules, under the house's own key. Raises VerificationError."""
    from auctionctl.house.auction_log import open_reserve  # noqa: PLC0415 - imports libsodium
    from auctionctl.replica.house_logs import check_house_logs  # noqa: PLC0415
    from auctionctl.tlog.entry import decode  # noqa: PLC0415

    if backup.label.house != secret.identity.text:
        raise VerificationError(
            f"{file} is a backup of another house, {backup.label.house[:20]}…",
            rule=RULE,
            hint="restore it where the key of that house is; --name chooses among the houses of this machine",
        )
    done, total = 0, sum(backup.logs().values())

    def count() -> None:
        nonlocal done
        done += 1
        if not done % 1_000:
            progress(done, total)

    checked = check_house_logs(secret.identity.signing, backup.logs(), backup.read, count)
    failed = list(checked.failed)
    for log in checked.auctions:
        try:
            open_reserve(decode(next(backup.read(log))).body, secret)
        except TermsError as error:
            failed.append((log, str(error)))
    if failed:
        log, reason = failed[0]
        raise VerificationError(
            f"{len(failed)} of the {len(backup.logs())} logs in {file} do not hold, such as {log}: {reason}",
            rule=RULE,
            hint=_OTHER_HINT,
        )
    _check_time(file, backup.label, checked.last_time_ns)
    return checked


def _check_time(file: Path, label: BackupLabel, last_time_ns: int) -> None:
    """Nothing vouches for until when the house was alive, and it is where its outage begins: it has to be possible."""
    if label.last_alive_ns < last_time_ns:
        raise VerificationError(
            f"{file} says that the house was alive until {clock_time(label.last_alive_ns)}, and has an entry of"
            f" {clock_time(last_time_ns)}",
            rule=RULE,
            hint=_OTHER_HINT,
        )
    if label.last_alive_ns > label.taken_ns + AHEAD_NS:
        raise VerificationError(
            f"{file} says that the house was alive until {clock_time(label.last_alive_ns)}, and that it was taken at"
            f" {clock_time(label.taken_ns)}",
            rule=RULE,
            hint=_OTHER_HINT,
        )
    if label.taken_ns > time.time_ns() + AHEAD_NS:
        raise VerificationError(
            f"{file} says that it was taken at {clock_time(label.taken_ns)}, which is still to come",
            rule=RULE,
            hint=f"set the clock of this machine if it is behind; {_OTHER_HINT}",
        )


def _refusal(state: Path, found: Restoring) -> ConfigurationError:
    hint = "back it up first, if it can be read; --force restores all the same, and sets this state aside"
    if found.lacking is None:
        return ConfigurationError(
            f"there is a state {state}, and what it holds cannot be compared: {found.trouble}", hint=hint
        )
    return ConfigurationError(f"the state {state} holds {found.lacking} entries that the backup lacks", hint=hint)


def _say(form: Form, outcome: Outcome) -> None:
    checked, label = outcome.checked, outcome.label
    if checked.missing:
        write_note(
            f"{len(checked.missing)} announced auctions are not in the backup: if the house has archived them, their"
            f" files belong into {outcome.state / 'archive'}"
        )
    write_note(
        f"the house is as it was at {clock_time(label.last_alive_ns)}: what it has acknowledged since then it does not"
        " know; where somebody shows it that, it stops writing to that log and says so"
    )
    lacking = outcome.lacking
    if form.is_json:
        record = {
            "file": str(outcome.file),
            "house": label.house,
            "state": str(outcome.state),
            "logs": len(checked.auctions) + 1,
            "entries": checked.entry_count,
            "up_to_ns": label.last_alive_ns,
            "taken_ns": label.taken_ns,
            "set_aside": None if outcome.aside is None else str(outcome.aside),
            "lacking": lacking,
            "missing": [auction.hex() for auction in checked.missing],
        }
        write_document(SCHEMA, record)
        return
    facts = [
        ("restored", str(outcome.state)),
        ("of", label.house),
        ("from", f"{outcome.file}, taken at {clock_time(label.taken_ns)}"),
        ("logs", str(len(checked.auctions) + 1)),
        ("entries", f"{checked.entry_count}, all verified"),
        ("up to", clock_time(label.last_alive_ns)),
    ]
    if outcome.aside is not None:
        lost = "it cannot be read" if lacking is None else f"{lacking} entries of it are not in the backup"
        facts.append(("set aside", f"{outcome.aside}: {lost}"))
    write_facts(facts)
