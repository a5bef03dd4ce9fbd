"""Who is there: sessions by number, identities by how many sessions they hold, and who has been gone for how long.

A session number is the gateway's, never a routing id; all sessions end with the gateway that held them. An identity
counts as gone when it has had no session for PRESENCE_GRACE_NS, which is longer than any reconnection takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.timers import Timers
from auctionctl.keys.allowlist import AllowList
from auctionctl.wire.session import Peer, admits, is_listed

PRESENCE_GRACE_NS: Final = 10 * SECOND_NS


class Presence:
    """Sessions and the identities behind them. Identities are signing keys, 32 bytes."""

    def __init__(self) -> None:
        self.peers: dict[int, Peer] = {}
        self._sessions: Counter[bytes] = Counter()
        self._former: dict[int, tuple[bytes, ...]] = {}
        self._gone = Timers()

    def greet(self, session: int, peer: Peer, former: Sequence[bytes] = ()) -> None:
        """``session`` is ``peer``; a second hello on the same session replaces the first.

        Its holder is there under its ``former`` keys too: nobody comes by those any more.
        """
        self.end(session, None)
        self.peers[session] = peer
        if former:
            self._former[session] = tuple(former)
        for identity in (peer.identity.signing, *former):
            self._sessions[identity] += 1
            self._gone.set(identity, None)

    def end(self, session: int, now_ns: int | None) -> Peer | None:
        """``session`` is over; its identity may count as gone from ``now_ns`` on."""
        peer = self.peers.pop(session, None)
        if peer is None:
            return None
        for identity in (peer.identity.signing, *self._former.pop(session, ())):
            self._sessions[identity] -= 1
            if not self._sessions[identity]:
                del self._sessions[identity]
                if now_ns is not None:
                    self._gone.set(identity, now_ns + PRESENCE_GRACE_NS)
        return peer

    def not_admitted(self, allowed: AllowList) -> list[int]:
        """The sessions of those whom ``allowed`` does not let in under these keys, or not in their role.

        Also of whoever has become a stranger, or is none any more: its next session has its quotas.
        """
        return [
            session
            for session, peer in self.peers.items()
            if (entry := allowed.entry_of(peer.identity)) is None
            or is_listed(entry, allowed) is not peer.is_listed
            or not admits(entry, peer.role)
        ]

    def end_all(self, now_ns: int) -> None:
        """The gateway is lost, and every session with it."""
        for session in list(self.peers):
            self.end(session, now_ns)

    def expect(self, identities: Iterable[bytes], now_ns: int) -> None:
        """Those of ``identities`` that hold no session have the grace from ``now_ns`` to appear."""
        for identity in identities:
            if identity not in self._sessions:
                self._gone.set(identity, now_ns + PRESENCE_GRACE_NS)

    def next_ns(self) -> int | None:
        """When somebody will next count as gone, or None."""
        return self._gone.next_ns()

    def take_gone(self, now_ns: int) -> Iterator[bytes]:
        """The identities that count as gone now, each once."""
        return self._gone.take_due(now_ns)
