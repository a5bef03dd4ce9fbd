"""``key rotate``: puts a new key in the place of one at a house, by a statement that both of them sign.

Rule: nothing is lost whatever happens, and to give the command again finishes the same rotation: the files are those of
:mod:`auctionctl.cli.succession_files`; done is what the house's registry says, under a checkpoint that was verified.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from auctionctl.cli.arguments import argument
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_document, write_line, write_note
from auctionctl.client.files import held_alone, make_private_directories
from auctionctl.errors import AuctionctlError, ConfigurationError, NotAuthorisedError, RefusedError, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

    from auctionctl.bidding.rotating import Rotator
    from auctionctl.cli.succession_files import SuccessionFiles
    from auctionctl.client.paths import Paths
    from auctionctl.keys.keyfile import StoredKey
    from auctionctl.keys.locked_key import LockedKey
    from auctionctl.keys.signing import Identity, SecretKey
    from auctionctl.wire.address import HouseAddress

SCHEMA: Final = "auctionctl.key-rotate/1"
JSON_SCHEMA: Final = {
    SCHEMA: {
        "address": "The address of the house.",
        "name": "The name of the key on this machine.",
        "public_key": "The new key, `auc1…`.",
        "former_key": "The key whose place it has taken, `auc1…`.",
        "entry": "The index of the entry in the house's registry.",
        "path": "The file of the new key: with `--keep` the one in which it waits.",
        "former_path": "The file in which the old key is kept; null with `--keep`.",
    }
}
ANSWER_S: Final = 10.0


class _Pair(NamedTuple):
    """Both keys, and each as it stands in its file."""

    old: SecretKey
    new: SecretKey
    current: StoredKey | LockedKey
    waiting: StoredKey | LockedKey


class _Rotation(NamedTuple):
    """What a house's registry says: whose place was taken (text), and in which entry."""

    former: str
    entry_index: int


@with_house
def rotate(
    at: AtHouse,
    name: Annotated[str, typer.Argument(help="Which key of this machine.")],
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the name with the old key: another house is to hear of it too.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Even while the old key has bids or unpaid lots, which no budget counts."),
    ] = False,
) -> int:
    """Put a new key in the place of one at a house: the same name, roles and reputation, signed by both keys.

    The old key is let in no more, and kept in keys/former: with it `pay`, `settle` and the like finish what it began.
    What it has tied up is in no budget of the new one: first let it come to an end.
    Whatever interrupts it, give the same command again. A passphrase stays on both. The allow list need not change.
    """
    from auctionctl.cli.key_use import check_unused  # noqa: PLC0415
    from auctionctl.cli.keys import public_half  # noqa: PLC0415
    from auctionctl.cli.succession_files import NEXT, SuccessionFiles  # noqa: PLC0415
    from auctionctl.keys.keyfile import read_key_file  # noqa: PLC0415 - imports libsodium

    files = SuccessionFiles(at.paths.keys, name)
    with argument("NAME"):
        path = files.current
    public = public_half(read_key_file(path))
    check_unused(at.paths, name, public)
    address = at.address()
    # A rotation that was begun may have been entered: it is brought to its end, whatever there is.
    if not force and public and files.read_waiting() is None:
        _check_nothing_stands(at.paths, public, address)
    make_private_directories(at.paths.keys / NEXT)
    with held_alone(at.paths.keys / NEXT):
        pair = _keys(at, files)
        if pair.new.identity == pair.old.identity:
            # It has the name already: the command was interrupted before it could say so.
            rotation, keep = _look_up(address, pair.new), False
        else:
            rotation = _Rotation(pair.old.identity.text, _enter(address, pair, files))
            if not keep:
                files.swap(pair.old.identity.signing, pair.current, pair.waiting)
        _tell(at, files, pair.new.identity, rotation, files.waiting if keep else None)
        if not keep:
            files.end()
    return ExitStatus.OK


def _check_nothing_stands(paths: Paths, public: str, address: HouseAddress) -> None:
    """Raise ConfigurationError if the key of identity text ``public`` has anything tied up at this house.

    A wallet counts what was bid under its own key: the same money would be spent once more under the new one.
    """
    from auctionctl.client.account_file import read_accounts  # noqa: PLC0415 - imports libsodium
    from auctionctl.keys.signing import Identity  # noqa: PLC0415

    here = [each for each in read_accounts(paths, Identity.from_text(public)) if each.house == address.identity.text]
    standing = [
        holding.listing or holding.auction[:12]
        for account in here
        for holding in account.holdings
        if holding.committed_minor and not holding.is_paid
    ]
    if standing:
        raise ConfigurationError(
            f"the key has bids or unpaid lots here, which no budget of a new key would count: {', '.join(standing)}",
            hint="run `auctionctl bid` until they are over, and pay; a key that was stolen cannot wait: --force",
        )


