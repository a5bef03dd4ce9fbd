"""The house's process: its clock, its store and its pipes around the pure core (DESIGN.md section 3).

One loop, three moves: gather what the verifiers have checked, let the core decide, perform its effects. A commit is
made inside the loop, so that the next batch gathers meanwhile; answers go out after it, in one frame to each gateway.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final, assert_never

import msgspec

from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import ArchiveError, ConfigurationError, OvertakenError, StoreFullError, TermsError
from auctionctl.house.condition import QUARANTINED, STORE_FULL, STORE_LOSSY
from auctionctl.house.effects import Commit, Conflict, Effect, Fetch, Follow, Gauge, Greeted, Halt, Page, Publish, Send
from auctionctl.house.house import House
from auctionctl.house.intake import Request, refused
from auctionctl.house.shared_house import SharedHouse
from auctionctl.keys.signing import SecretKey
from auctionctl.net.allow_file import AllowFile
from auctionctl.net.allowing import Allowing, keys_listed
from auctionctl.net.alone import Recovered
from auctionctl.net.archive_turns import ArchiveTurns
from auctionctl.net.archiving import Archiving
from auctionctl.net.child_words import GatewayPipe, Stop, VerifierPipe, encode
from auctionctl.net.chunks import Checked
from auctionctl.net.clock import Clock, check_clock
from auctionctl.net.control import hear_supervisor, send_control
from auctionctl.net.gateway_ends import GatewayEnd, GatewayEnds
from auctionctl.net.hops import Admit, Counted, Ending, Following, Known, LastWord, ToFollowers, decode_from_gateway
from auctionctl.net.house_store import lossy_words, open_store, shared_text
from auctionctl.net.house_words import (
    Admitted,
    FromChild,
    Listening,
    Opened,
    Reload,
    Reloaded,
    SettingsKept,
    StartHouse,
    StoreFull,
    Warn,
    decode_checked,
    decode_to_house,
)
from auctionctl.net.instances import take_part
from auctionctl.net.keeping import Keeping
from auctionctl.net.lanes import Lanes, most_at_once
from auctionctl.net.limiting import limiting_of
from auctionctl.net.metering import Meter
from auctionctl.net.news import describe_turn, tell, tell_progress
from auctionctl.net.noticing import Noticing
from auctionctl.net.outlook import Outlook
from auctionctl.net.own_lots import OwnLots, list_announced
from auctionctl.net.pipes import Pipe, PipeClosedError
from auctionctl.net.pulse import ALIVE_NS, Pulse
from auctionctl.net.reading import Reading
from auctionctl.net.stored_logs import StoredLogs
from auctionctl.net.summaries import Summaries
from auctionctl.net.ways import Way, Ways
from auctionctl.store.archive import Archive
from auctionctl.store.log_store import Append
from auctionctl.wire.listing import LotDescription

ARCHIVE_DIRECTORY: Final = "archive"
TICK_NS: Final = SECOND_NS // 4
BUSY_REQUESTS: Final = 8
"""A batch of so many says that more are on their way: the next one is waited for, a little."""
GATHER_NS: Final = SECOND_NS // 500
GATHER_REQUESTS: Final = 64
FULL_PAUSE_NS: Final = SECOND_NS // 10  # A full store is left alone so long: each attempt reads logs anew.
BUSY_RETRY_NS: Final = SECOND_NS // 20


class HouseProcess:
    """The loop of the house's process; the supervisor is at the other end of ``control``."""

    def __init__(self, control: socket.socket, start: StartHouse) -> None:
        self._control = control
        self._clock = Clock()
        self._key = SecretKey.from_text(start.seed_text)
        self._allowing = Allowing(control, AllowFile(Path(start.allow_list), self._key.identity, start.access))
        self._store = open_store(start, self._key.identity)
        self._keeping = Keeping(control, Path(start.state), self._store)
        self._lots: Sequence[LotDescription] = start.lots
        now_ns = check_clock(self._clock.now_ns(), self._store.last_alive_ns() or 0)
        archive = Archive(Path(start.state) / ARCHIVE_DIRECTORY)
        self._stored = StoredLogs(self._key, self._store, archive)
        self._registry = self._stored.registry()
        allowed = self._allowing.begin(start.allowed_before, shared_text(self._store))
        kind = House if start.instance is None else SharedHouse
        self._house = kind(self._key, start.limits, allowed, now_ns, self._registry)
        self._part = take_part(start, self._store, self._house, self._perform, now_ns)
        self._house.warnings.put(STORE_LOSSY, lossy_words(self._store))
        self._limiting = limiting_of(start, control, self._house, self._store)
        self._admitted = self._house.allowed
        archiving = Archiving(self._house, self._store, archive, start.retention_ns)
        self._archiving = ArchiveTurns(control, self._house.warnings, archiving)
        try:
            archiving.check()
        except ArchiveError as error:
            if start.allowed_before is None:
                raise ConfigurationError(str(error), hint=error.hint) from error
            self._archiving.say_failed(error)
        self._recovered, quarantined = self._stored.auctions(self._registry, lambda *far: tell_progress(control, *far))
        for name, reason in quarantined:
            self._house.warnings.say(QUARANTINED, reason, name)
        self._report(Opened(quarantined))
        self._gateways = GatewayEnds()
        self._verifiers: dict[int, Pipe] = {}
        self._noticing = Noticing(control, self._house)
        self._ways = Ways()
        self._is_silent = False
        self._queue = Lanes(self._house.presence.peers)
        self._meter = Meter(self._house, self._queue, lambda: self._store.size_bytes)
        self._tells_measures = start.tells_measures
        self._summaries = Summaries(Path(start.state))
        self._last_batch = 0
        self._reading = Reading(self._store, self._house.quotas, self._house.presence.peers)
        self._alive_ns = now_ns
        self._looked_ns = now_ns
        self._pulse = Pulse(control, self._house, self._ways)
        self._seen: set[tuple[bytes, str]] = set()
        self._is_begun = False
        self._is_stopping = False
        self._own_lots = OwnLots(self._house, self._key, self._perform)
        self._outlook = Outlook(self._report, self._house, self._own_lots, self._part)
        self._said_full = False

    # The loop

    def run(self) -> None:
        """Until told to stop, or the supervisor is gone."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            while not self._is_stopping:
                self._gather(selector)
                self._turn()
            while self._is_begun and self._queue:
                self._turn()
        if self._is_begun:
            self._part.leave(self._clock.now_ns())
        # With a checkpoint: the next start has nothing to recover.
        self._store.close()

    def _gather(self, selector: selectors.BaseSelector) -> None:
        """Take what comes next; while requests come thick, a little more of it, so that a commit is worth its cost."""
        self._select(selector, self._patience_s())
        if self._last_batch < BUSY_REQUESTS:
            return
        deadline_ns = self._clock.now_ns() + GATHER_NS
        while len(self._queue) < GATHER_REQUESTS and not self._is_stopping:
            wait_ns = deadline_ns - self._clock.now_ns()
            if wait_ns <= 0:
                return
            self._select(selector, wait_ns / SECOND_NS)

    def _select(self, selector: selectors.BaseSelector, patience_s: float) -> None:
        self._register(selector)
        for key, events in selector.select(patience_s):
            if key.fileobj is self._control:
                self._hear(selector)
            elif isinstance(key.data, GatewayEnd):
                self._serve_gateway(key.data, events, selector)
            elif isinstance(key.fileobj, Pipe):
                self._serve_verifier(key.fileobj, selector)

    def _register(self, selector: selectors.BaseSelector) -> None:
        for end in self._gateways:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if end.pipe.backlog_bytes else 0)
            if selector.get_key(end.pipe).events != wanted:
                selector.modify(end.pipe, wanted, end)

    def _patience_s(self) -> float:
        timer_ns, least_ns = self._house.get_timer(), FULL_PAUSE_NS if self._said_full else 0
        wait_ns = TICK_NS if timer_ns is None else min(TICK_NS, max(least_ns, timer_ns - self._clock.now_ns()))
        is_reading = self._reading.is_due(self._gateways.backlog_bytes) or self._part.is_behind()
        return 0.0 if self._queue or is_reading or self._archiving.is_under_way else wait_ns / SECOND_NS

    def _turn(self) -> None:
        """One batch, at one instant."""
        now_ns = self._clock.now_ns()
        if self._is_begun:
            self._take_part(now_ns)
            self._watch_ways(now_ns)
            batch = self._queue.take(most_at_once(self._meter.commit_ns))
            self._last_batch = len(batch)
            self._meter.begin(len(batch))
            effects = self._house.handle(batch, now_ns)
            self._meter.decided()
            self._perform(effects, now_ns)
            self._meter.performed()
            for answer in self._reading.answer(self._gateways.backlog_bytes, now_ns):
                self._send(answer.session, (answer.body, answer.signature))
            for log in self._house.take_turned():
                tell(self._control, describe_turn(log, self._house.allowed))
            closed = self._house.take_closed()
            self._meter.ended(closed)
            self._summaries.note_ended(closed, self._house.tally.recent)
            self._pulse.beat(now_ns)
            self._noticing.tell(now_ns)
            self._summaries.flush()
            if self._tells_measures:
                self._meter.tell(self._control, now_ns)
            self._keep_alive(now_ns)
            if not batch and self._archiving.is_due(now_ns):
                self._archive(now_ns)
            self._watch_allow_list(now_ns)
            self._outlook.tell_whether_closed()
        if not self._queue and not self._reading:
            for end in self._gateways:
                if end.is_ending:
                    end.is_ending = False
                    self._part.leave(now_ns)
                    end.operations.append(LastWord())
        self._gateways.flush(self._meter.durable_ns)

    def _take_part(self, now_ns: int) -> None:
        try:
            self._part.turn(now_ns)
        except StoreFullError as error:
            self._say_full(error)

    # Control

    def _report(self, message: FromChild) -> None:
        send_control(self._control, encode(message))

    def _hear(self, selector: selectors.BaseSelector) -> None:
        message, descriptors = hear_supervisor(self._control, decode_to_house)
        if isinstance(message, Stop):
            self._is_stopping = True
        elif isinstance(message, Reload):
            self._reload(message)
        elif isinstance(message, Warn):
            self._house.warnings.put(message.code, message.words)
        elif isinstance(message, (GatewayPipe, VerifierPipe)):
            pipe = Pipe(socket.socket(fileno=descriptors[0]))
            if isinstance(message, VerifierPipe):
                selector.register(pipe, selectors.EVENT_READ)
                self._verifiers[message.slot] = pipe
            else:
                if (before := self._gateways.named(message.name)) is not None:
                    self._lose_gateway(before, selector)
                end = self._gateways.add(pipe, message)
                selector.register(pipe, selectors.EVENT_READ, end)
                end.operations.append(self._admission())

    # Pipes

    def _serve_gateway(self, end: GatewayEnd, events: int, selector: selectors.BaseSelector) -> None:
        if not end.pipe.is_open:
            return  # Its successor came in the same turn, and was heard first.
        try:
            if events & selectors.EVENT_WRITE:
                end.pipe.flush()
            messages = map(decode_from_gateway, end.pipe.receive() if events & selectors.EVENT_READ else [])
            for message in messages:
                if isinstance(message, Counted):
                    self._meter.gateway_counted(message, end.name)
                elif isinstance(message, Ending):
                    end.is_ending = True
                else:
                    self._serve_again(end)
        except (PipeClosedError, msgspec.DecodeError):
            # Bidders may have got the better of a gateway: one that says what none does is worth no more than a dead.
            self._lose_gateway(end, selector)

    def _serve_verifier(self, pipe: Pipe, selector: selectors.BaseSelector) -> None:
        try:
            frames = pipe.receive()
        except PipeClosedError:
            selector.unregister(pipe)
            pipe.close()
            return
        for frame in frames:
            self._take(pipe, decode_checked(frame))

    def _take(self, pipe: Pipe, checked: Checked[Request]) -> None:
        """Into the bounded queue: what does not fit is answered at once."""
        end = self._gateways.of(checked.number)
        if end is None:
            return  # Its gateway is dead, and every session of it.
        is_beat = not checked.requests and not checked.forged
        # A verifier whose successor was heard first is none any more, though its last words count.
        slot = next((slot for slot, each in self._verifiers.items() if each is pipe), None)
        if slot is not None:
            note = self._ways.beat if is_beat else self._ways.heard
            note(Way(end.name, slot), self._clock.now_ns())
            self._meter.arrived(checked, slot)
        if is_beat:
            return
        end.answered.append(checked.number)
        for session, command in checked.forged:
            if not end.has(session):
                continue  # No gateway speaks for the sessions of another.
            self._send(session, refused("bad_signature", "this signature is not by the session's identity", command))
            for operation in self._noticing.forged(session, self._clock.now_ns()):
                self._gateways.post(operation)
        sessions = end.sessions
        its_own = [request for request in checked.requests if request.session in sessions]
        left_over = self._queue.put(its_own, self._house.limits.queue)
        self._meter.waits(checked.checked_ns, len(its_own) - len(left_over))
        for request in left_over:
            busy = refused("busy", "the queue of this house is full", command_id(request.body), BUSY_RETRY_NS)
            self._send(request.session, busy)

    def _serve_again(self, end: GatewayEnd) -> None:
        """A gateway listens, for the first time or once more; where others do, nobody could not reach the house."""
        now_ns = self._clock.now_ns()
        is_first, end.is_serving = not self._gateways.is_any_serving, True
        if self._is_begun and not is_first:
            return
        if self._is_begun:
            self._perform(self._house.gateway_back(now_ns), now_ns)
        else:
            self._begin(now_ns)

    def _watch_ways(self, now_ns: int) -> None:
        """Before anything is judged: whether somebody may have been unable to bid."""
        since_ns = self._ways.look(now_ns)
        if since_ns is not None:
            self._is_silent = True
            self._house.gateway_silent(since_ns)
        elif self._is_silent:
            self._is_silent = False
            self._perform(self._house.gateway_back(now_ns), now_ns)

    def _lose_gateway(self, end: GatewayEnd, selector: selectors.BaseSelector) -> None:
        """Its sessions are over, which is nobody's doing; where others serve, deadlines go on for all."""
        selector.unregister(end.pipe)
        end.pipe.close()
        self._gateways.remove(end)
        self._queue.drop(end.sessions)  # A hello that waits would begin a session that nothing ends.
        self._reading.forget(end.sessions)
        self._ways.forget(end.name)
        self._meter.gateway_lost(end.name)
        now_ns = self._clock.now_ns()
        if self._gateways.is_any_serving:
            for session in [each for each in self._house.presence.peers if end.has(each)]:
                self._house.session_ended(session, now_ns)
            return
        self._is_silent = False
        if self._is_begun:
            self._house.gateway_lost(now_ns)

    # Beginning

    def _begin(self, now_ns: int) -> None:
        """Bidders can connect: resume what was there, announce what is new."""
        resumed = {log.id for log in self._recovered}
        alive_ns, halted = self._store.last_alive_ns(), self._keeping.halting.remembered()
        found = Recovered(self._registry, self._recovered, alive_ns, halted)
        self._perform(self._part.adopt(found, now_ns), now_ns)
        self._recovered = []
        self._take_part(now_ns)
        self._limiting.look(now_ns)
        differs = self._own_lots.take_on(self._lots)
        self._own_lots.announce(self._clock.now_ns())
        self._is_begun = True
        self._report(Listening(list_announced(self._house, resumed, differs)))
        self._outlook.tell_waiting()

    def _reload(self, message: Reload) -> None:
        """New limits and new lots, all of it or nothing; but a lot for which there is no room waits."""
        try:
            self._limiting.check(message.limits)
            differs = self._own_lots.take_on(message.lots)
        except (ConfigurationError, TermsError) as error:
            self._report(SettingsKept(str(error), error.hint))
            return
        resumed = {log.id for log in self._house.logs}
        self._limiting.reload(message.limits, self._clock.now_ns())
        self._archiving.archiving.retention_ns = message.retention_ns
        self._looked_ns = 0  # at the allow list, in the next turn
        self._own_lots.announce(self._clock.now_ns())
        auctions = list_announced(self._house, resumed, differs)
        self._report(Reloaded(tuple(each for each in auctions if each.differs or not each.is_resumed)))
        self._outlook.tell_waiting()

    # Effects

    def _perform(self, effects: list[Effect], now_ns: int) -> None:
        for effect in effects:
            match effect:
                case Commit(appends):
                    self._commit(appends, now_ns)
                case Page() | Fetch():
                    self._reading.ask(effect)
                case Send(session, message):
                    self._send(session, message)
                case Publish(auction, message):
                    self._gateways.post(ToFollowers(auction, message.body))
                case Gauge(session):
                    self._send(session, (self._meter.answer(session, now_ns), b""))
                case Halt() | Conflict():
                    self._keeping.keep(effect)
                case Follow(session, auctions):
                    self._gateways.post(Following(session, list(auctions)))
                case Greeted(session, identity, name, role):
                    self._gateways.post(Known(session, identity.signing, role))
                    # Of strangers there may be any number.
                    if (identity.signing, role) not in self._seen and self._house.allowed.by_signing(identity.signing):
                        self._seen.add((identity.signing, role))
                        tell(self._control, Admitted(name, role))
                case _:
                    assert_never(effect)

    def _commit(self, appends: Sequence[Append], now_ns: int) -> None:
        """The commit point. A crash before the append: nothing was said. After it: the log says it, and so may we.

        A broken store raises through everything, and ends the process; nobody restarts it by itself.
        """
        try:
            self._part.commit(appends, now_ns)
        except OvertakenError as error:
            self._perform(self._part.overtaken(error, self._stored, now_ns), now_ns)
            return
        except StoreFullError as error:
            self._perform(self._house.rolled_back(self._stored.rebuild, self._stored.registry), now_ns)
            self._say_full(error)
            return
        self._meter.committed(is_of_time_alone=not appends)
        self._house.warnings.take_back(STORE_FULL)
        self._said_full = False
        if appends:
            # A commit of the time alone, as clock heads need it, is no reason to put off what is done now and then.
            self._alive_ns = now_ns
        self._perform(self._house.committed(), now_ns)

    def _send(self, session: int, message: tuple[bytes, bytes]) -> None:
        self._noticing.sent(session, message[0], self._clock)
        self._gateways.send(session, message)

    def _admission(self) -> Admit:
        shut_out = [each.transport for each in self._admitted.shut_out]
        listed = [entry.identity.transport for entry in self._admitted]
        return Admit(listed, shut_out, self._admitted.own_limits)

    # Now and then

    def _keep_alive(self, now_ns: int) -> None:
        if now_ns - self._alive_ns < ALIVE_NS:
            return
        self._alive_ns = now_ns
        if self._own_lots.waiting:
            self._own_lots.announce(now_ns)
            self._outlook.tell_waiting()
        try:
            self._part.keep_alive(now_ns)
            self._store.maintain()
        except StoreFullError as error:
            self._say_full(error)

    def _archive(self, now_ns: int) -> None:
        try:
            self._archiving.turn(now_ns)
        except StoreFullError as error:
            self._say_full(error)

    def _say_full(self, error: StoreFullError) -> None:
        """Once until something is accepted again; the first time, with room made for closes and gaps that are due."""
        self._house.warnings.say(STORE_FULL, f"nothing is accepted until there is room: {error}")
        if not self._said_full:
            self._said_full = True
            self._report(StoreFull(str(error), self._store.release_ballast()))

    def _watch_allow_list(self, now_ns: int) -> None:
        if now_ns - self._looked_ns >= TICK_NS:
            self._looked_ns = now_ns
            self._limiting.look(now_ns)
            if (allowed := self._allowing.look(self._part, now_ns)) is not None:
                self._noticing.allow(allowed, now_ns)
                self._perform(self._house.set_allowed(allowed, now_ns), now_ns)
        if self._house.allowed is not self._admitted:
            self._admitted = self._house.allowed
            self._gateways.post(self._admission())
            for report in keys_listed(self._house.warnings):
                self._report(report)
