"""The registry: the house's own log, which says what auctions it holds and whom it lets in (DESIGN.md section 7).

Every entry is the house's word, but for revocations, which are signed by whoever revokes, and rotations, which are
signed by the old key and by the new. Rule: an auction, and a seller's listing, is announced once and for ever, by the
house itself or by somebody whom the registry has as a seller; an identity is admitted before its role can change; one
that was revoked or replaced has no role any more, for ever; a key takes the place of one other, and only before it was
ever known. The same code serves the house, a live replica and the offline audit: state comes from entries alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Final, NamedTuple

import msgspec

from auctionctl.auction.rules import Key
from auctionctl.errors import AuctionctlError, MalformedEntryError, VerificationError
from auctionctl.keys.allowlist import Role
from auctionctl.keys.encoding import is_name
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.conduct import MAX_DEEDS, Deeds
from auctionctl.replica.reputation import Reputations
from auctionctl.replica.succession import Successions
from auctionctl.tlog.entry import SIGNATURE_BYTES, Entry, Kind, decode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import is_signed_by, sign_body

REGISTRY: Final = "registry"
"""The name of this log, in the store and at the end of its origin."""

REGISTRY_ID: Final = b""
"""What stands for it where a message names an auction."""

FINISHING: Final = frozenset(
    {Kind.PAYMENT, Kind.PAYMENT_REJECTED, Kind.SETTLED, Kind.OFFERED, Kind.ACCEPTED, Kind.DECLINED}
)
"""What the holder of a key that was replaced still signs with it: the log of a sale names that key, and no other."""

Listing = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Name = Annotated[str, msgspec.Meta(max_length=32)]
Roles = Annotated[str, msgspec.Meta(max_length=64)]


class Announced(msgspec.Struct, array_like=True, tag="announced", frozen=True):
    """The auction whose terms have this SHA-256 is one of this house's; its log begins in the same commit."""

    auction: Key
    seller: Key
    listing: Listing


class Admitted(msgspec.Struct, array_like=True, tag="admitted", frozen=True):
    """The holder of these keys may come in, in one of the roles joined by ``+``, and is called ``name`` here."""

    signing: Key
    transport: Key
    name: Name
    role: Roles


class RoleChanged(msgspec.Struct, array_like=True, tag="role", frozen=True):
    """An admitted identity has another name or other roles from now on; with ``role`` empty it is let in no more."""

    signing: Key
    name: Name
    role: Roles


class Revoke(msgspec.Struct, array_like=True, tag="revoke", frozen=True):
    """The holder of ``key`` is let in no more, for ever: ``actor`` says so, who is that holder or an operator."""

    house: Key
    actor: Key
    key: Key


class Succeed(msgspec.Struct, array_like=True, tag="succeed", frozen=True):
    """The holder of these keys takes the place of ``key`` at this house: what a new key signs, within a rotation."""

    house: Key
    key: Key
    signing: Key
    transport: Key


class Rotate(msgspec.Struct, array_like=True, tag="rotate", frozen=True):
    """Other keys take the place of ``key``, which signs this; the new one's signature of ``succeed`` is ``consent``."""

    house: Key
    key: Key
    signing: Key
    transport: Key
    consent: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]

    @property
    def has_consent(self) -> bool:
        """Whether the new key has signed, for this house, that it takes this one's place."""
        return is_signed_by(self.signing, _to_succeed(self.house, self.key, self.successor), self.consent)

    @property
    def successor(self) -> Identity:
        """The new keys."""
        return Identity(self.signing, self.transport)


def rotation(old: bytes, new: SecretKey, house: bytes) -> Rotate:
    """What the holder of ``old`` has to sign so that ``new`` takes its place; the new key has signed its part."""
    consent = sign_body(new, _to_succeed(house, old, new.identity)).signature
    return Rotate(house, old, new.identity.signing, new.identity.transport, consent)


def _to_succeed(house: bytes, old: bytes, new: Identity) -> bytes:
    return _encoder.encode(Succeed(house, old, new.signing, new.transport))


