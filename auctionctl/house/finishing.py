"""What the holder of a replaced key has begun, and finishes with that key: payments, settlements, offers.

The log of a sale names the old key, and everybody checks it from that log alone: so the command is signed by the old
key, as if nothing had happened. The door knows the new key only: so it is brought in a session of that one, and signed
by it as well. Whoever has the old key alone can do nothing any more, and the rules of auctions are what they were.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.commands import KINDS
from auctionctl.errors import RemoteProtocolError
from auctionctl.house.intake import Request
from auctionctl.wire.frames import is_signed_by, message_type
from auctionctl.wire.messages import decode_finish

FINISH: Final = "finish"
"""The type of the message."""


def take_out(request: Request, house: bytes) -> Request:
    """The command within a ``finish``, as if its signer had sent it; RemoteProtocolError unless that one signed it."""
    finish = decode_finish(request.body)
    if finish.house != house:
        raise RemoteProtocolError("this is meant for another house")
    if message_type(finish.command) not in KINDS or not is_signed_by(finish.actor, finish.command, finish.signature):
        raise RemoteProtocolError("what is to be finished is no command that its actor has signed")
    return Request(request.session, finish.actor, finish.command, finish.signature)
