"""A checkpoint that a session reminds the house of: what it signed once holds, whatever the store says now.

Rule: the authority of a reminder is the house's own signature on the note, and nothing else; who brought it does not
matter (DESIGN.md sections 8 and 10).
"""

from __future__ import annotations

from auctionctl.errors import NoteError, RemoteProtocolError
from auctionctl.house.auction_log import log_name
from auctionctl.keys.signing import Identity
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.tlog.checkpoint import Checkpoint, open_checkpoint, origin_of
from auctionctl.wire.messages import Remind


def open_reminder(reminder: Remind, house: Identity) -> Checkpoint:
    """The checkpoint that ``house`` signed, alone or together with others; RemoteProtocolError if it is none of its."""
    name = REGISTRY if reminder.log == REGISTRY_ID else log_name(reminder.log)
    try:
        return open_checkpoint(reminder.note, origin_of(house.text, name), house.signing)
    except NoteError as error:
        raise RemoteProtocolError(f"no checkpoint that this house signed of this log: {error}") from error
