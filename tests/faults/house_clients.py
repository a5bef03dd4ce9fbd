"""Clients of a real house: one that is honest, and a bare socket for one that is not.

:class:`HonestBidder` is one session that signs bids, sends the same bytes until they are answered, and keeps every
receipt it has verified. :func:`check_promises` is what must hold whatever was killed meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from secrets import token_bytes
from typing import Any, NamedTuple

import zmq
from house_process import PATIENCE_S, RETRY_NS, key_of, until

from auctionctl.auction.bid import Bid, Join, decode_bid, decode_join, encode_bid, encode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.events import Gap
from auctionctl.auction.phase import Phase
from auctionctl.auction.terms import SECOND_NS
from auctionctl.keys.signing import SecretKey
from auctionctl.net.clock import Clock
from auctionctl.net.dealer import Dealer, configure
from auctionctl.replica.audit import Audit, audit
from auctionctl.replica.export import encode_export
from auctionctl.replica.follower import Follower
from auctionctl.tlog.checkpoint import origin_of
from auctionctl.tlog.entry import Entry, Kind, decode, encode
from auctionctl.tlog.proof import Receipt, verify_receipt
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.frames import Message, message_type, sign_body
from auctionctl.wire.messages import Entries, Receipts, Refused, Rejections, decode_rejection, decode_reply
from auctionctl.wire.session import ClientGreeting


class Kept(NamedTuple):
    """A receipt that was verified, and the entry's bytes that it was verified against."""

    receipt: Receipt
    entry: bytes


class BiddingCore(Follower):
    """A follower that also sends commands: the same bytes again until they are answered."""

    def __init__(self, key: SecretKey, address: HouseAddress, role: str) -> None:
        super().__init__(key, address.identity, role)
        self.follow_all()
        self.unanswered: dict[bytes, Message] = {}
        self.greetings = 0
        self._commands: list[Message] = []
        self._retry_at_ns = 0

    def submit(self, message: Message) -> bytes:
        command = command_id(message.body)
        self.unanswered[command] = message
        if self.is_welcome:
            self._commands.append(message)
        return command

    def connected(self, nonce: bytes, now_ns: int) -> None:
        super().connected(nonce, now_ns)
        self.greetings += 1
        self._commands.clear()
        self._retry_at_ns = 0

    def take_outgoing(self) -> list[Message]:
        outgoing = super().take_outgoing()
        if self.is_welcome:
            outgoing += self._commands
            self._commands = []
        return outgoing

    def get_timer(self) -> int | None:
        timer_ns = super().get_timer()
        if timer_ns is None or not self.is_welcome or not self.unanswered:
            return timer_ns
        return min(timer_ns, self._retry_at_ns)

    def handle_timer(self, now_ns: int) -> None:
        super().handle_timer(now_ns)
        if self.is_welcome and now_ns >= self._retry_at_ns:
            self._retry_at_ns = now_ns + RETRY_NS
            self._commands = list(self.unanswered.values())


