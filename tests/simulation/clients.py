"""Whoever speaks to the house: a process with a core and one connection, on a machine with a clock of its own.

The moves are those of :mod:`auctionctl.net.dealer`: greet each new connection, hand in what came, heed what the core
says before anything is sent, and wake at its timer. Rule: a process that ends loses everything that is in it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from timeline import MILLISECOND_NS, SECOND_NS, Timeline

from auctionctl.errors import AuctionctlError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.core import Core
from auctionctl.wire.frames import Message

if TYPE_CHECKING:
    from network import Connection
    from world import World

WAKES_A_SECOND: Final = 400
"""More than that is a core that spins."""


class Machine:
    """What all processes of one person share: a clock, a way to the network, being awake."""

    def __init__(self, timeline: Timeline, offset_ns: int) -> None:
        self.offset_ns = offset_ns
        self.is_cut = False
        self.is_frozen = False
        self._timeline = timeline
        self._inbox: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def clock(self) -> int:
        """What a process on this machine takes for the time."""
        return self._timeline.now_ns + self.offset_ns

    def freeze(self, length_ns: int) -> None:
        """Nothing is done for a while, and then everything that came meanwhile."""
        if not self.is_frozen:
            self.is_frozen = True
            self._timeline.after(length_ns, self._thaw)

    def suspend(self, length_ns: int) -> None:
        """It sleeps, and its monotonic clock with it: its processes wake up late, and do not know."""
        if not self.is_frozen:
            self.freeze(length_ns)
            self.offset_ns -= length_ns

    def _thaw(self) -> None:
        self.is_frozen = False
        inbox, self._inbox = self._inbox, []
        for action, arguments in inbox:
            action(*arguments)

    def defers(self, action: Callable[..., None], *arguments: Any) -> bool:
        """Whether ``action`` has to wait, and will be called later."""
        if self.is_frozen:
            self._inbox.append((action, arguments))
        return self.is_frozen


class Client:
    """One process. ``name`` is of the person and of what it is for."""

    def __init__(self, world: World, name: str, key: SecretKey, machine: Machine) -> None:
        self.name = name
        self.key = key
        self.machine = machine
        self._world = world
        self._rng = random.Random(f"{name} {world.plan.seed}")
        self._life = 0
        self._core: Core | None = None
        self._connection: Connection | None = None
        self._armed_ns: int | None = None
        self._wakes = (0, 0)

    @property
    def is_cut(self) -> bool:
        """Whether nothing gets through between this person and the gateway."""
        return self.machine.is_cut

    # Life

    def run(self, core: Core) -> None:
        """The process begins, or begins again."""
        self._life += 1
        self._core = core
        self._nonces = nonces_of(f"{self.name} hello {self._life}")
        self._connect(self._life)

    def crash(self) -> None:
        """The process ends, now."""
        self._life += 1
        self._core = None
        self._armed_ns = None
        connection, self._connection = self._connection, None
        if connection is not None and self._world.gateway is not None:
            self._world.gateway.close(connection)

    # The connection

    def _connect(self, life: int) -> None:
        if life != self._life or self._connection is not None or self.machine.defers(self._connect, life):
            return
        world = self._world
        if world.gateway is None or self.is_cut or not world.gateway.admits(self):
            world.timeline.after(self._rng.randint(100, 500) * MILLISECOND_NS, self._connect, life)
            return
        self._connection = world.gateway.accept(self)
        world.timeline.after(self._rng.randint(1, 20) * MILLISECOND_NS, self._connected, self._connection)

    def _connected(self, connection: Connection) -> None:
        if connection is not self._connection or not connection.is_open:
            return
        if not self.machine.defers(self._connected, connection):
            self._greet()
            self._transmit()

    def _greet(self) -> None:
        assert self._core is not None
        self._core.connected(next(self._nonces), self.machine.clock())

    def break_off(self) -> None:
        """The connection breaks; the gateway sees it at once, and we soon."""
        connection = self._connection
        if connection is not None and self._world.gateway is not None:
            self._world.gateway.close(connection)
            self._world.timeline.after(self._rng.randint(0, 50) * MILLISECOND_NS, self.lose, connection)

    def lose(self, connection: Connection) -> None:
        """That connection is no more."""
        if connection is not self._connection or self.machine.defers(self.lose, connection):
            return
        assert self._core is not None
        self._connection = None
        self._core.disconnected()
        self._world.timeline.after(self._rng.randint(100, 500) * MILLISECOND_NS, self._connect, self._life)

    # The three moves

    def hear(self, connection: Connection, message: Message) -> None:
        """One message has come."""
        if connection is not self._connection or self.machine.defers(self.hear, connection, message):
            return
        assert self._core is not None
        try:
            notices = self._core.receive(message, self.machine.clock())
        except AuctionctlError as error:
            self._world.watch.accused(self.name, error)
            raise
        self._heed_and_send(notices)

    def _wake(self, life: int, armed_ns: int) -> None:
        if life != self._life or armed_ns != self._armed_ns or self.machine.defers(self._wake, life, armed_ns):
            return
        assert self._core is not None
        self._armed_ns = None
        self._count_wakes()
        now_ns = self.machine.clock()
        timer_ns = self._core.get_timer()
        if timer_ns is not None and timer_ns <= now_ns:
            if self._connection is not None and self._core.needs_hello(now_ns):
                self._greet()
            self._core.handle_timer(now_ns)
        self._heed_and_send(self._core.take_notices())

    def _count_wakes(self) -> None:
        second, count = self._wakes
        now_s = self._world.timeline.now_ns // SECOND_NS
        self._wakes = (now_s, count + 1 if second == now_s else 1)
        self._world.watch.awake(self.name, self._wakes[1], WAKES_A_SECOND)

    def _heed_and_send(self, notices: Sequence[Any]) -> None:
        if self.heed(notices):
            self._transmit()

    def heed(self, notices: Sequence[Any]) -> bool:
        """What the core has to say, before anything of it is sent; whether the process still runs after that."""
        raise NotImplementedError

    def _transmit(self) -> None:
        assert self._core is not None
        outgoing = self._core.take_outgoing()
        if self._connection is not None:
            for message in outgoing:
                self._world.wires.carry(self._connection, 0, message)
        self._arm()

    def _arm(self) -> None:
        """Wake at the core's timer, to the next millisecond, as a poll does."""
        if self._core is None or (timer_ns := self._core.get_timer()) is None:
            return
        at_ns = max(timer_ns - self.machine.offset_ns, self._world.timeline.now_ns + MILLISECOND_NS)
        if self._armed_ns is None or at_ns < self._armed_ns:
            self._armed_ns = at_ns
            self._world.timeline.at(at_ns, self._wake, self._life, at_ns)


def nonces_of(purpose: str) -> Iterator[bytes]:
    """16 bytes each, never the same twice."""
    for count in itertools.count():
        yield sha256(f"{purpose} {count}".encode()).digest()[:16]
