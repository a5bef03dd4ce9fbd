"""What sessions ask of the logs: the catalogue, entries, and to hear of what is new (DESIGN.md section 3).

Its rule: of what is not durable nothing is told; so questions wait for the end of the batch, but for the subscription
itself, and what the house does not hold is said, or passed over, at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from auctionctl.house.answers import no_such_auction
from auctionctl.house.clock_heads import ClockHeads
from auctionctl.house.effects import Effect, Follow, Gauge, Send
from auctionctl.house.intake import refused
from auctionctl.house.log import HouseLog
from auctionctl.house.outbox import Outbox
from auctionctl.house.subscriptions import Subscriptions
from auctionctl.replica.registry import REGISTRY_ID, Registry
from auctionctl.wire.measures import Measure
from auctionctl.wire.messages import List, Read, Subscribe


class Questions:
    """``find`` gives the log of an id, if the house holds it."""

    def __init__(self, outbox: Outbox, clock_heads: ClockHeads, find: Callable[[bytes], HouseLog | None]) -> None:
        self._outbox = outbox
        self._clock_heads = clock_heads
        self._find = find
        self.subscriptions = Subscriptions(find)

    def take(
        self, session: int, message: List | Subscribe | Read | Measure, registry: Registry, most: int
    ) -> list[Effect]:
        """What is to be done now; an answer follows when the batch is durable. ``registry`` knows what was archived.

        ``most`` is how many logs one session may follow.
        """
        match message:
            case List(start):
                self._outbox.ask_page(session, start)
                return []
            case Measure():
                return [Gauge(session)]
            case Subscribe(auctions):
                return [self._follow(session, auctions, most)]
            case Read(auction, start):
                log = self._find(auction)
                if log is None or not (log.durable_size or auction == REGISTRY_ID):
                    return [Send(session, no_such_auction(registry, auction, auction))]
                self._outbox.ask_entries(session, log, start)
                return []
            case _:
                assert_never(message)

    def _follow(self, session: int, auctions: tuple[bytes, ...], most: int) -> Effect:
        """Of what is complete there is nothing to be heard; the reading of it, which comes along, is answered."""
        found = [log for auction in auctions if (log := self._find(auction)) is not None and not log.is_complete]
        if not self.subscriptions.add(session, found, most):
            return Send(session, refused("quota", f"this house lets one session follow {most} logs at once"))
        for log in found:
            self._clock_heads.follow(log.id)
        return Follow(session, tuple(log.id for log in found))