class Conduct(msgspec.Struct, array_like=True, tag="conduct", frozen=True):
    """What an auction that is final says of its bidders, by signing key; of many, in several such entries."""

    auction: Key
    deeds: Annotated[tuple[Deeds, ...], msgspec.Meta(min_length=1, max_length=MAX_DEEDS)]


RegistryEvent = Announced | Admitted | RoleChanged | Revoke | Rotate | Conduct

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[RegistryEvent] = msgspec.msgpack.Decoder(RegistryEvent)


def kind_of(event: RegistryEvent) -> Kind:
    """The kind of the entry that carries ``event``: the tag of its type, or what a command becomes in the log."""
    match event:
        case Revoke():
            return Kind.KEY_REVOKED
        case Rotate():
            return Kind.KEY_ROTATED
        case _:
            return Kind(str(event.__struct_config__.tag))


def encode_registry_event(event: RegistryEvent) -> bytes:
    """The body of the entry that carries ``event``."""
    return _encoder.encode(event)


def decode_registry_event(kind: Kind, body: bytes) -> RegistryEvent:
    """The event in an entry of ``kind``; MalformedEntryError for a body that is none, or of another kind."""
    try:
        event = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MalformedEntryError(f"not an event of the registry: {error}") from error
    if _encoder.encode(event) != body:
        raise MalformedEntryError("not an event of the registry: not in canonical form")
    if kind_of(event) is not kind:
        raise MalformedEntryError(f"an entry of kind {kind} holds an event of kind {kind_of(event)}")
    return event


class Member(NamedTuple):
    """An identity that was admitted: its present name and roles (none any more: empty), and since when it is known."""

    identity: Identity
    name: str
    role: str
    since_ns: int


class Announcement(NamedTuple):
    """Where in the registry an auction was announced, when, by whom and under which listing."""

    entry_index: int
    time_ns: int
    seller: bytes
    listing: str


