"""The greeting: who is at the other end, checked by both sides (DESIGN.md section 5).

CURVE has authenticated both transport keys before the first message. ``hello`` binds the session's transport key to an
identity; ``welcome`` binds the house's to the house's identity, over the nonce of the hello. Nothing else is answered
before. Pure: nonces and times are handed in.
"""

from __future__ import annotations

import msgspec

from auctionctl.errors import NotAuthorisedError, RemoteProtocolError
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.wire.frames import PROTOCOL_VERSION, Message, is_signed_by, sign_body
from auctionctl.wire.messages import Hello, Welcome, encode

MAX_ROLE_TEXT = 32


class Peer(msgspec.Struct, frozen=True):
    """Who a session is: an identity and the name and role under which the allow list admits it."""

    identity: Identity
    name: str
    role: str
    is_listed: bool = True
    """Whether it has a line of the list, or is a stranger."""


class ClientGreeting:
    """The session's side of one greeting: :meth:`hello` goes out, :meth:`check` judges the welcome."""

    def __init__(self, key: SecretKey, house: Identity, role: str) -> None:
        self._key = key
        self._house = house
        self._role = role
        self._nonce = b""

    def another(self) -> ClientGreeting:
        """For one more session, by the same key, at the same house, in the same role."""
        return ClientGreeting(self._key, self._house, self._role)

    def hello(self, nonce: bytes, now_ns: int) -> Message:
        """A hello under a fresh 16-byte ``nonce``; a welcome for an earlier one is no longer good."""
        self._nonce = nonce
        mine = self._key.identity
        hello = Hello(PROTOCOL_VERSION, self._house.signing, mine.signing, mine.transport, self._role, nonce, now_ns)
        return sign_body(self._key, encode(hello))

    def check(self, welcome: Welcome, body: bytes, signature: bytes) -> None:
        """Raises RemoteProtocolError unless this is the house's own answer to the last hello."""
        if not is_signed_by(self._house.signing, body, signature):
            raise RemoteProtocolError("the welcome is not signed by the house of this address")
        if welcome.version != PROTOCOL_VERSION:
            raise RemoteProtocolError(f"the house speaks version {welcome.version} of the protocol")
        mine = self._key.identity
        if (welcome.nonce, welcome.identity, welcome.transport) != (self._nonce, mine.signing, mine.transport):
            raise RemoteProtocolError("the welcome answers somebody else's hello")
        if welcome.role != self._role:
            raise RemoteProtocolError(f"the welcome is for the role {welcome.role[:MAX_ROLE_TEXT]!a}, not {self._role}")
        if welcome.house_transport != self._house.transport:
            raise RemoteProtocolError("the welcome names another transport key than the house's address")


def admit(hello: Hello, house: Identity, transport: bytes, allowed: AllowList) -> Peer:
    """Who says ``hello``, its signature by ``hello.identity`` being checked already.

    ``transport`` is the key that CURVE authenticated. Raises NotAuthorisedError with what is missing.
    """
    if hello.version != PROTOCOL_VERSION:
        raise NotAuthorisedError(f"this house speaks version {PROTOCOL_VERSION} of the protocol, not {hello.version}")
    if hello.house != house.signing:
        raise NotAuthorisedError("this hello is meant for another house")
    if hello.transport != transport:
        raise NotAuthorisedError("this hello was made for another connection")
    entry = allowed.entry_of(Identity(hello.identity, transport))
    if entry is None:
        is_open = allowed.access is Access.OPEN
        why = "has a key that was revoked, or is somebody else's" if is_open else "is not on the allow list"
        raise NotAuthorisedError(f"this identity {why}")
    if not admits(entry, hello.role):
        raise NotAuthorisedError(f"{entry.name} is admitted as {entry.role}, not as {hello.role}")
    return Peer(entry.identity, entry.name, hello.role, is_listed(entry, allowed))


def is_listed(entry: Entry, allowed: AllowList) -> bool:
    """Whether ``entry`` is a line of ``allowed``, and not a stranger's."""
    return allowed.by_signing(entry.identity.signing) is entry


def admits(entry: Entry, role: str) -> bool:
    """Whether ``entry`` may act in ``role``: everybody who is let in may look on."""
    return role == "observer" or role in entry.role.split("+")


def welcome(key: SecretKey, hello: Hello, now_ns: int, queue_limit: int) -> Message:
    """The house's signed answer to a hello that :func:`admit` accepted."""
    answer = Welcome(
        PROTOCOL_VERSION,
        hello.nonce,
        hello.identity,
        hello.transport,
        key.identity.transport,
        key.escrow_public,
        hello.role,
        now_ns,
        queue_limit,
    )
    return sign_body(key, encode(answer))
