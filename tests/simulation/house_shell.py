"""The house's process, without a process: its clock, its store and its queue around the real core.

The moves are those of :mod:`auctionctl.net.daemon`, in its order, but in virtual time, so that the process can end at
any instant: also between two of them, with a commit under way, durable or not. Rule: what :class:`HouseShell` keeps is
lost when it ends; what the store keeps is not.
"""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

from faulty_store import Failure
from plan import Hazards
from timeline import MILLISECOND_NS, SECOND_NS

from auctionctl.auction.command_id import command_id
from auctionctl.errors import ConfigurationError, StoreBrokenError, StoreFullError
from auctionctl.house.effects import Append as AppendEffect
from auctionctl.house.effects import Commit, Effect, Fetch, Follow, Greeted, Page, Publish, Send
from auctionctl.house.house import House
from auctionctl.house.intake import Request, refused
from auctionctl.house.limits import Limits
from auctionctl.net.clock import check_clock
from auctionctl.net.daemon import (
    ALIVE_NS,
    BUSY_RETRY_NS,
    FULL_PAUSE_NS,
    TICK_NS,
)
from auctionctl.net.hops import Following, Known, ToFollowers, ToSession
from auctionctl.net.lanes import BATCH_REQUESTS
from auctionctl.net.reading import Reading
from auctionctl.net.stored_logs import StoredLogs
from auctionctl.store.archive import Archive
from auctionctl.store.log_store import Append

if TYPE_CHECKING:
    from network import Operation
    from world import World

NO_ARCHIVE: Final = Archive(Path("/nonexistent/of-no-simulation"))
BACKOFF_NS: Final = SECOND_NS
OFFER_NS: Final = SECOND_NS // 2
"""How long after one of its own lots the house announces another, or the same again."""
POLL_NS: Final = 10 * MILLISECOND_NS
TURN_NS: Final = MILLISECOND_NS
"""How long after a request the house takes it up: others may come meanwhile, and are of the same batch."""