def _keys(at: AtHouse, files: SuccessionFiles) -> _Pair:
    """The key, and the one that is to take its place, which is made where none waits; both by one passphrase."""
    from auctionctl.cli.keys import time_of_creation  # noqa: PLC0415
    from auctionctl.cli.passphrases import find_passphrase  # noqa: PLC0415
    from auctionctl.keys.core_dumps import forbid_dumps  # noqa: PLC0415
    from auctionctl.keys.keyfile import StoredKey as Stored  # noqa: PLC0415
    from auctionctl.keys.keyfile import generate, lock, read_key_file  # noqa: PLC0415
    from auctionctl.keys.locked_key import LockedKey as Locked  # noqa: PLC0415

    forbid_dumps()
    current, waiting, passphrase = read_key_file(files.current), files.read_waiting(), b""
    if isinstance(current, Locked) or isinstance(waiting, Locked):
        prompt, why = f"passphrase of {files.name}: ", f"{files.current} is under a passphrase"
        passphrase = find_passphrase(at.passphrase_file, os.environ, prompt, why)

    def unlocked(content: StoredKey | LockedKey, path: Path) -> SecretKey:
        return content.key if isinstance(content, Stored) else content.unlock(str(path), passphrase)

    old = unlocked(current, files.current)
    if waiting is not None:
        return _Pair(old, unlocked(waiting, files.waiting), current, waiting)
    made = Stored(generate(), time_of_creation())
    waiting = lock(made, passphrase) if passphrase else made
    # Before anybody hears of it: a key whose statement is under way must not be lost.
    files.wait(waiting)
    return _Pair(old, made.key, current, waiting)


def _enter(address: HouseAddress, pair: _Pair, files: SuccessionFiles) -> int:
    """Have the house enter it, unless it has; the entry. The error says how to go on."""
    from auctionctl.bidding.rotating import Rotator  # noqa: PLC0415 - imports libsodium
    from auctionctl.net.dealer import Dealer  # noqa: PLC0415 - imports zmq

    rotator = Rotator(pair.old, pair.new, address.identity)
    deadline_s = time.monotonic() + ANSWER_S
    try:
        dealer = Dealer(rotator, address, pair.old)
        try:
            dealer.run(lambda _: None, lambda: rotator.is_done or time.monotonic() > deadline_s)
        except NotAuthorisedError:
            # It may have been entered: the old key is let in no more then, and the new one is.
            if rotator.entry_index is None:
                return _look_up(address, pair.new, pair.old).entry_index
        finally:
            dealer.close()
        return _entry_of(rotator)
    except AuctionctlError as error:
        how = f"{files.current} is as it was, and the new key waits in {files.waiting}: give the same command again"
        error.hint = f"{error.hint}; {how}" if error.hint else how
        raise


def _entry_of(rotator: Rotator) -> int:
    if rotator.entry_index is not None:
        return rotator.entry_index
    if rotator.refusal is not None:
        raise RefusedError(f"the house does not put a new key in the place of this one: {rotator.refusal.message}")
    if rotator.delay is not None:
        raise UnreachableError(f"the house does not enter it now: {rotator.delay.message}")
    raise UnreachableError("the house does not answer")


def _look_up(address: HouseAddress, new: SecretKey, old: SecretKey | None = None) -> _Rotation:
    """What the registry says of ``new``, under which the house is asked; NotAuthorisedError if it knows no such key.

    With ``old`` it has to be the one whose place was taken.
    """
    from auctionctl.cli.observer import Observer  # noqa: PLC0415 - imports zmq

    observer = Observer(address, new, lambda _: set())
    try:
        observer.read()
    finally:
        observer.close()
    registry, signing = observer.registry, new.identity.signing
    former = registry.successions.former(signing)[-1:]
    if not former or (old is not None and former[0] != old.identity.signing):
        raise RefusedError("the house knows the new key, and not as the one that took the place of this key")
    return _Rotation(registry.members[former[0]].identity.text, registry.rotations[former[0]])


def _tell(at: AtHouse, files: SuccessionFiles, new: Identity, rotation: _Rotation, waits_in: Path | None) -> None:
    from auctionctl.keys.signing import Identity  # noqa: PLC0415 - imports libsodium

    former = Identity.from_text(rotation.former)
    kept_in = None if waits_in else files.former(former.signing)
    if at.form.is_json:
        record: dict[str, object] = {"address": at.address().text, "name": files.name, "public_key": new.text}
        record |= {"former_key": former.text, "entry": rotation.entry_index, "path": str(waits_in or files.current)}
        write_document(SCHEMA, record | {"former_path": None if kept_in is None else str(kept_in)})
        return
    write_note(f"the house has put it in the place of {former.short}: entry {rotation.entry_index} of the registry")
    if kept_in is None:
        write_note(f"{files.name} is still the old key; the new one waits in {waits_in}: end with the last house")
    else:
        write_note(f"{files.name} is the new key from now on; the old one is kept in {kept_in}")
    write_line(new.text)
