"""``backup``: every log of a house in one file, verified; what the file holds already is read on from, not again.

Rule: a file that contradicts the house is refused and kept, for one of the two has lost something. A house that runs is
asked like any other observer would, and goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.address_file import running_houses
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.house_state import owner_of
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_document, write_facts, write_note
from auctionctl.cli.passphrases import open_key
from auctionctl.cli.progress import shown_progress
from auctionctl.cli.records import clock_time
from auctionctl.cli.settings.choices import MAX_ADDRESS_BYTES
from auctionctl.client.files import is_there, read_bounded
from auctionctl.client.paths import Paths
from auctionctl.errors import StoreLockedError, VerificationError

if TYPE_CHECKING:
    from auctionctl.cli.backup_sources import Held, Source
    from auctionctl.cli.progress import Progress
    from auctionctl.cli.settings.house_file import HouseSection
    from auctionctl.keys.signing import Identity
    from auctionctl.wire.address import HouseAddress

SCHEMA: Final = "auctionctl.backup/1"
RULE: Final = "backup"

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl backup /mnt/backup/house.backup")
@with_house
def backup(
    at: AtHouse,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", readable=False, help="Where to; what it holds of this house is extended.")
    ],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The name of the house's state.")] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The house's settings, in place of the usual house.toml.")
    ] = None,
) -> int:
    """Write every log of a house to one file, verified; one that runs is read as an observer reads it, and goes on."""
    from auctionctl.net.clock import Clock  # noqa: PLC0415 - imports the daemon's libraries
    from auctionctl.store.backup_file import BackupLabel, write_backup  # noqa: PLC0415

    section = house_section(at.paths, name, config)
    with ExitStack() as stack:
        progress = stack.enter_context(shown_progress(at.form, "reading the logs"))
        held, owner = stack.enter_context(_held(file))
        source, where = stack.enter_context(_source(at, section, held, progress))
        if owner not in ("", source.house.text):
            raise VerificationError(
                f"{file} is a backup of another house, {owner[:20]}…",
                rule=RULE,
                hint="choose another name for this one",
            )
        label = BackupLabel(source.house.text, Clock().now_ns(), source.last_alive_ns)
        write_backup(file, label, ((log, source.read(log)) for log in source.sizes))
    _say(at, file, source, where, source.entry_count - sum(held.logs().values()))
    return ExitStatus.VERIFICATION_FAILED if source.failed else ExitStatus.OK


def house_section(paths: Paths, name: str | None, config: Path | None) -> HouseSection:
    """The settings of the house of this machine that is meant, of which its name and its key matter here."""
    from auctionctl.cli.settings.house_file import combine, find_house_layers, option_layer  # noqa: PLC0415

    layers = find_house_layers(paths.config, config)
    return combine([*layers, option_layer({} if name is None else {"name": name})]).section


@contextmanager
def _held(file: Path) -> Iterator[tuple[Held, str]]:
    """What the file holds already, and whose it is; nothing and nobody's, if it is not there."""
    from auctionctl.cli.backup_sources import Nothing  # noqa: PLC0415 - imports zmq
    from auctionctl.store.backup_file import open_backup  # noqa: PLC0415 - imports SQLite

    if not is_there(file):
        yield Nothing(), ""
        return
    with open_backup(file) as found:
        yield found, found.label.house


@contextmanager
def _source(at: AtHouse, section: HouseSection, held: Held, progress: Progress) -> Iterator[tuple[Source, str]]:
    """The house that is named, or that of this machine, or the only one that runs on it; and where it was read."""
    from auctionctl.cli.backup_sources import running_house, stopped_house  # noqa: PLC0415 - imports zmq

    state = at.paths.house_state(section.name)
    address: HouseAddress | None = None
    if at.house is None and at.context is None and state.is_dir():
        with ExitStack() as stack:
            try:
                identity = _owner(at, section)
                source = stack.enter_context(stopped_house(state, identity, held, progress))
            except StoreLockedError:
                address = _running(at.paths, section.name)
                if address is None:
                    raise
            else:
                yield source, str(state)
                return
    address = address or at.address()
    yield running_house(address, at.secret(), held, progress), address.text


def _owner(at: AtHouse, section: HouseSection) -> Identity:
    from auctionctl.keys.keyfile import key_path  # noqa: PLC0415 - imports libsodium
    from auctionctl.keys.signing import Identity  # noqa: PLC0415

    text = owner_of(at.paths, section.name)
    if text:
        return Identity.from_text(text)
    return open_key(key_path(at.paths.keys, section.key), at.passphrase_file).key.identity


def _running(paths: Paths, name: str) -> HouseAddress | None:
    from auctionctl.wire.address import parse_address  # noqa: PLC0415 - imports libsodium

    path = paths.address_file(name)
    if path not in running_houses(paths):
        return None
    return parse_address(read_bounded(path, MAX_ADDRESS_BYTES).decode(errors="replace").strip())


def _say(at: AtHouse, file: Path, source: Source, where: str, new: int) -> None:
    for log, reason in source.failed:
        write_note(f"warning: {log} does not verify and is left out: {reason}")
    if source.missing:
        write_note(
            f"{len(source.missing)} announced auctions are not in it: the house has archived them, and their files have"
            " to be copied as well, or it has lost them"
        )
    if at.form.is_json:
        record = {
            "file": str(file),
            "house": source.house.text,
            "source": where,
            "logs": len(source.sizes),
            "entries": source.entry_count,
            "new_entries": new,
            "up_to_ns": source.last_alive_ns,
            "left_out": [{"log": log, "reason": reason} for log, reason in source.failed],
            "missing": [auction.hex() for auction in source.missing],
        }
        write_document(SCHEMA, record)
        return
    facts = [
        ("backup", str(file)),
        ("of", source.house.text),
        ("from", where),
        ("logs", str(len(source.sizes))),
        ("entries", f"{source.entry_count}, {new} of them new"),
        ("up to", clock_time(source.last_alive_ns)),
    ]
    write_facts(facts)