class Registry:
    """What the entries so far come to. ``house`` is the house's signing key, which may always sell."""

    def __init__(self, house: bytes) -> None:
        self.house = house
        self.members: dict[bytes, Member] = {}
        """Signing key → who was admitted, in order of the first admission."""
        self.auctions: dict[bytes, Announcement] = {}
        """Auction → its announcement, in order."""
        self.successions = Successions()
        self.reputations = Reputations(self.successions)
        self.size = 0
        self.last_time_ns = 0
        self._listings: dict[tuple[bytes, str], bytes] = {}
        self._roles: dict[bytes, list[tuple[int, str]]] = {}
        """Signing key → since when it had which roles, in order."""
        self.revoked: dict[bytes, int] = {}
        """Signing key → when it was revoked."""
        self.revocations: dict[bytes, int] = {}
        """Signing key → the index of the entry that revoked it."""
        self._disowned: set[bytes] = set()
        """Signing keys that were revoked, and not by whoever had taken their place by then."""
        self.rotated: dict[bytes, int] = {}
        """Signing key → when another took its place."""
        self.rotations: dict[bytes, int] = {}
        """Signing key → the index of the entry by which another took its place."""
        self._transports: set[bytes] = set()

    def roles_at(self, signing: bytes, time_ns: int, within_ns: int = 0) -> frozenset[str]:
        """The roles that an identity had at ``time_ns``; both before and after a change ``within_ns`` of that time.

        The house itself may always sell and operate.
        """
        if signing == self.house:
            return frozenset({Role.SELLER.value, Role.OPERATOR.value})
        history = self._roles.get(signing, [])
        before = [role for since_ns, role in history if since_ns < time_ns - within_ns][-1:]
        then = [role for since_ns, role in history if abs(since_ns - time_ns) <= within_ns]
        return frozenset(word for role in before + then for word in role.split("+") if word)

    def find_listing(self, seller: bytes, listing: str) -> bytes | None:
        """The auction that ``seller`` has announced under this name, with whichever of its keys."""
        for key in self.successions.keys_of(seller):
            if (auction := self._listings.get((key, listing))) is not None:
                return auction
        return None

    def check(self, event: RegistryEvent, time_ns: int) -> str | None:
        """Why ``event`` cannot be the next entry, dated ``time_ns``; None if it can."""
        if time_ns < self.last_time_ns:
            return f"dated {self.last_time_ns - time_ns} ns before the entry below it"
        if isinstance(event, Announced):
            return self._check_announced(event)
        if isinstance(event, Revoke):
            return self._check_revoke(event, time_ns)
        if isinstance(event, Rotate):
            return self._check_rotate(event)
        if isinstance(event, Conduct):
            return self._check_conduct(event)
        if not is_name(event.name):
            return "this is no name"
        if isinstance(event, Admitted):
            return self._check_admitted(event)
        member = self.members.get(event.signing)
        if member is None or not member.role:
            return "an identity that is not let in has no role to change"
        if (member.name, member.role) == (event.name, event.role):
            return "nothing is changed"
        return None if not event.role or is_role(event.role) else "this is no role"

    def _check_announced(self, event: Announced) -> str | None:
        if event.auction in self.auctions:
            return "this auction was announced before"
        if self.find_listing(event.seller, event.listing) is not None:
            return f"this seller has announced {event.listing!r} before"
        member = self.members.get(event.seller)
        if event.seller != self.house and (member is None or Role.SELLER not in member.role.split("+")):
            return "this house knows no such seller"
        return None

    def _check_revoke(self, event: Revoke, time_ns: int) -> str | None:
        if event.house != self.house:
            return "this is meant for another house"
        if event.key == self.house:
            return "the house's own key is in its address, and cannot be revoked"
        if event.key not in self.members:
            return "this house knows no such key"
        if event.key in self.revoked:
            return "this key was revoked before"
        if event.actor in self.revoked or event.actor in self.rotated:
            return "a key that was revoked or replaced revokes nothing"
        if event.actor != event.key and Role.OPERATOR not in self.roles_at(event.actor, time_ns):
            return "only its holder or an operator revokes a key"
        return None

    def _check_rotate(self, event: Rotate) -> str | None:
        if event.house != self.house:
            return "this is meant for another house"
        if event.key == self.house:
            return "the house's own key is in its address, and cannot be replaced"
        if event.key in self.rotated:
            return "another key took the place of this one before"
        member = self.members.get(event.key)
        if member is None or not member.role:
            return "who is not let in has no key to replace"
        if event.signing == self.house or event.signing in self.members or event.transport in self._transports:
            return "the new key is known here already: make one for this alone"
        return None

    def _check_conduct(self, event: Conduct) -> str | None:
        if event.auction not in self.auctions:
            return "this auction was not announced"
        told = self.reputations.auctions.get(event.auction, ())[-1:]
        bidders = [each.bidder for each in (*told, *event.deeds)]
        if any(later <= earlier for earlier, later in pairwise(bidders)):
            return "bidders are not in the order of their keys, each once"
        return None if all(each.is_consistent for each in event.deeds) else "deeds that exclude one another, or none"

    def _check_admitted(self, event: Admitted) -> str | None:
        member = self.members.get(event.signing)
        if member is not None and member.role:
            return "this identity is let in already"
        if event.signing in self.revoked:
            return "this key was revoked"
        if event.signing in self.rotated:
            return "another key took the place of this one"
        if event.signing == self.house:
            return "the house needs no admission to itself"
        return None if is_role(event.role) else "this is no role"

    def apply(self, event: RegistryEvent, time_ns: int) -> int:
        """Take on an event that :meth:`check` has passed; returns its index."""
        index = self.size
        match event:
            case Announced(auction=auction, seller=seller, listing=listing):
                self.auctions[auction] = Announcement(index, time_ns, seller, listing)
                self._listings[seller, listing] = auction
            case Admitted(signing=signing, transport=transport, name=name, role=role):
                known = self.members.get(signing)
                since_ns = time_ns if known is None else known.since_ns
                self.members[signing] = Member(Identity(signing, transport), name, role, since_ns)
                self._roles.setdefault(signing, []).append((time_ns, role))
                self._transports.add(transport)
            case RoleChanged(signing=signing, name=name, role=role):
                self.members[signing] = self.members[signing]._replace(name=name, role=role)
                self._roles[signing].append((time_ns, role))
            case Revoke(key=key, actor=actor):
                if actor not in self.successions.later(key):
                    self._disowned.add(key)
                self.members[key] = self.members[key]._replace(role="")
                self._roles[key].append((time_ns, ""))
                self.revoked[key] = time_ns
                self.revocations[key] = index
            case Rotate():
                self._apply_rotate(event, time_ns)
            case Conduct(auction=auction, deeds=deeds):
                self.reputations.add(auction, deeds, time_ns)
        self.size += 1
        self.last_time_ns = time_ns
        return index

    def is_disowned(self, key: bytes) -> bool:
        """Whether a key of the holder of ``key`` was revoked by others, as one that was stolen.

        All of them are in doubt then: whoever stole it may have put a key of its own in its place before.
        """
        return not self._disowned.isdisjoint(self.successions.keys_of(key))

    def _apply_rotate(self, event: Rotate, time_ns: int) -> None:
        old, new = self.members[event.key], event.successor
        self.members[event.key] = old._replace(role="")
        self.members[new.signing] = Member(new, old.name, old.role, time_ns)
        self._roles[event.key].append((time_ns, ""))
        self._roles[new.signing] = [(time_ns, old.role)]
        self._transports.add(new.transport)
        self.rotated[event.key] = time_ns
        self.rotations[event.key] = self.size
        self.successions.add(event.key, new.signing)


