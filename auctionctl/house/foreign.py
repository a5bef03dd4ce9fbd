"""Auctions that other instances of the house write, as this one follows them in the store they share.

Rule: what another instance has stored is the house's own, so signatures are not checked again; but it goes through the
rules, and a log that breaks them is quarantined, while the others run: this instance warns of it with the reason, and
neither writes it nor claims it. Where it is this one's by a claim, it is let go of, to nobody: whoever else can read it
goes on with it, and where nobody can, it stands still, as in a house alone, and each instance says why. An auction is
there once it has its first entry and the registry announces it, whichever comes first. One that has come to its end is
nobody's any more: nothing is ever written to it, and every instance answers for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import TermsError, VerificationError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.condition import QUARANTINED, Warnings
from auctionctl.house.recovery import extend, rebuild
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.house_logs import auction_of, check_announced
from auctionctl.replica.registry import Registry
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Moved, encode

ASK_AGAIN_NS: Final = SECOND_NS // 2
"""When to ask again for a log that nobody has just now."""


class Foreign:
    """``logs`` by their ids: those that may still grow. ``warnings`` is told of what does not hold."""

    def __init__(self, key: SecretKey, warnings: Warnings) -> None:
        self.logs: dict[bytes, AuctionLog] = {}
        self._key = key
        self._warnings = warnings
        self._early: dict[str, list[bytes]] = {}
        """Entries of auctions that the registry does not announce yet, by the names of their logs."""
        self._quarantined: set[str] = set()
        self._endpoints: dict[bytes, str] = {}

    # Whose they are

    def add(self, log: AuctionLog) -> None:
        """``log`` is another instance's from now on."""
        log.is_foreign = True
        self.logs[log.id] = log

    def take(self, log_id: bytes) -> AuctionLog | None:
        """This log is no other's any more, if it was."""
        log = self.logs.pop(log_id, None)
        if log is not None:
            log.is_foreign = False
        return log

    def set_endpoints(self, endpoints: Mapping[bytes, str]) -> None:
        """Where each log is taken, the registry's among them; one that is not here is taken nowhere."""
        self._endpoints = dict(endpoints)

    def endpoint_of(self, log_id: bytes) -> str:
        """Where this log is taken; empty where that is not known."""
        return self._endpoints.get(log_id, "")

    def moved(self, log_id: bytes, command: bytes = b"", endpoint: str | None = None) -> Message:
        """The answer to whoever asks here for what is taken elsewhere; ``endpoint`` if that is not its own."""
        endpoint = self.endpoint_of(log_id) if endpoint is None else endpoint
        return Message(encode(Moved(log_id, endpoint, command, 0 if endpoint else ASK_AGAIN_NS)))

    def is_quarantined(self, name: str) -> bool:
        """Whether the log of this name does not hold."""
        return name in self._quarantined

    # How they grow

    def absorb(self, name: str, start: int, entries: Sequence[bytes], registry: Registry) -> AuctionLog | None:
        """Entries from index ``start`` on were stored in the log called ``name``; the log, if it is final with them."""
        if name in self._quarantined:
            return None
        try:
            log = self._take_on(name, start, entries, registry)
        except (VerificationError, TermsError) as error:
            self.quarantine(name, str(error))
            return None
        return self.take(log.id) if log is not None and log.auction.is_final else None

    def _take_on(self, name: str, start: int, entries: Sequence[bytes], registry: Registry) -> AuctionLog | None:
        auction = auction_of(name)
        if (log := self.logs.get(auction)) is not None:
            extend(self._key, log, not_yet_here(log.tree.size, start, entries))
            return log
        early = self._early.setdefault(name, [])
        early += not_yet_here(len(early), start, entries)
        if not early or auction not in registry.auctions:
            return None
        log = rebuild(self._key, name, self._early.pop(name))
        check_announced(log.auction, registry)
        self.add(log)
        return log

    def announced(self, registry: Registry) -> list[AuctionLog]:
        """``registry`` has grown: auctions whose entries came first are there now; those of them that are final."""
        found = [self.absorb(name, len(early), (), registry) for name, early in list(self._early.items())]
        return [log for log in found if log is not None]

    def quarantine(self, name: str, reason: str) -> None:
        """The log of this name does not hold: nothing is said of it, and nothing written."""
        self._quarantined.add(name)
        self._early.pop(name, None)
        self.logs = {log_id: log for log_id, log in self.logs.items() if log.name != name}
        self._warnings.say(QUARANTINED, reason, name)


def not_yet_here(size: int, start: int, entries: Sequence[bytes]) -> Sequence[bytes]:
    """What of ``entries``, which begin at ``start``, comes behind the first ``size``; VerificationError for a hole."""
    if start > size:
        raise VerificationError(f"entries {size} to {start - 1} are missing in the store", rule="entry", index=size)
    return entries[size - start :]
