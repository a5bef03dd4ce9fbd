"""The process that owns the ZeroMQ socket (DESIGN.md section 3). It holds the transport key and nothing else.

It may be killed at any time: whoever can connect can end or flood a libzmq process, so nothing of worth is in here.
Connections become sessions with numbers of their own; routing ids are never sent, logged or chosen. A message counts as
a session's only if the key that CURVE authenticated for it is that session's. Requests go to the verifiers in chunks,
all of one auction by the same way, and empty ones as a sign of life; answers come back from the house in releases.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Final

import zmq

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import RemoteProtocolError
from auctionctl.house.intake import COMMANDS, name_of
from auctionctl.house.limits import Limits
from auctionctl.keys.allowlist import Role
from auctionctl.net.child_words import HousePipe, Stop, VerifierPipe, encode
from auctionctl.net.chunks import Chunk, RequestTuple
from auctionctl.net.clock import Clock
from auctionctl.net.control import hear_supervisor, send_control
from auctionctl.net.counting import Counting
from auctionctl.net.edge import Edge
from auctionctl.net.gateway_orders import Drain, SetBans, SetLimits, StartGateway, decode_to_gateway
from auctionctl.net.gateway_words import FromGateway
from auctionctl.net.hops import (
    Admit,
    Counted,
    Ending,
    Following,
    Known,
    LastWord,
    Misgreeted,
    Mute,
    Serving,
    ToFollowers,
    ToSession,
    decode_release,
)
from auctionctl.net.listening import listen_on
from auctionctl.net.pipes import Pipe, PipeClosedError
from auctionctl.net.porter import Porter
from auctionctl.net.route_numbers import RouteNumbers
from auctionctl.net.router import bind_router, receive
from auctionctl.net.sessions import Session, Sessions
from auctionctl.net.tcp_connections import inode_of
from auctionctl.net.under_way import UnderWay
from auctionctl.net.watchdog import LOOK_NS
from auctionctl.net.ways import BEAT_NS
from auctionctl.net.zap import ZAP_ENDPOINT, answer_zap
from auctionctl.wire.frames import MAX_REQUEST_BYTES, fault_of, message_type
from auctionctl.wire.messages import Hello, Ping, Pong, Refused, decode_request
from auctionctl.wire.messages import encode as encode_message

MESSAGES_A_TURN: Final = 512
SILENCE_NS: Final = 15 * SECOND_NS
SWEEP_NS: Final = SECOND_NS
CLOSING_RETRY_NS: Final = 2 * SECOND_NS
"""When to ask again at a house that ends: it may be back by then."""
LAST_GRACE_NS: Final = 3 * SECOND_NS // 10
"""Time for the last answers to get into the connections: a libzmq socket that is closed loses some, LINGER or not."""
POLL_MS: Final = LOOK_NS // 1_000_000
ENDING_POLL_MS: Final = 20
_NOBLOCK: Final = int(zmq.NOBLOCK)
_NOBLOCK_MORE: Final = int(zmq.NOBLOCK | zmq.SNDMORE)
_USER_ID: Final = b"User-Id"
_NO_SESSION: Final = encode_message(Refused("no_session", "say hello first"))


class Gateway:
    """The loop of one gateway process."""

    def __init__(self, control: socket.socket, set_limits: Callable[[int], None] | None = None) -> None:
        """``set_limits`` is told how many connections there may be, once everything else is set up."""
        self._control = control
        self._set_limits = set_limits
        self._clock = Clock()
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._zap = self._context.socket(zmq.REP)
        self._house: Pipe | None = None
        self._verifiers: dict[int, Pipe] = {}
        self._has_list = False
        self._start: StartGateway | None = None
        self._listening_fd = -1
        self._is_bound = False
        self._is_stopping = False
        self._is_draining = False
        self._said_ending = False
        self._end_at_ns: int | None = None
        self._sessions = Sessions()
        self._porter = Porter(self._sessions, self._say, self._end)
        self._edge = Edge(self._porter.door, Limits())
        self._route_numbers = RouteNumbers(self._context)
        self._under_way = UnderWay()
        self._counting = Counting(self._sessions, self._under_way, self._porter.turned_away)
        self._swept_ns = 0
        self._beat_ns = 0
        self._handlers: dict[type, Callable[..., None]] = {
            ToSession: self._to_session,
            ToFollowers: self._to_followers,
            Following: self._follow,
            Known: self._know,
            Admit: self._admit,
            LastWord: self._end_all,
            Mute: self._mute,
            Misgreeted: self._misgreeted,
        }

    def run(self) -> None:
        """Until told to stop, or the supervisor or the house is gone."""
        while not self._is_stopping:
            poller = zmq.Poller()
            poller.register(self._control.fileno(), zmq.POLLIN)
            if self._is_bound:
                poller.register(self._router, zmq.POLLIN)
                poller.register(self._zap, zmq.POLLIN)
            pipes = [pipe for pipe in (self._house, *self._verifiers.values()) if pipe is not None and pipe.is_open]
            for pipe in pipes:
                events = zmq.POLLIN | (zmq.POLLOUT if pipe.backlog_bytes else 0)
                poller.register(pipe.fileno(), events)
            self._turn_while_same(poller, pipes)
        self._context.destroy(linger=0)

    def _turn_while_same(self, poller: zmq.Poller, pipes: list[Pipe]) -> None:
        """Serve until what is to be polled for changes."""
        backlogged = [pipe for pipe in pipes if pipe.backlog_bytes]
        while not self._is_stopping:
            ready = dict(poller.poll(POLL_MS if self._end_at_ns is None else ENDING_POLL_MS))
            if self._control.fileno() in ready:
                self._hear()
                return
            if self._zap in ready:
                answer_zap(self._zap, lambda key, host: self._porter.knock(key, host, self._clock))
            if self._house is not None and self._house.fileno() in ready:
                self._serve_house(self._house)
            if self._router in ready:
                self._serve_router()
            self._sweep(now_ns := self._clock.now_ns())
            self._porter.look(now_ns)
            self._beat(now_ns)
            for counted in self._counting.take(now_ns):
                self._tell_house(counted)
            self._under_way.send(self._verifiers)
            self._say_ending()
            if self._end_at_ns is not None:
                self._is_stopping = not self._sessions or self._clock.now_ns() >= self._end_at_ns
            for pipe in backlogged:
                self._flush(pipe)
            if (
                self._close_dead_verifiers(ready)
                or [pipe for pipe in pipes if pipe.backlog_bytes] != backlogged
                or (not self._is_bound and self._can_bind())
            ):
                break
        if not self._is_bound and self._can_bind():
            self._bind()

    # Control

    def _hear(self) -> None:
        message, descriptors = hear_supervisor(self._control, decode_to_gateway)
        if isinstance(message, StartGateway):
            self._start = message
            self._porter.door.obey(message.door)
            self._edge.obey(message.limits)
            # Of chunks too: the house may yet answer what a verifier had from the gateway before.
            self._sessions.next_number = self._under_way.next_chunk = message.first_session
            self._listening_fd = descriptors[0]
        elif isinstance(message, HousePipe):
            self._house = Pipe(socket.socket(fileno=descriptors[0]))
        elif isinstance(message, VerifierPipe):
            self._replace_verifier(message.slot, Pipe(socket.socket(fileno=descriptors[0])))
        elif isinstance(message, SetLimits):
            self._edge.obey(message.limits)
        elif isinstance(message, SetBans):
            self._porter.ban(message, self._clock.now_ns())
        elif isinstance(message, Drain):
            self._is_draining = True
            self._is_stopping = not self._is_bound
            self._say_ending()
        elif isinstance(message, Stop):
            self._is_stopping = True

    # The end

    def _say_ending(self) -> None:
        """Nothing is taken any more: once all that was taken has been answered, the house has the last word."""
        if self._is_draining and not self._said_ending and not self._under_way.count:
            self._said_ending = True
            self._tell_house(Ending())

    def _end_all(self, _last: LastWord) -> None:
        """Every answer is on its way: say goodbye, and see them off."""
        for session in self._sessions.all():
            self._refuse_closing(session, b"")
        self._end_at_ns = self._clock.now_ns() + LAST_GRACE_NS

    def _refuse_closing(self, session: Session, command: bytes) -> None:
        closing = Refused("closing", "this house is being shut down", command, CLOSING_RETRY_NS)
        self._send(session, encode_message(closing))

    # Verifiers

    def _replace_verifier(self, slot: int, pipe: Pipe) -> None:
        """What the dead one held is lost: its senders will send it again."""
        old = self._verifiers.pop(slot, None)
        if old is not None:
            old.close()
        self._verifiers[slot] = pipe
        for number, ended in self._under_way.held_by(slot):
            self._sessions.settle(self._under_way.settle(number))
            for session in ended:
                self._put_end(session)

    def _close_dead_verifiers(self, ready: dict[object, int]) -> bool:
        """A verifier says nothing here: what there is to read is its end, and polling that again would never rest."""
        dead = [pipe for pipe in self._verifiers.values() if ready.get(pipe.fileno(), 0) & ~zmq.POLLOUT]
        for pipe in dead:
            pipe.close()
        return bool(dead)

    def _can_bind(self) -> bool:
        """Only with the allow list: before, every key would be refused, and a bidder would take that for an answer."""
        return self._start is not None and self._has_list and bool(self._verifiers)

    def _bind(self) -> None:
        start = self._start
        assert start is not None
        self._zap.bind(ZAP_ENDPOINT)
        listen_on(self._listening_fd)
        bind_router(self._router, start, self._listening_fd)
        self._is_bound = True
        self._porter.open(int(start.endpoint.rpartition(":")[2]), self._clock.now_ns())
        self._counting.begin(self._porter.guard)
        if self._set_limits is not None:
            self._set_limits(start.door.connections)
        self._tell_house(Serving())

    # From sessions

    def _serve_router(self) -> None:
        now_ns, self._under_way.received_ns = self._clock.now_ns(), time.monotonic_ns()
        for _ in range(MESSAGES_A_TURN):
            try:
                route, frames = receive(self._router)
            except zmq.Again:
                break
            self._take(route, frames, now_ns)

    def _take(self, route: bytes, frames: list[zmq.Frame], now_ns: int) -> None:
        try:
            user = frames[-1].get(_USER_ID)
        except zmq.ZMQError:
            asked = self._sessions.by_number.get(self._route_numbers.answered(frames[-1].bytes))
            if asked is not None:
                self._porter.check_route(asked, route, now_ns)
            return
        session = self._sessions.by_route.get(route)
        if session is None or session.user != user:
            session = self._begin(route, frames, str(user), now_ns)
        session.heard_ns = now_ns
        session.messages += 1
        parts = [frame.bytes for frame in frames]
        if fault := fault_of(parts, MAX_REQUEST_BYTES):
            self._answer(session, Refused("malformed", fault), now_ns)
            return
        body, signature = parts
        self._sort(session, body, signature, now_ns)

    def _begin(self, route: bytes, frames: list[zmq.Frame], user: str, now_ns: int) -> Session:
        old = self._sessions.by_route.get(route)
        if old is not None:
            self._end(old)
        session = self._sessions.begin(route, user, now_ns, inode_of(int(frames[-1].get(zmq.SRCFD))))
        session.host = str(frames[-1].get("Peer-Address"))
        self._porter.entered(session)
        self._route_numbers.ask(session.number)
        return session

    def _sort(self, session: Session, body: bytes, signature: bytes, now_ns: int) -> None:
        """Where a message goes: a ping is answered here, the rest goes to the house, signed or not."""
        type_name = message_type(body)
        slot_key, signer, transport = session.number, b"", b""
        if type_name in COMMANDS:
            signer = session.identity
            # The auction stands at a fixed place of a canonical command; a wrong guess costs nothing but balance.
            slot_key = body[2 + len(type_name) + 36] if len(body) > 64 else 0
        elif type_name == "hello":
            signer, transport = self._claimed(body), session.transport
        if not session.identity and type_name != "hello":
            # A ping too: whoever was cut off, or was silent for too long, has to learn that nothing comes any more.
            self._send(session, _NO_SESSION)
            return
        if type_name == "ping":
            self._pong(session, body, now_ns)
            return
        if type_name == "bye":
            self._end(session)
            return
        if self._is_draining:
            self._refuse_closing(session, name_of(type_name, body))
            return
        refusal = self._edge.refuse(session, type_name, body, self._under_way.count, now_ns)
        if refusal is not None:
            self._porter.turned_away.refused(session.transport, refusal, now_ns)
            self._send(session, encode_message(refusal))
            return
        session.unanswered += 1
        self._put(slot_key, (session.number, signer, body, signature, transport))

    def _put(self, slot_key: int, request: RequestTuple) -> None:
        self._under_way.put(slot_key % len(self._verifiers), request)

    def _put_end(self, session: int) -> None:
        """Tell the house that a session is over, by the way of its hello, which it must not overtake."""
        self._put(session, (session, b"", b"", b"", b""))

    def _claimed(self, body: bytes) -> bytes:
        """The key that a hello says it is signed by; a wrong one fails the check that follows."""
        try:
            hello = decode_request(body)
        except RemoteProtocolError:
            return bytes(32)
        return hello.identity if isinstance(hello, Hello) else bytes(32)

    def _pong(self, session: Session, body: bytes, now_ns: int) -> None:
        try:
            ping = decode_request(body)
        except RemoteProtocolError as error:
            self._answer(session, Refused("malformed", str(error)), now_ns)
            return
        if isinstance(ping, Ping):
            self._answer(session, Pong(ping.token, now_ns), now_ns)

    def _answer(self, session: Session, reply: Refused | Pong, now_ns: int) -> None:
        """Without the house, but within what it answers: whoever is answered counts as having asked."""
        refusal = self._edge.refuse_answer(session, now_ns)
        if refusal is not None:
            self._porter.turned_away.refused(session.transport, refusal, now_ns)
        self._send(session, encode_message(refusal or reply))

    # From the house

    def _serve_house(self, house: Pipe) -> None:
        for frame in house.receive():
            release = decode_release(frame)
            for operation in release.operations:
                self._handlers[type(operation)](operation)
            answered_ns = time.monotonic_ns()
            requests = 0
            for number in release.answered:
                answered = self._under_way.answer(number, answered_ns)
                requests += len(answered)
                self._sessions.settle(answered)
            self._under_way.sent(requests, release.durable_ns, answered_ns)

    def _to_session(self, operation: ToSession) -> None:
        session = self._sessions.by_number.get(operation.session)
        if session is not None:
            self._send(session, operation.body, operation.signature)

    def _to_followers(self, operation: ToFollowers) -> None:
        for session in self._sessions.followers(operation.auction):
            self._send(session, operation.body)

    def _follow(self, operation: Following) -> None:
        self._sessions.follow(operation.session, operation.auctions)

    def _know(self, operation: Known) -> None:
        session = self._sessions.by_number.get(operation.session)
        if session is not None:
            session.identity, session.is_operator = operation.identity, operation.role == Role.OPERATOR

    def _admit(self, operation: Admit) -> None:
        self._has_list = True
        self._porter.admit(operation, self._clock.now_ns())
        self._edge.allow(operation.own_limits)

    def _mute(self, operation: Mute) -> None:
        now_ns = self._clock.now_ns()
        self._edge.mute(operation.identity, now_ns + operation.for_ns, now_ns)

    def _misgreeted(self, operation: Misgreeted) -> None:
        session = self._sessions.by_number.get(operation.session)
        if session is not None:
            self._porter.misgreeted(session, self._clock.now_ns())

    # Sessions

    def _send(self, session: Session, body: bytes, signature: bytes = b"") -> None:
        """A slow peer loses messages, which it can ask for again; one that is gone loses its session."""
        try:
            self._router.send(session.route, _NOBLOCK_MORE)
            self._router.send(body, _NOBLOCK_MORE)
            self._router.send(signature, _NOBLOCK)
        except zmq.Again:
            session.lost += 1
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._end(session)

    def _end(self, session: Session) -> None:
        if self._sessions.forget(session):
            self._put_end(session.number)

    def _say(self, word: FromGateway) -> None:
        """To the supervisor, who replaces a gateway that it cannot follow."""
        send_control(self._control, encode(word))

    def _sweep(self, now_ns: int) -> None:
        if now_ns - self._swept_ns < SWEEP_NS:
            return
        self._swept_ns = now_ns
        for session in self._sessions.all():
            if now_ns - session.heard_ns > SILENCE_NS:
                self._end(session)

    def _beat(self, now_ns: int) -> None:
        """Say by every way that bids take that the gateway serves: see :mod:`auctionctl.net.ways`."""
        if self._is_bound and self._start is not None and now_ns - self._beat_ns >= BEAT_NS:
            self._beat_ns = now_ns
            beat = encode(Chunk(self._start.first_session, []))
            for verifier in self._verifiers.values():
                with contextlib.suppress(PipeClosedError):
                    verifier.send(beat)

    def _tell_house(self, message: Serving | Ending | Counted) -> None:
        if self._house is not None:
            self._house.send(encode(message))

    def _flush(self, pipe: Pipe) -> None:
        try:
            pipe.flush()
        except PipeClosedError:
            if pipe is self._house:
                raise
