"""The keys that a holder had before: kept so that what was begun with them can be finished (``key rotate``).

Rule: one is opened only where the log of an auction names it, and the house's registry says that the present key took
its place. Elsewhere none is looked at, and no passphrase asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from auctionctl.auction.auction import Auction
from auctionctl.cli.observer import read_auction
from auctionctl.cli.options import AtHouse
from auctionctl.cli.output import write_note
from auctionctl.cli.passphrases import open_key
from auctionctl.cli.succession_files import FORMER, former_path
from auctionctl.errors import NotFoundError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import Registry


def find_former(
    at: AtHouse, secret: SecretKey, wanted: str, named: Callable[[Auction], bytes | None]
) -> SecretKey | None:
    """The former key that the auction ``wanted`` names for a command; None where our present one will do.

    Where this machine keeps no former key at all, the house is not asked.
    """
    if not (at.paths.keys / FORMER).exists():
        return None
    observer, replica = read_auction(at, wanted)
    return former_key(at, secret, observer.registry, named(replica.replay.state))


def former_key(at: AtHouse, secret: SecretKey, registry: Registry, named: bytes | None) -> SecretKey | None:
    """The key ``named``, if ``secret`` took its place; None otherwise. NotFoundError if it is not kept here."""
    if named is None or named not in registry.successions.former(secret.identity.signing):
        return None
    path = former_path(at.paths.keys, named)
    if not path.exists():
        raise NotFoundError(
            f"the log names your former key {named.hex()[:12]}…, and {path} is not there",
            hint="put a copy of that key file there: no other key can sign for it",
        )
    key = open_key(path, at.passphrase_file).key
    write_note(f"signed with your former key {key.identity.short}, which the log names")
    return key
