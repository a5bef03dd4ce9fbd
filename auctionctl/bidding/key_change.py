"""The core of whoever has a house enter something about a key in its registry: once, and until it is there.

Rule: it counts as done only once the house's registry says so, under a checkpoint that holds; the same bytes are sent
until then, or until the house refuses them for good. What stands in the registry already is not sent again.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.errand import Errand
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.follower import Follower, Notice, RegistryAdvanced, Welcomed
from auctionctl.replica.registry import Registry, Revoke, Rotate, encode_registry_event
from auctionctl.wire.frames import Message, sign_body
from auctionctl.wire.messages import Refused

RETRY_NS: Final = SECOND_NS
FINAL_CODES: Final = frozenset({"not_revoked", "not_rotated", "not_authorised", "halted", "malformed", "unknown_type"})
"""What a house refuses for good."""


class KeyChange(Errand):
    """Has ``key`` sign ``event``, and the house enter it. Times are this machine's."""

    def __init__(self, key: SecretKey, house: Identity, event: Revoke | Rotate) -> None:
        super().__init__(Follower(key, house, "observer"))
        self._message = sign_body(key, encode_registry_event(event))
        self._send_at_ns: int | None = None
        self.was_sent = False
        self.refusal: Refused | None = None
        self.delay: Refused | None = None
        """Why the house did not take it when it was last asked, where it may take it later."""

    @property
    def registry(self) -> Registry:
        """The house's, as far as it was seen."""
        return self.follower.registry.replay.state

    @property
    @abstractmethod
    def entry_index(self) -> int | None:
        """The entry of the registry that says it, once it has been seen there."""

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.entry_index is not None or self.refusal is not None

    def take_notices(self) -> list[Notice]:
        """Nobody has to be told of anything before the end."""
        return []

    def receive(self, message: Message, now_ns: int) -> list[Notice]:
        """What one message of the house means. Raises what a Follower raises."""
        for notice in self.follower.receive(message, now_ns):
            match notice:
                case Welcomed():
                    self.follower.follow_registry(now_ns)
                case RegistryAdvanced(is_current=True) if self._send_at_ns is None:
                    self._send_at_ns = now_ns
                    self._transmit(now_ns)
                case Refused(code=code, command=command) if command == command_id(self._message.body):
                    if code in FINAL_CODES and not self.is_done:
                        self.refusal = notice
                    self.delay = notice
                case _:
                    pass
        return []

    def disconnected(self) -> None:
        """The transport is down: the registry is read again before anything is sent."""
        super().disconnected()
        self._send_at_ns = None

    def get_timer(self) -> int | None:
        """When :meth:`handle_timer` should be called, or None."""
        times = (self.follower.get_timer(), None if self.is_done else self._send_at_ns)
        return min((at_ns for at_ns in times if at_ns is not None), default=None)

    def handle_timer(self, now_ns: int) -> None:
        """Do what is due."""
        self.follower.handle_timer(now_ns)
        self._transmit(now_ns)

    def _transmit(self, now_ns: int) -> None:
        if self.is_done or not self.is_welcome or self._send_at_ns is None or now_ns < self._send_at_ns:
            return
        self._send_at_ns = now_ns + RETRY_NS
        self.was_sent = True
        self._outgoing.append(self._message)
