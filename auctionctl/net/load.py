"""A load of signed bids from many real sessions in one process, for the benchmark.

A load shares the machine with the house that it measures, so what it need not do while the clock runs it does before
or after. Every bid is signed beforehand, for it is determined: the bidders of an auction, two of them unless there are
to be more, take turns with rising amounts, ``window`` bids under way at a time. Of an answer no more is read in the run
than which commands it answers; all of it is kept as it came, and nothing is trusted: :meth:`Load.verify` decodes it
strictly, and checks each receipt against the entry that it speaks of, after the run. What a session may send after one
round of answers goes out together, as that of a bidder does, who reads its answers before it bids again. Whoever is
told to wait waits, and sends the same bytes again. Between two bids of a fixed rate the load sleeps: one that waited by
going round would take a core from the house. At a house of several instances everybody has a session at each, and where
an auction has moved, it is followed.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from secrets import token_bytes
from typing import Final

import msgspec
import zmq

from auctionctl.auction.bid import Bid, Join, decode_bid, encode_bid, encode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import AuctionctlError, UnreachableError, VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.net.clock import Clock
from auctionctl.net.dealer import configure
from auctionctl.net.fine_poller import FinePoller
from auctionctl.net.io_threads import start_io_threads
from auctionctl.tlog.checkpoint import origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import leaf_hash
from auctionctl.tlog.proof import Receipt, verify_receipt
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.frames import Message, sign_body
from auctionctl.wire.messages import (
    Acknowledged,
    Moved,
    Ping,
    Pong,
    Receipts,
    Refused,
    Rejections,
    Welcome,
    decode_rejection,
    decode_reply,
)
from auctionctl.wire.messages import encode as encode_message
from auctionctl.wire.session import ClientGreeting

NOT_AFTER_NS: Final = 3_000 * SECOND_NS
GREETING_PATIENCE_S: Final = 30.0
ANSWER_PATIENCE_NS: Final = 3 * SECOND_NS
"""After so long without any answer, all that is under way is sent again."""
MAX_REPEATS: Final = 10
SETTLE_PATIENCE_NS: Final = (MAX_REPEATS + 2) * ANSWER_PATIENCE_NS
"""If nothing is settled for so long, all answers are that an auction has moved, and nothing will be."""
ASK_AGAIN_NS: Final = SECOND_NS // 20
"""Where nobody takes what is asked of an auction just now, it is asked again so much later."""
CURRENCY: Final = "credits"
PING_NS: Final = 3 * SECOND_NS
"""A session that says nothing for long is ended: in so much time each says something."""
PING: Final = encode_message(Ping(0))
JOINS_AT_ONCE: Final = 200
"""Fewer than a house's queue takes of one session."""
TELL_ANSWERS: Final = 100
_NOBLOCK: Final = int(zmq.NOBLOCK)
_MORE: Final = int(zmq.SNDMORE)


def _tell_nobody(_done: int, _total: int) -> None:
    """Nobody waits."""


class _Receipted(msgspec.Struct, array_like=True, gc=False):
    """No more of a receipt than the command that it is for."""

    command: bytes


class _Receipts(msgspec.Struct, array_like=True, gc=False):
    auction: msgspec.Raw
    checkpoint: msgspec.Raw
    receipts: list[_Receipted]


class _Answered(msgspec.Struct, array_like=True, tag="acknowledged", gc=False):
    """What :class:`auctionctl.wire.messages.Acknowledged` answers, read while the clock runs; strictly, afterwards."""

    logs: list[_Receipts]


_decode_answer: Final = msgspec.msgpack.Decoder(_Answered | Rejections | Refused | Moved | Pong).decode


@dataclass(slots=True)
class Auctioned:
    """One auction of the load: its bidders' sockets, the bids ready to go, and what is under way."""

    auction: bytes
    sockets: tuple[zmq.Socket[bytes], ...]
    keys: tuple[SecretKey, ...]
    group: slice
    """Which of all keys these are."""
    place: str
    """Where it is taken, as ``host:port``."""
    turn: int = 0
    ready: deque[tuple[int, Message, bytes]] = field(default_factory=deque)
    sent_ns: dict[bytes, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))