def is_role(text: str) -> bool:
    """Whether ``text`` is one role, or several different ones joined by ``+``."""
    words = text.split("+")
    return len(set(words)) == len(words) and all(word in Role.__members__.values() for word in words)


class RegistryApplied(NamedTuple):
    """One entry of the registry that passed, and its index."""

    entry_index: int
    entry: Entry
    fact: RegistryEvent


class RegistryReplay:
    """The registry of the house with this signing key, entry by entry (:class:`auctionctl.replica.replay.Replay`)."""

    __slots__ = ("state", "tree")

    def __init__(self, house: bytes) -> None:
        self.state = Registry(house)
        self.tree = Tree()

    @property
    def size(self) -> int:
        """How many entries have passed."""
        return self.tree.size

    def apply(self, data: bytes) -> RegistryApplied:
        """Check the next entry's canonical bytes and apply it; VerificationError leaves the state as it was."""
        index = self.tree.size
        try:
            entry = decode(data)
            event = decode_registry_event(entry.kind, entry.body)
        except AuctionctlError as error:
            raise VerificationError(str(error), rule="entry", index=index) from error
        if (reason := _check_signatures(event, entry)) is not None:
            raise VerificationError(reason, rule="signature", index=index)
        if (reason := self.state.check(event, entry.time_ns)) is not None:
            rule = "time" if entry.time_ns < self.state.last_time_ns else entry.kind.value
            raise VerificationError(reason, rule=rule, index=index)
        self.state.apply(event, entry.time_ns)
        self.tree.append(leaf_hash(data))
        return RegistryApplied(index, entry, event)


def _check_signatures(event: RegistryEvent, entry: Entry) -> str | None:
    """Why the authority of ``entry``, which holds ``event``, is not what it has to be; None if it is."""
    match event:
        case Revoke():
            is_signed = is_signed_by(event.actor, entry.body, entry.signature)
            return None if is_signed else "not signed by whoever revokes"
        case Rotate():
            if not is_signed_by(event.key, entry.body, entry.signature):
                return "not signed by the key that is replaced"
            return None if event.has_consent else "not signed by the new key"
        case _:
            return "only who revokes or rotates a key signs an entry here" if entry.signature else None