class HonestBidder:
    """One session of the identity called ``name``. ``codes`` says why a command was rejected or refused."""

    def __init__(self, name: str, address: HouseAddress, role: str = "bidder") -> None:
        self.name = name
        self.key = key_of(name)
        self.house = address.identity
        self.address = address
        self.role = role
        self.core = BiddingCore(self.key, address, role)
        self.dealer = Dealer(self.core, address, self.key)
        self.kept: dict[bytes, Kept] = {}
        self.codes: dict[bytes, str] = {}
        self.entries: dict[bytes, list[bytes]] = {}
        self.notices: list[Any] = []
        self._sent: dict[bytes, Message] = {}
        self._seq = 0
        self._clock = Clock()

    def close(self) -> None:
        self.dealer.close()

    def crash(self) -> None:
        """End without a word and begin anew, with the commands that were kept on disk, and with the receipts."""
        self.dealer._is_connected = False  # No goodbye.
        self.dealer.close()
        kept = self.core.unanswered
        self.core = BiddingCore(self.key, self.address, self.role)
        self.core.unanswered = kept
        self.dealer = Dealer(self.core, self.address, self.key)
        self.notices.clear()

    # Turns

    def turn(self, tick_s: float = 0.01) -> None:
        """One step of the connection."""
        turned: list[None] = []
        self.dealer.run(
            self._note, lambda: bool(turned), patience_s=PATIENCE_S, tick_s=tick_s, on_tick=lambda: turned.append(None)
        )

    def run_until(self, condition: Callable[[], Any], what: str) -> Any:
        return until(condition, what, self.turn)

    def greet(self) -> None:
        self.run_until(lambda: self.core.is_welcome, "a welcome")

    def _note(self, notice: Any) -> None:
        self.notices.append(notice)
        if isinstance(notice, Receipts):
            for item in notice.receipts:
                self._keep(notice, item)
        elif isinstance(notice, Rejections):
            for rejected in notice.rejections:
                rejection = decode_rejection(rejected.rejection)
                self._answered(rejection.command, rejection.code)
        elif isinstance(notice, Refused) and notice.command and notice.code not in ("busy", "closing", "store_full"):
            self._answered(notice.command, notice.code)

    def _answered(self, command: bytes, code: str) -> None:
        self.codes[command] = code
        self.core.unanswered.pop(command, None)

    def _keep(self, receipts: Receipts, item: Any) -> None:
        message = self._sent[item.command]
        kind = Kind.BID if message_type(message.body) == "bid" else Kind.JOINED
        entry = encode(Entry(kind, item.time_ns, message.body, message.signature))
        receipt = Receipt(item.index, item.time_ns, item.proof, receipts.checkpoint)
        verify_receipt(receipt, entry, self.origin(receipts.auction), self.house.signing)
        earlier = self.kept.setdefault(item.command, Kept(receipt, entry))
        if (earlier.receipt.index, earlier.entry) != (item.index, entry):
            raise AssertionError(f"two receipts for one command: index {earlier.receipt.index} and {item.index}")
        self.core.unanswered.pop(item.command, None)

    def origin(self, auction: bytes) -> str:
        return origin_of(self.house.text, f"auction/{auction.hex()}")

    # Commands

    def submit(self, message: Message) -> bytes:
        self._sent[command_id(message.body)] = message
        return self.core.submit(message)

    def sign_bid(self, auction: bytes, amount_minor: int) -> Message:
        self._seq += 1
        now_ns = self._clock.now_ns()
        mine = self.key.identity.signing
        not_after_ns = now_ns + 25 * SECOND_NS
        bid = Bid(self.house.signing, auction, mine, self._seq, amount_minor, "credits", now_ns, not_after_ns)
        return sign_body(self.key, encode_bid(bid))

    def bid(self, auction: bytes, amount_minor: int) -> bytes:
        return self.submit(self.sign_bid(auction, amount_minor))

    def sign_join(self, auction: bytes) -> Message:
        now_ns = self._clock.now_ns()
        mine = self.key.identity.signing
        join = Join(self.house.signing, auction, mine, token_bytes(16), now_ns, now_ns + 25 * SECOND_NS)
        return sign_body(self.key, encode_join(join))

    def join(self, auction: bytes) -> bytes:
        return self.submit(self.sign_join(auction))

    def settle(self, command: bytes) -> str:
        """Wait for an answer: ``receipted``, or the code of the refusal."""
        self.run_until(lambda: command in self.kept or command in self.codes, f"an answer to {self.name}")
        return self.codes.get(command, "receipted")

    # What it knows

    def auction(self, auction: bytes) -> Any:
        """The state of the auction in its replica, or None."""
        replica = self.core.replicas.get(auction)
        return None if replica is None else replica.replay.auction

    def log(self, auction: bytes) -> list[Entry]:
        """Every entry that its replica has let pass, in order."""
        return [item.entry for item in self.applied(auction)]

    def applied(self, auction: bytes) -> list[Any]:
        advances = [notice for notice in self.notices if getattr(notice, "applied", None)]
        return [item for notice in advances if notice.auction == auction for item in notice.applied]

    def is_current(self, auction: bytes) -> bool:
        replica = self.core.replicas.get(auction)
        return replica is not None and replica.is_verified and not replica.is_behind

    def audited(self, auction: bytes) -> Audit:
        """An export of its copy of the log, through the offline audit."""
        self.run_until(lambda: self.is_current(auction), "a whole log")
        note = self.core.replicas[auction].head_note
        entries = [encode(entry) for entry in self.log(auction)]
        return audit(encode_export(entries, note, self.core.announcements[auction]), self.house)


