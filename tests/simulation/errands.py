"""Those who come for one thing: a seller with a lot, and whoever gives one command about an auction.

The cores are the real ones, :mod:`auctionctl.bidding.selling` and :mod:`auctionctl.bidding.commanding`. Rule: an errand
is a process of its own and over when its core is; what came of it is told, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from clients import Client, Machine, nonces_of
from timeline import MILLISECOND_NS

from auctionctl.bidding.commanding import Commander, Make
from auctionctl.bidding.rotating import Rotator, find_rotation
from auctionctl.bidding.selling import Asked, PutOff, Seller, Taken
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.frames import Message

if TYPE_CHECKING:
    from people import Person
    from world import World

LEAVING_NS = 100 * MILLISECOND_NS
LOOK_NS = 250 * MILLISECOND_NS


class Errand(Client):
    """A process that ends by itself."""

    def __init__(self, world: World, name: str, key: SecretKey, machine: Machine) -> None:
        super().__init__(world, name, key, machine)
        self.is_over = False
        world.errands.append(self)

    def end(self) -> None:
        """Say goodbye and go."""
        if self.is_over:
            return
        self.is_over = True
        assert self._core is not None
        self._core.say_bye()
        self._transmit()
        self._world.timeline.after(LEAVING_NS, self.crash)


class Sale(Errand):
    """A seller opens one auction."""

    def __init__(self, world: World, key: SecretKey, machine: Machine, listing: str, terms: Message) -> None:
        super().__init__(world, f"seller of {listing}", key, machine)
        self._terms = terms
        self._seller = Seller(key, world.house_key.identity, listing)

    def start(self) -> None:
        """Begin."""
        self.run(self._seller)

    def heed(self, notices: Sequence[Any]) -> bool:
        """Offer the terms when asked, and wait while they are put off; anything else but that they were taken fails."""
        for notice in notices:
            if isinstance(notice, Asked):
                if notice.held is None:
                    self._seller.offer(self._terms, self.machine.clock())
                else:
                    self.end()
            elif not isinstance(notice, PutOff):
                assert isinstance(notice, Taken), notice
                self._world.tally["lots taken"] += 1
                self.end()
        return True


class Command(Errand):
    """Somebody gives one command."""

    def __init__(
        self, world: World, name: str, key: SecretKey, machine: Machine, *, auction: bytes, role: str, make: Make
    ) -> None:
        super().__init__(world, name, key, machine)
        self._what = (auction, role, make)
        self.commander: Commander | None = None
        self.then: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin."""
        auction, role, make = self._what
        self.commander = Commander(
            self.key,
            self._world.house_key.identity,
            auction,
            role,
            make=make,
            nonce=next(nonces_of(f"{self.name} {self._world.plan.seed}")),
            now_ns=self.machine.clock(),
        )
        self.run(self.commander)

    def heed(self, notices: Sequence[Any]) -> bool:
        """Once it is answered, or given up, there is nothing more to do."""
        assert self.commander is not None
        if self.commander.ending is not None and not self.is_over:
            self._world.tally[f"commands: {type(self.commander.ending).__name__.lower()}"] += 1
            self.end()
            self.then()
        return not self.is_over


class Rotation(Errand):
    """A bidder, which is not running meanwhile, puts a new key in the place of its own.

    The house may never get to tell the old key, which it lets in no more: whoever rotates looks it up with the new one,
    and that is not played, but taken from the registry as it is durable.
    """

    def __init__(self, world: World, person: Person, new: SecretKey) -> None:
        super().__init__(world, f"{person.name}'s rotation", person.key, person.machine)
        self._person = person
        self._new = new
        self._rotator = Rotator(person.key, new, world.house_key.identity)

    def start(self) -> None:
        """Begin."""
        self.run(self._rotator)
        self._look()

    def heed(self, notices: Sequence[Any]) -> bool:
        """It has nothing to say."""
        return not self.is_over

    def _look(self) -> None:
        old, new = self.key.identity.signing, self._new.identity.signing
        if find_rotation(self._world.watch.registry.replay.state, old, new) is not None:
            self._world.tally["rotations"] += 1
            self._world.trace("rotated", self._person.name)
            self.end()
            self._person.keys.append(self._new)
            self._person.start()
        else:
            assert self._rotator.refusal is None, self._rotator.refusal
            self._world.timeline.after(LOOK_NS, self._look)
