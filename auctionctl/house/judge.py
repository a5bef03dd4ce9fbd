"""A command about an auction, on its way to the rules and into the log (DESIGN.md sections 6 and 8).

Rule: whatever a command is refused for before the rules are asked is answered unsigned, and at once; what the rules say
of it is owed, and leaves with the batch. Nearly all that comes here are bids that nobody has anything against: they are
asked first what holds of nearly all, and whatever else there is to ask only where that does not.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from auctionctl.auction.bid import Bid, Join, decode_bid
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import AnyCommand
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.authority import turn_away
from auctionctl.house.holdings import Holdings
from auctionctl.house.intake import Request, refused
from auctionctl.house.outbox import Outbox, no_room
from auctionctl.house.presence import Presence
from auctionctl.house.quotas import Quotas
from auctionctl.house.registry import RegistryLog
from auctionctl.house.reminders import Reminders
from auctionctl.house.room import Room
from auctionctl.wire.frames import Message


class Judge(msgspec.Struct, frozen=True):
    """Of the auctions that are ``held``; ``settle`` sees to what follows from an entry in one of them at once,
    and ``not_here`` answers to whoever means another auction (its id, and the command's)."""

    held: Holdings
    outbox: Outbox
    room: Room
    reminders: Reminders
    presence: Presence
    quotas: Quotas
    settle: Callable[[AuctionLog, int], None]
    not_here: Callable[[bytes, bytes], Message]

    def bid(self, request: Request, registry: RegistryLog, now_ns: int) -> Message | None:
        """The answer to a bid that is to be given at once, or None: it moves no phase, and of the deadlines the end.

        Raises RemoteProtocolError for what is no bid.
        """
        body = request.body
        bid, name = decode_bid(body), command_id(body)
        place = self._place_of(request, bid, name, registry, now_ns)
        if not isinstance(place, AuctionLog):
            return place
        if (full := self.quotas.refuse_bid(place, bid, name)) is not None:
            return full
        refusal = place.decide_bid(bid, now_ns)
        if refusal is not None:
            self.outbox.reject(request, place, name, refusal, now_ns)
        elif place.add_bid(request, bid, name, now_ns):
            self.held.extended(place)
        return None

    def command(
        self, request: Request, command: Join | AnyCommand, registry: RegistryLog, now_ns: int
    ) -> Message | None:
        """As :meth:`bid`, for any other command, which ``request`` brought."""
        name = command_id(request.body)
        place = self._place_of(request, command, name, registry, now_ns)
        if not isinstance(place, AuctionLog):
            return place
        refusal = place.decide(command, name, registry.state, now_ns)
        if refusal is not None:
            self.outbox.reject(request, place, name, refusal, now_ns)
            return None
        if isinstance(command, Join):
            registry.meet(self.presence.peers[request.session], now_ns)
            place.add_join(request, command, name, now_ns)
        else:
            place.add_command(request, command, name, now_ns)
            self.held.turn(place)
            if place.auction.settlement is not None:
                # Whoever matters from now on has the grace to be there.
                self.presence.expect(place.auction.watched, now_ns)
        self.settle(place, now_ns)
        return None

    def _place_of(
        self, request: Request, command: Bid | Join | AnyCommand, name: bytes, registry: RegistryLog, now_ns: int
    ) -> AuctionLog | Message | None:
        """The log in which the rules are to judge the command called ``name``; else its answer, or None: it is owed.

        It has to be of its own session's identity, in an auction of ours that goes on, new, and there has to be room.
        """
        session, log = request.session, self.held.get(command.auction)
        answer = turn_away(self.presence.peers[session], command, request, registry.state, now_ns, log=log)
        if log is None or answer is not None:
            return answer or self.not_here(command.auction, name)
        if log.is_halted:
            return refused("halted", self.reminders.why(log.id) or "", name)
        self.held.answer(log)
        self.outbox.note_command(session, name, log.id)
        if log.owe_again(session, name):
            return None
        return no_room(name) if self.room.is_awaited(now_ns) else log