def bid_against_each_other(
    bidders: list[HonestBidder], auctions: Iterable[bytes], condition: Callable[[], Any], what: str
) -> None:
    """Whoever does not lead and has nothing under way bids the least that it may, until ``condition()``."""
    auctions = list(auctions)

    def step() -> None:
        for bidder in bidders:
            bidder.turn(0.002)
            if not bidder.core.is_welcome or bidder.core.unanswered:
                continue
            for auction in auctions:
                state = bidder.auction(auction)
                if state is None or state.phase is not Phase.OPEN:
                    continue
                if state.standing is None or state.standing.leader != bidder.key.identity.signing:
                    bidder.bid(auction, state.minimum_minor)

    until(condition, what, step)


def all_join(bidders: list[HonestBidder], auctions: Iterable[bytes]) -> None:
    """Everybody is in every auction, and has seen it open."""
    auctions = list(auctions)
    for bidder in bidders:
        bidder.greet()
        for auction in auctions:
            if bidder.settle(bidder.join(auction)) != "receipted":
                raise AssertionError("a joining was refused")
    for bidder in bidders:
        for auction in auctions:
            bidder.run_until(
                lambda a=auction, b=bidder: (s := b.auction(a)) is not None and s.phase is Phase.OPEN, "the opening"
            )


def check_promises(bidders: list[HonestBidder], auction: bytes) -> list[Gap]:
    """What must hold whatever was killed: returns the gaps of the log.

    Every acknowledged command is in the log at its index with identical bytes, none is there twice, the deadline has
    moved by the gaps to the nanosecond, and the log passes the offline audit.
    """
    first = bidders[0]
    acknowledged = [
        kept for bidder in bidders for kept in bidder.kept.values() if message_auction(kept.entry) == auction
    ]
    last = max(kept.receipt.index for kept in acknowledged)
    first.run_until(lambda: first.core.replicas[auction].size > last, "the last acknowledged entry")
    found = first.audited(auction)
    applied = first.applied(auction)
    entries = [encode(item.entry) for item in applied]
    for kept in acknowledged:
        if entries[kept.receipt.index] != kept.entry:
            raise AssertionError(f"an acknowledged entry is not at index {kept.receipt.index}")
    bodies = [item.entry.body for item in applied if item.entry.kind in (Kind.BID, Kind.JOINED)]
    if len(set(bodies)) != len(bodies):
        raise AssertionError("a command is in the log twice")
    opened_ns = next(item.entry.time_ns for item in applied if item.entry.kind is Kind.OPENED)
    gaps = [item.fact for item in applied if isinstance(item.fact, Gap)]
    moved_ns = sum(gap.until_ns - gap.since_ns for gap in gaps)
    end_ns = opened_ns + found.auction.terms.rules.duration_ns + moved_ns
    if found.auction.end_ns != end_ns:
        raise AssertionError(f"the deadline is {found.auction.end_ns}, and duration and gaps make it {end_ns}")
    return gaps


def message_auction(entry: bytes) -> bytes:
    """The auction that a bid's or a joining's entry is for."""
    stored = decode(entry)
    return (decode_bid if stored.kind is Kind.BID else decode_join)(stored.body).auction


class RawSession:
    """A client's socket and nothing else: sends whatever frames it is given. For tests of bad manners."""

    def __init__(self, name: str, address: HouseAddress, *, routing_id: bytes = b"") -> None:
        self.key = key_of(name)
        self.address = address
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        configure(self._socket, address, self.key)
        self._socket.setsockopt(zmq.IMMEDIATE, 0)
        if routing_id:
            self._socket.setsockopt(zmq.ROUTING_ID, routing_id)
        self._socket.connect(address.endpoint)

    def close(self) -> None:
        self._socket.close(linger=0)
        self._context.term()

    def send(self, *frames: bytes) -> None:
        self._socket.send_multipart(frames)

    def receive(self) -> Any:
        """The next answer, decoded; entries of the feed are passed over."""
        while True:
            if not self._socket.poll(int(PATIENCE_S * 1_000)):
                raise TimeoutError("no answer")
            reply = decode_reply(self._socket.recv_multipart()[0])
            if not isinstance(reply, Entries):
                return reply

    def ask(self, *frames: bytes) -> Any:
        self.send(*frames)
        return self.receive()

    def hello(self, role: str = "bidder", *, key: SecretKey | None = None) -> Message:
        """A hello that is in order, unless ``key`` is another identity's."""
        return ClientGreeting(key or self.key, self.address.identity, role).hello(token_bytes(16), time.time_ns())

    def greet(self, role: str = "bidder") -> Any:
        return self.ask(*self.hello(role))
