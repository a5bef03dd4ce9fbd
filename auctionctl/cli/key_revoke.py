"""``key revoke``: takes a key out of use at a house, for ever; by itself, or by an operator.

Rule: nothing is sent before it is sure that it is meant; done is what the house's registry says.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_document, write_note
from auctionctl.errors import NotAuthorisedError, RefusedError, UnreachableError

if TYPE_CHECKING:
    from auctionctl.bidding.revoking import Revoker
    from auctionctl.keys.signing import Identity

SCHEMA: Final = "auctionctl.key-revoke/1"
JSON_SCHEMA: Final = {
    SCHEMA: {
        "address": "The address of the house.",
        "public_key": "The key that is let in no more, `auc1…`.",
        "by": "The key that signed it, `auc1…`.",
        "entry": "The index of the entry in the house's registry; null if the house cut the connection before it came.",
    }
}
ANSWER_S: Final = 10.0


@with_house
def revoke(
    at: AtHouse,
    name: Annotated[str, typer.Argument(metavar="NAME|KEY", help="A key of this machine, or any by its text, auc1…")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Have a house let a key in no more, for ever; without --key it is signed by that key, else by an operator's.

    Bids that stand already stay. The allow list need not change: the registry of the house says it to everybody. Where
    an operator revokes a key that was replaced, the key in its place is shut out too, unless it has a line of its own.
    The house's own key is in its address and cannot be revoked: end the house, and open another one under a new key.
    """
    target = _identity_of(at, name)
    address = at.address()
    if not yes:
        _ask(name)
    if at.key is None and not name.startswith("auc1"):
        at.key = name
    from auctionctl.bidding.revoking import Revoker  # noqa: PLC0415 - imports libsodium
    from auctionctl.net.dealer import Dealer  # noqa: PLC0415 - imports zmq

    secret = at.secret()
    revoker = Revoker(secret, address.identity, target.signing)
    deadline_s = time.monotonic() + ANSWER_S
    dealer = Dealer(revoker, address, secret)
    try:
        dealer.run(lambda _: None, lambda: revoker.is_done or time.monotonic() > deadline_s)
    except NotAuthorisedError:
        # Our own key: the house may have cut us off before it could tell us why.
        if not revoker.was_sent or target != secret.identity:
            raise
    else:
        _check(revoker)
    finally:
        dealer.close()
    if at.form.is_json:
        record = {"address": address.text, "public_key": target.text, "by": secret.identity.text}
        write_document(SCHEMA, record | {"entry": revoker.entry_index})
    elif revoker.entry_index is None:
        write_note(f"the house lets {target.short} in no more")
    else:
        write_note(f"{target.short} is let in no more: entry {revoker.entry_index} of the registry")
    return ExitStatus.OK


def _check(revoker: Revoker) -> None:
    if revoker.refusal is not None:
        raise RefusedError(f"the house does not revoke this key: {revoker.refusal.message}")
    if revoker.entry_index is None and revoker.delay is not None:
        words = f"the house does not enter it now: {revoker.delay.message}"
        raise UnreachableError(words, hint="nothing was revoked: ask again")
    if revoker.entry_index is None:
        raise UnreachableError("the house does not answer", hint="ask again: what it did already is not done twice")


def _identity_of(at: AtHouse, name: str) -> Identity:
    from auctionctl.cli.keys import public_half  # noqa: PLC0415
    from auctionctl.keys.keyfile import key_path, read_key_file  # noqa: PLC0415 - imports libsodium
    from auctionctl.keys.signing import Identity  # noqa: PLC0415

    with argument("NAME|KEY"):
        if name.startswith("auc1"):
            return Identity.from_text(name)
        path = key_path(at.paths.keys, name)
    return Identity.from_text(public_half(read_key_file(path)))


def _ask(name: str) -> None:
    if not sys.stdin.isatty():
        raise ArgumentError(
            "nobody can be asked whether this key is to be revoked for ever", hint="give --yes to revoke it"
        )
    sys.stderr.write("revoke this key at the house, for ever? Type it again, as you gave it: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != name:
        raise ArgumentError("nothing was revoked: that is not what you gave", hint="or give --yes")