@dataclass(slots=True)
class Run:
    """What came of one timed run."""

    receipts: int = 0
    rejections: int = 0
    busy: int = 0
    """How often a bid was refused without a look at the rules: for want of room, as a rule, and then sent again."""
    repeats: int = 0
    """How often what had no answer for long was sent again."""
    seconds: float = 0.0
    settled_ns: int = field(default_factory=time.perf_counter_ns)
    """When it began, or a bid of it was answered last."""
    latencies_ns: list[int] = field(default_factory=list)


class Load:
    """Bidders, ``keys``, in groups of ``bidders``, and the auctions of the house at ``address`` dealt out to these."""

    def __init__(self, address: HouseAddress, auctions: list[bytes], keys: list[SecretKey], bidders: int = 2) -> None:
        self._address = address
        self._context = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, 65_536)
        start_io_threads(self._context)
        self._clock = Clock()
        self._poller = FinePoller()
        self._sockets: list[zmq.Socket[bytes]] = []
        self._by_command: dict[bytes, Auctioned] = {}
        self._signed: dict[bytes, Message] = {}
        self._repeated: set[bytes] = set()
        """The commands that were sent again: each may have two receipts, for one entry."""
        self._answers: list[bytes] = []
        self._keys = keys
        self._at = {place.text: [self._connect(key, place.endpoint) for key in keys] for place in address.places}
        """Place → the socket of each key there."""
        first = address.places[0].text
        self._auctioned: list[Auctioned] = []
        for number, auction in enumerate(auctions):
            group = slice(bidders * number % len(keys), bidders * number % len(keys) + bidders)
            sockets = tuple(self._at[first][group])
            self._auctioned.append(Auctioned(auction, sockets, tuple(keys[group]), group, first))
        self._by_auction = {auctioned.auction: auctioned for auctioned in self._auctioned}
        self._joins: dict[bytes, tuple[int, Message]] = {}
        """Command → which of its auction's bidders sent it, and what was sent."""
        self._put_off: list[tuple[int, int, Auctioned, bytes]] = []
        """When to send again, in which auction, which command: nobody took it, or had room for it. A heap, whose second
        numbers are all different."""
        self._put_off_numbers = count()
        self.beside: Sequence[Load] = ()
        """Other loads, whose sessions are to be kept while this one is timed."""
        self._pinged_ns: int | None = None
        """None before there are sessions."""
        self._outgoing: dict[zmq.Socket[bytes], list[Message]] = {}
        """The bids that go out once a round of answers has been read, socket by socket."""
        self._turns: deque[Auctioned] = deque()
        """The auctions whose next bid goes out when another one has been answered."""
        self.proven: dict[tuple[bytes, int], bytes] = {}
        """(auction, index) → the leaf there, by the receipts that :meth:`verify` has found to hold."""

    @property
    def places(self) -> frozenset[str]:
        """Where the auctions are taken, as far as they were followed."""
        return frozenset(auctioned.place for auctioned in self._auctioned)

    def close(self) -> None:
        """End every session."""
        for its_socket in self._sockets:
            its_socket.close(linger=0)
        self._poller.close()
        self._context.term()

    def _connect(self, key: SecretKey, endpoint: str) -> zmq.Socket[bytes]:
        its_socket = self._context.socket(zmq.DEALER)
        configure(its_socket, self._address, key)
        its_socket.setsockopt(zmq.IMMEDIATE, 0)
        its_socket.connect(endpoint)
        self._sockets.append(its_socket)
        self._poller.register(its_socket)
        return its_socket

    # Before

    def greet_and_join(self) -> None:
        """Every session says hello and joins its auction. Raises UnreachableError if that is not answered."""
        house = self._address.identity
        for sockets in self._at.values():
            for its_socket, key in zip(sockets, self._keys, strict=True):
                greeting = ClientGreeting(key, house, "bidder")
                self._hand_over(its_socket, greeting.hello(token_bytes(16), self._clock.now_ns()))
        self._await(Welcome, len(self._sockets))
        self._pinged_ns = time.perf_counter_ns()
        under_way = 0
        for auctioned in self._auctioned:
            for side, key in enumerate(auctioned.keys):
                now_ns = self._clock.now_ns()
                identity = key.identity.signing
                join = Join(
                    house.signing, auctioned.auction, identity, token_bytes(16), now_ns, now_ns + SECOND_NS * 60
                )
                message = sign_body(key, encode_join(join))
                self._joins[command_id(message.body)] = (side, message)
                self._hand_over(auctioned.sockets[side], message)
                under_way += 1
                if under_way == JOINS_AT_ONCE:
                    self._await(Acknowledged, under_way)
                    under_way = 0
        self._await(Acknowledged, under_way)

    def _await(self, kind: type, wanted: int) -> None:
        deadline_s = time.monotonic() + GREETING_PATIENCE_S
        while wanted:
            self._keep_all()
            self._ask_again()
            for its_socket in self._poller.poll(self._patience_ns(SECOND_NS)):
                reply = decode_reply(its_socket.recv_multipart()[0])
                if isinstance(reply, kind):
                    wanted -= _count(reply) if isinstance(reply, Acknowledged) else 1
                elif isinstance(reply, Refused):
                    raise AuctionctlError(f"the house refused the load: {reply.message}")
                elif isinstance(reply, Moved):
                    self._follow(reply)
            if time.monotonic() > deadline_s:
                raise UnreachableError(f"{wanted} sessions got no answer from {self._address.endpoint}")

    def prepare(self, bids: int) -> None:
        """Sign ``bids`` more bids for each auction."""
        self._keep_all()
        house = self._address.identity.signing
        now_ns = self._clock.now_ns()
        for auctioned in self._auctioned:
            for _ in range(bids):
                number = next(auctioned.numbers)
                side = number % len(auctioned.keys)
                key = auctioned.keys[side]
                identity = key.identity.signing
                bid = Bid(house, auctioned.auction, identity, number, number, CURRENCY, now_ns, now_ns + NOT_AFTER_NS)
                message = sign_body(key, encode_bid(bid))
                auctioned.ready.append((side, message, command_id(message.body)))

    def keep(self) -> None:
        """Have every session say something, if it is time; what that is answered does not matter."""
        now_ns = time.perf_counter_ns()
        if self._pinged_ns is None or now_ns - self._pinged_ns < PING_NS:
            return
        self._pinged_ns = now_ns
        for its_socket in self._sockets:
            self._hand_over(its_socket, (PING, b""))

    def _keep_all(self) -> None:
        self.keep()
        for each in self.beside:
            each.keep()

    def _hand_over(self, its_socket: zmq.Socket[bytes], message: tuple[bytes, bytes]) -> None:
        its_socket.send(message[0], _MORE)
        its_socket.send(message[1])
        self._poller.sent(its_socket)

    # Where an auction is

    def _follow(self, moved: Moved) -> None:
        """Ask where the auction is now; later, where it is nowhere."""
        auctioned = self._by_auction.get(moved.log)
        if auctioned is None:
            return
        if moved.endpoint not in self._at:
            self._put_off_for(ASK_AGAIN_NS, auctioned, moved.command)
            return
        auctioned.place = moved.endpoint
        auctioned.sockets = tuple(self._at[moved.endpoint][auctioned.group])
        self._send(auctioned, moved.command)

    def _ask_again(self) -> None:
        now_ns = time.perf_counter_ns()
        while self._put_off and self._put_off[0][0] <= now_ns:
            _, _, auctioned, command = heapq.heappop(self._put_off)
            self._send(auctioned, command)

    def _put_off_for(self, wait_ns: int, auctioned: Auctioned, command: bytes) -> None:
        at_ns = time.perf_counter_ns() + wait_ns
        heapq.heappush(self._put_off, (at_ns, next(self._put_off_numbers), auctioned, command))

    def _patience_ns(self, most_ns: int) -> int:
        """How long there is nothing to do but to wait for answers, and no longer than that."""
        return min(most_ns, max(0, self._put_off[0][0] - time.perf_counter_ns())) if self._put_off else most_ns

    def _send(self, auctioned: Auctioned, command: bytes) -> None:
        """Send again what was sent before, the same bytes, to where the auction is."""
        if command in self._joins:
            side, message = self._joins[command]
        elif command in auctioned.sent_ns:
            message = self._signed[command]
            bidder = decode_bid(message.body).bidder
            side = [key.identity.signing for key in auctioned.keys].index(bidder)
        else:
            return  # It has been answered.
        self._hand_over(auctioned.sockets[side], message)

    # Timed

    def run_closed(self, window: int, at_once: int | None = None) -> Run:
        """Send all that was prepared, with ``window`` bids of each auction under way; until all are answered.

        With fewer ``at_once`` in all than that makes, the auctions take turns.
        """
        run = Run()
        started_ns = time.perf_counter_ns()
        for _ in range(window):
            self._turns.extend(self._auctioned)
        for _ in range(min(at_once or len(self._turns), len(self._turns))):
            self._send_next(self._turns.popleft(), time.perf_counter_ns())
        while self._by_command:
            self._collect(run, ANSWER_PATIENCE_NS, send_on=True)
        self._turns.clear()
        run.seconds = (time.perf_counter_ns() - started_ns) / SECOND_NS
        return run

    def run_open(self, rate_per_s: int, bids: int) -> Run:
        """Send ``bids`` at a fixed rate, whatever the answers do; latency counts from when a bid was due."""
        run = Run()
        started_ns = time.perf_counter_ns()
        interval_ns = SECOND_NS // rate_per_s
        for number in range(bids):
            due_ns = started_ns + number * interval_ns
            while (wait_ns := due_ns - time.perf_counter_ns()) > 0:
                self._collect(run, wait_ns, send_on=False)
            self._send_next(self._auctioned[number % len(self._auctioned)], due_ns)
            self._send_out()
        while self._by_command:
            self._collect(run, ANSWER_PATIENCE_NS, send_on=False)
        run.seconds = (time.perf_counter_ns() - started_ns) / SECOND_NS
        return run

    def send_one(self) -> int:
        """Send a prepared bid of the first auction; returns when, by ``perf_counter_ns``."""
        started_ns = time.perf_counter_ns()
        self._send_next(self._auctioned[0], started_ns)
        self._send_out()
        return started_ns

    def await_answers(self) -> Run:
        """Until all that was sent is answered."""
        run = Run()
        while self._by_command:
            self._collect(run, ANSWER_PATIENCE_NS, send_on=False)
        return run

    def _send_next(self, auctioned: Auctioned, at_ns: int) -> None:
        if auctioned.ready:
            side, message, command = auctioned.ready.popleft()
            self._signed[command] = message
            auctioned.sent_ns[command] = at_ns
            self._by_command[command] = auctioned
            self._outgoing.setdefault(auctioned.sockets[side], []).append(message)

    def _send_out(self) -> None:
        for its_socket, messages in self._outgoing.items():
            for message in messages:
                self._hand_over(its_socket, message)
        self._outgoing.clear()

    def _collect(self, run: Run, patience_ns: int, *, send_on: bool) -> None:
        self._send_out()
        self._keep_all()
        if self._put_off:
            self._ask_again()
        ready = self._poller.poll(self._patience_ns(patience_ns))
        if self._by_command and time.perf_counter_ns() - run.settled_ns > SETTLE_PATIENCE_NS:
            raise UnreachableError(
                f"{len(self._by_command)} bids are taken nowhere: their auctions have moved, or there is no room"
            )
        if not ready and not self._put_off and patience_ns >= ANSWER_PATIENCE_NS:
            if run.repeats == MAX_REPEATS:
                raise UnreachableError(f"the house has not answered, though it was asked {MAX_REPEATS} times again")
            run.repeats += 1
            self._send_again()
        for its_socket in ready:
            while True:
                try:
                    body = its_socket.recv(_NOBLOCK)
                    its_socket.recv(_NOBLOCK)
                except zmq.Again:
                    break
                for command in self._note(run, body):
                    if command in self._by_command:
                        self._settle(run, command, send_on=send_on)
        self._send_out()

    def _send_again(self) -> None:
        """An answer may be lost to whoever reads too slowly: ask again with the same bytes, as every bidder does."""
        for auctioned in self._auctioned:
            self._repeated.update(auctioned.sent_ns)
            for command in auctioned.sent_ns:
                self._send(auctioned, command)

    def _settle(self, run: Run, command: bytes, *, send_on: bool) -> None:
        auctioned = self._by_command.pop(command)
        run.settled_ns = now_ns = time.perf_counter_ns()
        run.latencies_ns.append(now_ns - auctioned.sent_ns.pop(command))
        if send_on:
            self._turns.append(auctioned)
            while self._turns and not (auctioned := self._turns.popleft()).ready:
                pass
            self._send_next(auctioned, now_ns)

    def _note(self, run: Run, body: bytes) -> list[bytes]:
        """Keep an answer; returns the commands that it answers."""
        reply = _decode_answer(body)
        if isinstance(reply, _Answered):
            self._answers.append(body)
            answered = {receipt.command for log in reply.logs for receipt in log.receipts} & self._by_command.keys()
            run.receipts += len(answered)
            return list(answered)
        if isinstance(reply, Rejections):
            run.rejections += len(reply.rejections)
            return [decode_rejection(rejected.rejection).command for rejected in reply.rejections]
        if isinstance(reply, Refused) and reply.code == "no_session":
            raise UnreachableError("the house has ended a session of the load, which was silent for too long")
        if isinstance(reply, Refused) and (auctioned := self._by_command.get(reply.command)) is not None:
            run.busy += 1
            if not reply.retry_after_ns:
                return [reply.command]
            # As bidders do, who are told when there may be room; how long that takes counts as well.
            self._put_off_for(min(reply.retry_after_ns, ANSWER_PATIENCE_NS), auctioned, reply.command)
            return []
        if isinstance(reply, Moved):
            self._repeated.add(reply.command)
            self._follow(reply)
        return []

    # After

    def verify(self, tell: Callable[[int, int], None] = _tell_nobody) -> int:
        """Check every receipt of every run; returns how many. VerificationError or NoteError for one that fails.

        ``tell`` is called now and then with how many of all answers are done.
        """
        house = self._address.identity
        self.proven.clear()
        for log in self._receipts(tell):
            origin = origin_of(house.text, f"auction/{log.auction.hex()}")
            for item in log.receipts:
                message = self._signed[item.command]
                entry = encode(Entry(Kind.BID, item.time_ns, message.body, message.signature))
                receipt = Receipt(item.index, item.time_ns, item.proof, log.checkpoint)
                verify_receipt(receipt, entry, origin, house.signing)
                place = (log.auction, item.index)
                if place in self.proven and item.command not in self._repeated:
                    raise VerificationError("two bids at one index", rule="inclusion", index=item.index)
                self.proven[place] = leaf_hash(entry)
        return len(self.proven)

    def forget(self) -> None:
        """Keep no longer what has been verified, between two runs: the answers of many would fill the memory."""
        self._answers.clear()
        self._signed.clear()
        self._repeated.clear()

    def _receipts(self, tell: Callable[[int, int], None] = _tell_nobody) -> Iterator[Receipts]:
        for done, body in enumerate(self._answers):
            if not done % TELL_ANSWERS:
                tell(done, len(self._answers))
            reply = decode_reply(body)
            assert isinstance(reply, Acknowledged)
            yield from reply.logs


def _count(acknowledged: Acknowledged) -> int:
    return sum(len(log.receipts) for log in acknowledged.logs)
