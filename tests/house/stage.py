"""A house in memory with its store, and whoever speaks to it: signed requests in, effects out, one virtual clock.

The stage does what verifiers, store and gateway do. ``tests/conftest.py`` hands it out. All times are nanoseconds, all
amounts cents.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import msgspec

from auctionctl.auction.bid import Bid, Join, decode_bid, decode_join, encode_bid, encode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import KINDS, AnyCommand, decode_command, encode_command
from auctionctl.auction.terms import SECOND_NS, Terms, auction_id, decode_terms
from auctionctl.errors import RemoteProtocolError, TermsError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.effects import Commit, Effect, Publish, Send
from auctionctl.house.house import House
from auctionctl.house.intake import Request
from auctionctl.house.limits import Limits
from auctionctl.house.recovery import rebuild
from auctionctl.house.registry import RegistryLog
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import REGISTRY
from auctionctl.store.log_store import Append
from auctionctl.store.memory import MemoryStore
from auctionctl.tlog.entry import Entry as LogEntry
from auctionctl.tlog.entry import decode
from auctionctl.wire.frames import Message, is_signed_by, message_type, sign_body
from auctionctl.wire.listing import Entropy, LotDescription, sign_terms
from auctionctl.wire.messages import Hello, Rejections, decode_rejection, decode_reply, decode_request, encode
from auctionctl.wire.session import ClientGreeting

START_NS = 1_767_225_600 * SECOND_NS
NAMES = ("ann", "ben", "cleo", "dora")


def key_of(name: str) -> SecretKey:
    return SecretKey(name.encode().ljust(32, b"."))


def allowed_with(**roles: str) -> AllowList:
    return AllowList(enumerate((Entry(key_of(name).identity, name, role) for name, role in roles.items()), 1))


EVERYBODY = allowed_with(**dict.fromkeys(NAMES, "bidder"), sue="seller", sam="seller", otto="operator", olga="observer")


def signer_of(message: Message) -> bytes:
    """What a verifier would say: the key in the body, if the signature is by it; empty for what needs none."""
    decoders: dict[str, Any] = {"bid": decode_bid, "join": decode_join, "hello": decode_request, "terms": decode_terms}
    decoder = (decoders | dict.fromkeys(KINDS, decode_command)).get(message_type(message.body))
    if decoder is None:
        return b""
    try:
        body = decoder(message.body)
    except (RemoteProtocolError, TermsError):
        return b""
    names = {Hello: "identity", Terms: "seller", Bid: "bidder", Join: "bidder"}
    key: bytes = getattr(body, names.get(type(body), "actor"))
    return key if is_signed_by(key, *message) else b""


class Stage:
    """``effects`` is everything that the house asked for, in order; a commit is performed as soon as it is asked for.

    With ``is_full`` the store takes nothing, with ``is_held`` commits wait for :meth:`settle`.
    """

    def __init__(self, limits: Limits | None = None, allowed: AllowList = EVERYBODY, now_ns: int = START_NS) -> None:
        self.key = key_of("house")
        self.now_ns = now_ns
        # Whoever tries the rates says so; here many bids come at one instant.
        self.limits = replace(limits or Limits(), bids_per_s=10**9, bids_burst=10**9, all_bids_per_s=10**9)
        self.store = MemoryStore()
        self.house = House(self.key, self.limits, allowed, now_ns)
        self.effects: list[Effect] = []
        self.is_full = False
        self.is_held = False
        self._held: list[Effect] = []
        self._count = itertools.count(1)
        self._names: dict[int, str] = {}
        self.do(self.house.adopt(RegistryLog(self.key), [], None, now_ns))
        self.effects.clear()

    # Time

    def after(self, duration_ns: int) -> Stage:
        """Let time pass, looking after the house often enough that nothing counts as a stall."""
        end_ns = self.now_ns + duration_ns
        while self.now_ns < end_ns:
            timer_ns = self.house.get_timer()
            step_ns = self.now_ns + SECOND_NS // 2
            if timer_ns is not None and self.now_ns < timer_ns < step_ns:
                step_ns = timer_ns
            self.now_ns = min(end_ns, step_ns)
            self.do(self.house.handle_timer(self.now_ns))
        return self

    def until(self, at_ns: int) -> Stage:
        return self.after(at_ns - self.now_ns)

    # What is said

    def announce(self, seller: str = "sue", **changes: Any) -> bytes:
        """An auction under these terms; returns its id. It opens with two bidders, runs 20 s, and starts at 10.00."""
        message = self.terms(seller, **changes)
        self.do(self.house.announce(message.body, message.signature, self.now_ns))
        return auction_id(message.body)

    def terms(self, seller: str = "sue", **changes: Any) -> Message:
        number = next(self._count)
        fields: dict[str, Any] = {
            "listing": f"lot-{number}",
            "title": "A lot",
            "currency": "EUR",
            "starting_price_minor": 1_000,
            "duration_ns": 20 * SECOND_NS,
            "start_timeout_ns": 30 * SECOND_NS,
            "bid_timeout_ns": 10 * SECOND_NS,
            "min_bidders": 2,
        } | changes
        entropy = Entropy(number.to_bytes(16, "big"), number.to_bytes(32, "big"), number.to_bytes(32, "big"))
        lot = LotDescription(**fields)
        return sign_terms(lot, self.key.identity.signing, self.key.escrow_public, key_of(seller), entropy)

    def hello(self, session: int, name: str, role: str = "bidder", transport: bytes = b"") -> Request:
        key = key_of(name)
        nonce = next(self._count).to_bytes(16, "big")
        message = ClientGreeting(key, self.key.identity, role).hello(nonce, self.now_ns)
        return Request(session, signer_of(message), *message, transport or key.identity.transport)

    def enter(self, session: int, name: str, role: str = "bidder") -> int:
        self.handle(self.hello(session, name, role))
        self._names[session] = name
        return session

    def ask(self, session: int, message: Any) -> Request:
        return Request(session, b"", encode(message), b"")

    def join(self, session: int, auction: bytes, **changes: Any) -> Request:
        key = key_of(self._names[session])
        join = Join(
            house=self.key.identity.signing,
            auction=auction,
            bidder=key.identity.signing,
            nonce=next(self._count).to_bytes(16, "big"),
            placed_at_ns=self.now_ns,
            not_after_ns=self.now_ns + 5 * SECOND_NS,
        )
        return self._signed(session, key, encode_join(msgspec.structs.replace(join, **changes)))

    def bid(self, session: int, auction: bytes, amount_minor: int, **changes: Any) -> Request:
        key = key_of(self._names[session])
        bid = Bid(
            house=self.key.identity.signing,
            auction=auction,
            bidder=key.identity.signing,
            seq=next(self._count),
            amount_minor=amount_minor,
            currency="EUR",
            placed_at_ns=self.now_ns,
            not_after_ns=self.now_ns + 5 * SECOND_NS,
        )
        return self._signed(session, key, encode_bid(msgspec.structs.replace(bid, **changes)))

    def command(self, session: int, of: type[AnyCommand], auction: bytes, *fields: Any, **changes: Any) -> Request:
        """A command of whoever has this session, with ``fields`` after what every command says."""
        key = key_of(self._names[session])
        nonce = next(self._count).to_bytes(16, "big")
        build: Any = of
        command = build(
            self.key.identity.signing,
            auction,
            key.identity.signing,
            nonce,
            self.now_ns,
            self.now_ns + 5 * SECOND_NS,
            *fields,
        )
        return self._signed(session, key, encode_command(msgspec.structs.replace(command, **changes)))

    def _signed(self, session: int, key: SecretKey, body: bytes) -> Request:
        message = sign_body(key, body)
        return Request(session, signer_of(message), *message)

    def opened(self, **changes: Any) -> bytes:
        """An auction that has opened: ann (session 1) and ben (session 2) have joined."""
        auction = self.announce(**changes)
        for session, name in ((1, "ann"), (2, "ben")):
            if session not in self.house.presence.peers:
                self.enter(session, name)
        self.handle(self.join(1, auction), self.join(2, auction))
        return auction

    def offer(self, session: int, message: Message) -> Request:
        """A seller's terms, as the verifier hands them on."""
        return Request(session, signer_of(message), *message)

    # What comes of it

    def handle(self, *requests: Request) -> list[Effect]:
        """The effects of one batch; those behind a commit follow it, once the store has taken it."""
        return self.do(self.house.handle(requests, self.now_ns))

    def do(self, effects: list[Effect]) -> list[Effect]:
        done: list[Effect] = []
        queue = list(effects)
        while queue:
            effect = queue.pop(0)
            done.append(effect)
            self.effects.append(effect)
            if isinstance(effect, Commit):
                if self.is_held:
                    assert not queue, "nothing follows a commit"
                elif self.is_full:
                    queue += self.house.rolled_back(self.rebuild, self.rebuild_registry)
                else:
                    self._append(effect)
                    queue += self.house.committed()
        return done

    def settle(self) -> list[Effect]:
        """Make durable what was held, and go on."""
        commit = self.effects[-1]
        assert isinstance(commit, Commit)
        self.is_held = False
        self._append(commit)
        return self.do(self.house.committed())

    def _append(self, commit: Commit) -> None:
        appends = [Append(*append) for append in commit.appends]
        self.store.append(appends, self.house.alive_ns(self.now_ns))

    def rebuild(self, log: AuctionLog) -> AuctionLog | None:
        return rebuild(self.key, log.name, self.store.read(log.name)) if self.store.size(log.name) else None

    def rebuild_registry(self) -> RegistryLog:
        return RegistryLog(self.key, self.store.read(REGISTRY))

    def restart(self, down_ns: int, allowed: AllowList | None = None) -> None:
        """The house is killed, and another one starts on the same store ``down_ns`` later."""
        allowed = self.house.allowed if allowed is None else allowed
        self.now_ns += down_ns
        self.house = House(self.key, self.limits, allowed, self.now_ns)
        logs = [rebuild(self.key, name, self.store.read(name)) for name, _ in self.store.logs() if name != REGISTRY]
        self.do(self.house.adopt(self.rebuild_registry(), logs, self.store.last_alive_ns(), self.now_ns))

    def log(self, auction: bytes) -> AuctionLog:
        return self.house.log(auction)

    def data(self, auction: bytes) -> list[bytes]:
        return list(self.store.read(self.log(auction).name))

    def export(self, auction: bytes) -> bytes:
        """The file of the log, for whoever verifies it."""
        return encode_export(self.data(auction), self.log(auction).checkpoint, self.announcement(auction))

    def registry_data(self) -> list[bytes]:
        return list(self.store.read(REGISTRY))

    def registry_export(self) -> bytes:
        """The file of the registry."""
        return encode_export(self.registry_data(), self.house.registry.sign_head())

    def announcement(self, auction: bytes) -> bytes:
        return self.house.registry.announcement(auction)

    def entries(self, auction: bytes) -> list[LogEntry]:
        return [decode(data) for data in self.data(auction)]

    def kinds(self, auction: bytes) -> list[str]:
        return [entry.kind.value for entry in self.entries(auction)]


def replies(effects: list[Effect], session: int) -> list[Any]:
    """What is sent to one session, decoded."""
    return [decode_reply(e.message.body) for e in effects if isinstance(e, Send) and e.session == session]


def published(effects: list[Effect]) -> list[Any]:
    return [decode_reply(effect.message.body) for effect in effects if isinstance(effect, Publish)]


def codes(effects: list[Effect], session: int) -> list[str]:
    """The codes of all rejections that went to one session."""
    batches = [reply for reply in replies(effects, session) if isinstance(reply, Rejections)]
    return [decode_rejection(rejected.rejection).code for batch in batches for rejected in batch.rejections]


def command_of(request: Request) -> bytes:
    return command_id(request.body)
