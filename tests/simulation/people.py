"""Bidders: the machine, the process and the disk around the real agent.

The moves are those of :mod:`auctionctl.net.dealer`: greet each new connection, hand in what came, keep what has to be
kept, and only then send. Rule: a process that ends loses everything but what stands in ``kept`` and ``refused``, which
are the disk, as :mod:`auctionctl.cli.bid_journal` keeps it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from plan import CURRENCY, PersonPlan
from timeline import MILLISECOND_NS, SECOND_NS

from auctionctl.auction.price import Money
from auctionctl.bidding import strategies
from auctionctl.bidding.agent import Agent
from auctionctl.bidding.notices import AgentNotice, BidAccepted, BidPlaced, BidRejected
from auctionctl.bidding.wallet import Wallet
from auctionctl.errors import AuctionctlError
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.frames import Message

if TYPE_CHECKING:
    from network import Connection
    from world import World

WAKES_A_SECOND: Final = 400
"""More than that is an agent that spins."""
CLOCK_CHANCE: Final = 0.2
CLOCK_JUMP_NS: Final = 20 * SECOND_NS
"""Between two processes the clock of a machine may be set: a process does not see that."""


class Person:
    """One bidder of the plan."""

    def __init__(self, world: World, plan: PersonPlan, key: SecretKey) -> None:
        self.name = plan.name
        self.key = key
        self.plan = plan
        self.agent: Agent | None = None
        self.is_cut = False
        self.kept: dict[bytes, BidPlaced] = {}
        self.refused: set[bytes] = set()
        self.persist_crash = 0.0
        self._world = world
        self._offset_ns = plan.skew_ns
        self._rng = random.Random(f"{plan.name} {world.plan.seed}")
        self._life = 0
        self._chosen: frozenset[bytes] | None = None
        self._connection: Connection | None = None
        self._is_frozen = False
        self._inbox: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._armed_ns: int | None = None
        self._wakes = (0, 0)

    def clock(self) -> int:
        """What this person's machine says."""
        return self._world.timeline.now_ns + self._offset_ns

    @property
    def is_done(self) -> bool:
        """Whether every auction has ended, for all that this person knows."""
        return self.agent is not None and len(self.agent.outcomes) >= self.auction_count and self.agent.is_done

    @property
    def auction_count(self) -> int:
        """How many auctions there are for this person."""
        return self._world.lots_for_all if self._chosen is None else len(self._chosen)

    # Life

    def start(self) -> None:
        """Begin, or begin again, with what was kept."""
        world = self._world
        self._life += 1
        if self._rng.random() < CLOCK_CHANCE:
            self._offset_ns += self._rng.randint(-CLOCK_JUMP_NS, CLOCK_JUMP_NS)
        if self._life == 1 and self.plan.is_choosy:
            here = world.auctions_in(CURRENCY)
            self._chosen = frozenset(self._rng.sample(here, self._rng.randint(1, len(here)))) if here else None
        value = str(Money(self.plan.value_minor, CURRENCY))
        self.agent = Agent(
            self.key,
            world.house_key.identity,
            strategy=strategies.factory(self.plan.strategy, {"value": value}),
            wallet=Wallet(Money(self.plan.budget_minor, CURRENCY)),
            rng=random.Random(f"{self.name} {self._life} {world.plan.seed}"),
            nonces=_nonces(f"{self.name} {self._life}"),
            auctions=self._chosen,
            earlier=[placed.message for name, placed in self.kept.items() if name not in self.refused],
            refused=[placed.message for name, placed in self.kept.items() if name in self.refused],
        )
        self._nonces = _nonces(f"{self.name} hello {self._life}")
        world.trace("starts", self.name, len(self.kept))
        self._connect(self._life)

    def crash(self) -> None:
        """The process ends, now."""
        self._life += 1
        self.agent = None
        self._inbox.clear()
        self._armed_ns = None
        connection, self._connection = self._connection, None
        if connection is not None and self._world.gateway is not None:
            self._world.gateway.close(connection)

    def freeze(self, length_ns: int) -> None:
        """Nothing is done for a while, and then everything that came meanwhile."""
        if not self._is_frozen:
            self._is_frozen = True
            self._world.timeline.after(length_ns, self._thaw)

    def _thaw(self) -> None:
        self._is_frozen = False
        inbox, self._inbox = self._inbox, []
        for action, arguments in inbox:
            action(*arguments)
        self._arm()

    def suspend(self, length_ns: int) -> None:
        """The machine sleeps, and its monotonic clock with it: the process wakes up late, and does not know."""
        if not self._is_frozen:
            self.freeze(length_ns)
            self._offset_ns -= length_ns
            self._armed_ns = None

    def _defers(self, action: Callable[..., None], *arguments: Any) -> bool:
        if self._is_frozen:
            self._inbox.append((action, arguments))
        return self._is_frozen

    # The connection

    def _connect(self, life: int) -> None:
        if life != self._life or self._connection is not None or self._defers(self._connect, life):
            return
        world = self._world
        if world.gateway is None or self.is_cut:
            world.timeline.after(self._rng.randint(100, 500) * MILLISECOND_NS, self._connect, life)
            return
        self._connection = world.gateway.accept(self)
        world.timeline.after(self._rng.randint(1, 20) * MILLISECOND_NS, self._connected, self._connection)

    def _connected(self, connection: Connection) -> None:
        if connection is self._connection and connection.is_open and not self._defers(self._connected, connection):
            self._greet()
            self._transmit()

    def _greet(self) -> None:
        assert self.agent is not None
        self.agent.connected(next(self._nonces), self.clock())

    def break_off(self) -> None:
        """The connection breaks; the gateway sees it at once, and we soon."""
        connection = self._connection
        if connection is not None and self._world.gateway is not None:
            self._world.gateway.close(connection)
            self._world.timeline.after(self._rng.randint(0, 50) * MILLISECOND_NS, self.lose, connection)

    def lose(self, connection: Connection) -> None:
        """That connection is no more."""
        if connection is not self._connection or self._defers(self.lose, connection):
            return
        assert self.agent is not None
        self._connection = None
        self.agent.disconnected()
        self._world.timeline.after(self._rng.randint(100, 500) * MILLISECOND_NS, self._connect, self._life)

    # The three moves

    def hear(self, connection: Connection, message: Message) -> None:
        """One message has come."""
        if connection is not self._connection or self._defers(self.hear, connection, message):
            return
        assert self.agent is not None
        try:
            notices = self.agent.receive(message, self.clock())
        except AuctionctlError as error:
            self._world.watch.accused(self.name, error)
            raise
        self._keep_and_send(notices)

    def _wake(self, life: int, armed_ns: int) -> None:
        if life != self._life or armed_ns != self._armed_ns or self._defers(self._wake, life, armed_ns):
            return
        assert self.agent is not None
        self._armed_ns = None
        self._count_wakes()
        now_ns = self.clock()
        timer_ns = self.agent.get_timer()
        if timer_ns is not None and timer_ns <= now_ns:
            if self._connection is not None and self.agent.needs_hello(now_ns):
                self._greet()
            self.agent.handle_timer(now_ns)
        self._keep_and_send(self.agent.take_notices())

    def _count_wakes(self) -> None:
        second, count = self._wakes
        now_s = self._world.timeline.now_ns // SECOND_NS
        self._wakes = (now_s, count + 1 if second == now_s else 1)
        self._world.watch.awake(self.name, self._wakes[1], WAKES_A_SECOND)

    def _keep_and_send(self, notices: list[AgentNotice]) -> None:
        for notice in notices:
            if isinstance(notice, BidPlaced) and self.persist_crash and self._rng.random() < self.persist_crash:
                self._die_keeping(notice)
                return
            self._keep(notice)
        self._forget_decided()
        self._transmit()

    def _die_keeping(self, placed: BidPlaced) -> None:
        """The process ends between the making of a bid and its sending; the bid is on the disk, or is not."""
        if self._rng.random() < 0.5:
            self._keep(placed)
        self._world.tally["crashes with a bid in hand"] += 1
        self._world.crash_person(self, self._rng.randint(100, 3_000) * MILLISECOND_NS)

    def _forget_decided(self) -> None:
        assert self.agent is not None
        for name, placed in list(self.kept.items()):
            if not self.agent.wallet.is_undecided(placed.auction, name):
                del self.kept[name]

    def _keep(self, notice: AgentNotice) -> None:
        if isinstance(notice, BidPlaced):
            self.kept[notice.command] = notice
            self._world.watch.placed(self, notice)
        elif isinstance(notice, BidAccepted):
            self._world.watch.accepted(self, notice)
        elif isinstance(notice, BidRejected):
            self.refused.add(notice.command)
            self._world.watch.rejected(self, notice)

    def _transmit(self) -> None:
        assert self.agent is not None
        outgoing = self.agent.take_outgoing()
        if self._connection is not None:
            for message in outgoing:
                self._world.wires.carry(self._connection, 0, message)
        self._arm()

    def _arm(self) -> None:
        """Wake at the agent's timer, to the next millisecond, as a poll does."""
        if self.agent is None or (timer_ns := self.agent.get_timer()) is None:
            return
        at_ns = max(timer_ns - self._offset_ns, self._world.timeline.now_ns + MILLISECOND_NS)
        if self._armed_ns is None or at_ns < self._armed_ns:
            self._armed_ns = at_ns
            self._world.timeline.at(at_ns, self._wake, self._life, at_ns)


def _nonces(purpose: str) -> Iterator[bytes]:
    """16 bytes each, never the same twice."""
    for count in itertools.count():
        yield sha256(f"{purpose} {count}".encode()).digest()[:16]
