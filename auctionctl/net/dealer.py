"""The connection of one pure core to one house, at one of its places or several (DESIGN.md sections 5 and 8).

The core is a :class:`~auctionctl.replica.follower.Follower` or an :class:`~auctionctl.bidding.agent.Agent`; which
places it needs, and what goes where, is for :class:`~auctionctl.replica.branches.Branches` to say. The shell has three
moves: hand in what came, drain what the core wants sent, and sleep until its next timer. libzmq reconnects by itself;
its monitor says when, and each new connection is greeted anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from secrets import randbelow, token_bytes
from typing import Any, Final, Protocol

import zmq

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import NotAuthorisedError, UnreachableError
from auctionctl.keys.signing import SecretKey
from auctionctl.net.clock import Clock
from auctionctl.net.line import Line, LineEvent, configure
from auctionctl.replica.branches import Branches
from auctionctl.replica.core import Core
from auctionctl.wire.address import HouseAddress, place_of

__all__ = ["Beside", "Core", "Dealer", "configure"]

NONCE_BYTES: Final = 16
MESSAGES_A_TURN: Final = 256
BYE_LINGER_MS: Final = 200
PATIENCE_A_PLACE_S: Final = 1.5
"""How much longer the first welcome may take for each place more that a house has."""


class Beside(Protocol):
    """What a dealer waits for together with its house: another process, or somebody at a terminal."""

    def descriptors(self) -> Sequence[int]:
        """Where something to read ends the waiting; they may be others each time."""
        ...

    def turn(self) -> None:
        """Do what is due, without waiting. Called before and after each waiting."""
        ...


class Dealer:
    """Sockets to the places of ``address`` under the transport key of ``key``. Not for several threads."""

    def __init__(self, core: Core, address: HouseAddress, key: SecretKey) -> None:
        """Raises UnreachableError for an address that cannot be one."""
        self._core = core
        self._address = address
        self._key = key
        self._clock = Clock()
        places = [place.text for place in address.places]
        first = randbelow(len(places))  # So that not everybody is at the first place of an address.
        self._branches = Branches(core, places[first:] + places[:first], self._clock.now_ns())
        self._context = zmq.Context()
        self._lines: dict[str, Line] = {}
        self._poller = zmq.Poller()
        self._is_connected = False
        """Whether anybody at home listens."""
        self._is_closed = False
        self._before_send: Callable[[], None] | None = None
        self._beside: Beside | None = None
        self._watched: tuple[int, ...] = ()
        try:
            self._connect(self._branches.home)
        except UnreachableError:
            if not address.others:
                self.close()
                raise

    def run(
        self,
        on_notice: Callable[[Any], None],
        is_done: Callable[[], bool],
        *,
        patience_s: float = 5.0,
        tick_s: float = 0.25,
        on_tick: Callable[[], None] | None = None,
        before_send: Callable[[], None] | None = None,
        beside: Beside | None = None,
    ) -> None:
        """Drive the core until ``is_done()``; ``on_tick`` is called at least every ``tick_s`` seconds.

        ``before_send`` is called when the core has something to send, after all notices of it, and before it leaves; if
        that raises, it does not leave. ``beside`` gets its turns, which may give the core a timer that is due.

        Raises UnreachableError if no house has welcomed us within ``patience_s`` of the start, at any of its places;
        NotAuthorisedError if it refuses our key; and what the core raises. Later losses of the connection are mended
        without a word.
        """
        patience_s += PATIENCE_A_PLACE_S * len(self._address.others)
        deadline_s: float | None = time.monotonic() + patience_s
        self._before_send = before_send
        self._beside = beside
        while not is_done():
            self._step(tick_s, on_notice)
            if on_tick is not None:
                on_tick()
            deadline_s = self._check_patience(deadline_s, patience_s)

    def close(self) -> None:
        """Say goodbye if anybody listens, and free everything; a second time, nothing is left to do."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._is_connected:
            # What waits may be a bid that whoever keeps bids could not be told of, or is for a house that was caught.
            for line in self._lines.values():
                line.waiting.clear()
            self._core.take_outgoing()
            self._before_send = None
            self._branches.say_bye()
            self._transmit()
        for line in self._lines.values():
            line.close(BYE_LINGER_MS)
        self._context.term()

    def _check_patience(self, deadline_s: float | None, patience_s: float) -> float | None:
        """Until when the first welcome is waited for; None once it came. Raises UnreachableError."""
        if self._core.is_welcome:
            return None
        if deadline_s is not None and time.monotonic() > deadline_s:
            raise UnreachableError(
                f"no house answered at {self._address.where} within {patience_s:g} s",
                hint="is it running, and is this its address? `auctionctl serve` prints it",
            )
        return deadline_s

    # The three moves

    def _step(self, tick_s: float, on_notice: Callable[[Any], None]) -> None:
        self._transmit()
        self._turn_beside()
        ready = dict(self._poller.poll(self._timeout_ms(tick_s)))
        for place, line in list(self._lines.items()):
            if line.monitor in ready:
                self._heed_monitor(place, line, on_notice)
            if line.socket in ready and self._lines.get(place) is line:
                self._feed(place, line, on_notice)
        self._turn_beside()
        now_ns = self._clock.now_ns()
        timer_ns = self._branches.get_timer()
        if timer_ns is not None and timer_ns <= now_ns:
            for place in self._branches.open_places():
                if self._branches.needs_hello(place, now_ns):
                    self._greet(place, now_ns)
            self._branches.handle_timer(now_ns)
            # Before anything is sent: whoever keeps bids has to know of one before the house does.
            for notice in self._core.take_notices():
                on_notice(notice)
        self._transmit()

    def _turn_beside(self) -> None:
        if self._beside is None:
            return
        self._beside.turn()
        watched = tuple(self._beside.descriptors())
        if watched != self._watched:
            for descriptor in self._watched:
                self._poller.unregister(descriptor)
            for descriptor in watched:
                self._poller.register(descriptor, zmq.POLLIN)
            self._watched = watched

    def _timeout_ms(self, tick_s: float) -> int:
        timer_ns = self._branches.get_timer()
        if timer_ns is None:
            return int(tick_s * 1_000)
        wait_ms = -(-(timer_ns - self._clock.now_ns()) * 1_000 // SECOND_NS)
        return max(0, min(int(tick_s * 1_000), wait_ms))

    def _feed(self, place: str, line: Line, on_notice: Callable[[Any], None]) -> int:
        """Hand in what has come, and return how much. Nothing is sent meanwhile: notices go before messages."""
        count = 0
        for message in line.messages(MESSAGES_A_TURN):
            count += 1
            for notice in self._branches.receive(place, message, self._clock.now_ns()):
                on_notice(notice)
        return count

    def _transmit(self) -> None:
        outgoing = self._branches.take_outgoing(self._clock.now_ns())
        if outgoing and self._before_send is not None:
            self._before_send()
        self._open_and_close_lines()
        for place, message in outgoing:
            if (line := self._lines.get(place)) is not None:
                line.waiting.append(message)
        for line in self._lines.values():
            line.transmit()
        for words in self._branches.take_notes():
            logging.getLogger(__name__).warning(words)

    def _greet(self, place: str, now_ns: int) -> None:
        self._lines[place].waiting.clear()
        self._branches.connected(place, token_bytes(NONCE_BYTES), now_ns)

    def _heed_monitor(self, place: str, line: Line, on_notice: Callable[[Any], None]) -> None:
        for event in line.events():
            now_ns = self._clock.now_ns()
            if place not in self._branches.open_places():
                return
            if event is LineEvent.UP:
                line.is_connected = True
                # What is left of an earlier connection must not be taken for an answer over this one.
                while self._feed(place, line, on_notice) == MESSAGES_A_TURN:
                    pass
                self._greet(place, now_ns)
            elif event is LineEvent.DOWN:
                line.is_connected = False
                line.waiting.clear()
                self._branches.disconnected(place, now_ns)
            elif event is LineEvent.UNREACHED:
                self._branches.unreached(place)
            elif self._branches.refused(place, now_ns):
                raise NotAuthorisedError(
                    f"the house at {self._address.where} does not know this key",
                    hint="its operator admits it with: auctionctl allow add KEY NAME",
                )
            self._note_home()

    def _note_home(self) -> None:
        home = self._lines.get(self._branches.home)
        self._is_connected = home is not None and home.is_connected

    # Lines

    def _open_and_close_lines(self) -> None:
        """Have a socket for each place that is needed, and no other."""
        needed = self._branches.open_places()
        if needed == tuple(self._lines):
            return
        for place in [place for place in self._lines if place not in needed]:
            line = self._lines.pop(place)
            self._poller.unregister(line.socket)
            self._poller.unregister(line.monitor)
            line.close(0)
        for place in needed:
            if place not in self._lines:
                try:
                    self._connect(place)
                except UnreachableError:
                    self._branches.unreached(place)
        self._note_home()

    def _connect(self, place: str) -> None:
        line = Line(self._context, HouseAddress(self._address.identity, *place_of(place)), self._key)
        self._lines[place] = line
        self._poller.register(line.socket, zmq.POLLIN)
        self._poller.register(line.monitor, zmq.POLLIN)