class HouseShell:
    """The house, again and again. ``world`` has its machine: the wall clock, the store, the gateway."""

    def __init__(self, world: World, hazards: Hazards, rng: random.Random) -> None:
        self.house: House | None = None
        self.is_begun = False
        self.is_calm = False
        self._world = world
        self._hazards = hazards
        self._rng = rng
        self._life = 0
        self._limits = Limits(queue=rng.choice((1_000, 1_000, 8)))

    def clock(self) -> int:
        """The house's time: wall at the start of the process, monotonic from then on."""
        return self._world.timeline.now_ns + self._offset_ns

    # Life

    def start(self) -> None:
        """The supervisor starts the process; one that may not start is tried again."""
        world = self._world
        self._offset_ns = world.wall_offset_ns
        store = world.store
        store.reopen()
        try:
            now_ns = check_clock(self.clock(), store.last_alive_ns() or 0)
        except ConfigurationError:
            world.tally["starts refused for the clock"] += 1
            world.timeline.after(BACKOFF_NS, self.start)
            return
        self._life += 1
        world.trace("house starts", now_ns)
        self.house = House(world.house_key, self._limits, world.allowed, now_ns)
        self._stored = StoredLogs(world.house_key, store, NO_ARCHIVE)
        self._registry = self._stored.registry()
        self._recovered, quarantined = self._stored.auctions(self._registry)
        world.watch.recovered(self._recovered, quarantined)
        self._reading = Reading(store, self.house.quotas, self.house.presence.peers)
        self._queue: deque[Request] = deque()
        self._stimuli: deque[str] = deque()
        self._operations: list[Operation] = []
        self._alive_ns = self._looked_ns = self._turn_ns = now_ns
        """As in the daemon: all that a turn does is as of its beginning."""
        self._is_busy = False
        self._is_frozen = False
        self._is_full = False
        self._offer_ns = 0
        self._next_turn_ns: int | None = None
        self.is_begun = False
        world.timeline.after(self._rng.randint(20, 300) * MILLISECOND_NS, world.start_gateway, self._life)

    @property
    def life(self) -> int:
        """Which start this is; 0 before the first."""
        return self._life

    def crash(self) -> None:
        """The process ends, now."""
        assert self.house is not None
        self._world.watch.house_died(max(self.clock(), self._looked_ns) if self.is_begun else None)
        self._life += 1
        self.house = None
        self.is_begun = False

    def freeze(self, length_ns: int) -> None:
        """Nothing is done for a while, and then everything that came meanwhile."""
        if self.house is None or self._is_frozen:
            return
        self._is_frozen = True
        self._world.timeline.after(length_ns, self._thaw, self._life)

    def _thaw(self, life: int) -> None:
        if life == self._life:
            self._is_frozen = False
            self._schedule(0)

    # What comes in

    def take(self, request: Request) -> None:
        """What a verifier hands over."""
        if self.house is None:
            return
        if len(self._queue) < self._limits.queue or not request.body:
            self._queue.append(request)
        else:
            busy = refused("busy", "the queue of this house is full", command_id(request.body), BUSY_RETRY_NS)
            self._operations.append(ToSession(request.session, *busy))
        self._schedule(TURN_NS)

    def gateway_lost(self) -> None:
        """The pipe to the gateway has ended."""
        self._stimulate("lost")

    def gateway_serves(self) -> None:
        """A gateway says that it listens."""
        self._stimulate("serves")

    def _stimulate(self, what: str) -> None:
        if self.house is not None:
            self._stimuli.append(what)
            self._schedule(0)

    def _schedule(self, wait_ns: int) -> None:
        at_ns = self._world.timeline.now_ns + wait_ns
        if self._next_turn_ns is None or at_ns < self._next_turn_ns:
            self._next_turn_ns = at_ns
            self._world.timeline.at(at_ns, self._turn, self._life, at_ns)

    # The loop

    def _turn(self, life: int, at_ns: int) -> None:
        if life != self._life or at_ns != self._next_turn_ns:
            return
        self._next_turn_ns = None
        if self._is_busy or self._is_frozen:
            return
        now_ns = self._turn_ns = self.clock()
        if self._stimuli:
            self._heed(self._stimuli.popleft(), now_ns)
        elif self.is_begun and not self._announce(now_ns):
            assert self.house is not None
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_REQUESTS))]
            self._look(now_ns)
            self._world.watch.judging(batch, now_ns)
            self._perform(self.house.handle(batch, now_ns), now_ns)

    def _heed(self, stimulus: str, now_ns: int) -> None:
        assert self.house is not None
        if stimulus == "lost":
            self._operations.clear()
            first = self._world.first_session
            self._reading.forget(range(first))
            self._queue = deque(each for each in self._queue if each.session >= first)
            if self.is_begun:
                self._world.watch.gateway_lost(max(now_ns, self._looked_ns), self._looked_ns)
                self._looked_ns = max(now_ns, self._looked_ns)
                self.house.gateway_lost(now_ns)
            self._end()
        elif self.is_begun:
            effects = self.house.gateway_back(now_ns)
            self._looked_ns = max(now_ns, self._looked_ns)
            self._world.watch.gateway_back(self._looked_ns)
            self._perform(effects, now_ns)
        else:
            self.is_begun = True
            last_ns = self._world.store.last_alive_ns()
            # Without a gateway it was not alive, and entries may be dated later: its clock is not before those either.
            dated_ns = (log.auction.last_time_ns for log in self._recovered)
            self._looked_ns = max(now_ns, last_ns or 0, self._registry.state.last_time_ns, *dated_ns)
            effects = self.house.adopt(self._registry, self._recovered, last_ns, now_ns)
            self._world.watch.house_serves(self._looked_ns, last_ns)
            self._perform(effects, now_ns)

    def _announce(self, now_ns: int) -> bool:
        """Begin one of the house's own auctions, if one is due; whether one was."""
        assert self.house is not None
        if now_ns < self._offer_ns:
            return False
        for lot in self._world.lots_due():
            if self.house.registry.state.find_listing(lot.seller, lot.listing) is None:
                self._offer_ns = now_ns + OFFER_NS
                self._look(now_ns)
                self._perform(self.house.announce(*lot.message, now_ns), now_ns)
                return True
        return False

    def _look(self, now_ns: int) -> None:
        self._world.watch.looked(self._looked_ns, now_ns)
        self._looked_ns = max(now_ns, self._looked_ns)

    # Effects

    def _perform(self, effects: list[Effect], now_ns: int) -> None:
        for effect in effects:
            match effect:
                case Commit(appends):
                    self._commit(appends, now_ns)
                    return
                case Page() | Fetch():
                    self._reading.ask(effect)
                case Send(session, message):
                    self._operations.append(ToSession(session, *message))
                case Publish(auction, message):
                    self._operations.append(ToFollowers(auction, message.body))
                case Follow(session, auctions):
                    self._operations.append(Following(session, list(auctions)))
                case Greeted(session, identity, _, role):
                    self._operations.append(Known(session, identity.signing, role))
        self._end()

    def _commit(self, effects: tuple[AppendEffect, ...], now_ns: int) -> None:
        assert self.house is not None
        appends = [Append(*effect) for effect in effects]
        alive_ns = self.house.alive_ns(now_ns)
        first_ns, second_ns = 0, 0
        chance, hazards, world = self._rng.random, self._hazards, self._world
        crashes_after = False
        if not self.is_calm:
            if chance() < hazards.crash_before:
                world.tally["crashes before an append"] += 1
                world.crash_house()
                return
            crashes_after = chance() < hazards.crash_after
            for rate, failure in (
                (hazards.refused, Failure.REFUSED),
                (hazards.broken_lost, Failure.BROKEN_LOST),
                (hazards.broken_kept, Failure.BROKEN_KEPT),
            ):
                if rate and chance() < rate:
                    world.store.fail_next(failure)
            if chance() < hazards.slow:
                first_ns = self._rng.randint(1, 400) * MILLISECOND_NS * self._rng.choice((1, 1, 4))
                second_ns = self._rng.randint(1, 300) * MILLISECOND_NS
        if first_ns:
            self._is_busy = True
            world.timeline.after(first_ns, self._append, self._life, appends, alive_ns, second_ns, crashes_after)
        else:
            self._append(self._life, appends, alive_ns, second_ns, crashes_after)

    def _append(self, life: int, appends: list[Append], alive_ns: int, wait_ns: int, crashes: bool) -> None:
        if life != self._life:
            return
        world = self._world
        if self._is_frozen:
            world.timeline.after(POLL_NS, self._append, life, appends, alive_ns, wait_ns, crashes)
            return
        assert self.house is not None
        try:
            world.store.append(appends, alive_ns)
        except StoreFullError:
            world.tally["batches rolled back"] += 1
            self._is_full = True
            world.watch.rolled_back(max(self._turn_ns, self._looked_ns))
            self._perform(self.house.rolled_back(self._stored.rebuild, self._stored.registry), self._turn_ns)
            return
        except StoreBrokenError:
            world.tally["broken stores"] += 1
            world.crash_house()
            return
        self._is_full = False
        if crashes:
            world.tally["crashes before a release"] += 1
            world.crash_house()
        elif wait_ns:
            world.timeline.after(wait_ns, self._release, life, appends)
        else:
            self._release(life, appends)

    def _release(self, life: int, appends: list[Append]) -> None:
        if life != self._life:
            return
        if self._is_frozen:
            self._world.timeline.after(POLL_NS, self._release, life, appends)
            return
        assert self.house is not None
        if appends:
            self._alive_ns = self._turn_ns
        effects = self.house.committed()
        self._world.watch.committed(self.house, appends, max(self._turn_ns, self._looked_ns))
        self._perform(effects, self._turn_ns)

    def _end(self) -> None:
        """The end of a turn: all that it has to say leaves at once."""
        assert self.house is not None
        self._is_busy = False
        world, gateway, now_ns = self._world, self._world.gateway, self._turn_ns
        self.house.take_turned()
        if gateway is not None and self.is_begun:
            self._operations += self._reading.answer(lambda _: 0, self._turn_ns)
        if self.is_begun and now_ns - self._alive_ns >= ALIVE_NS:
            self._alive_ns = now_ns
            try:
                if self.house.unfinished_count:
                    world.store.alive(self.house.alive_ns(now_ns))
            except StoreFullError:
                self._is_full = True
            except StoreBrokenError:
                world.crash_house()
                return
        operations, self._operations = self._operations, []
        if gateway is not None and operations:
            world.watch.said(operations)
            gateway.perform(operations)
        if gateway is not None and self.is_begun:
            gateway.admit(self.house.allowed)
        if self._stimuli or self._queue or (self._reading and gateway is not None):
            self._schedule(0)
            return
        timer_ns = self.house.get_timer()
        wait_ns = TICK_NS if timer_ns is None else min(TICK_NS, max(0, timer_ns - self.clock()))
        self._schedule(max(wait_ns, FULL_PAUSE_NS) if self._is_full else wait_ns)
