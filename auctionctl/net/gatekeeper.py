"""What a supervisor hears of its gateways, and does about it: bans and mutes that hold at all, and reports of them.

Rule: of all processes of a house the gateway is the one that a bidder may have got the better of. Its words are read
without waiting for them, bounded, and a wrong one ends it. Where there are several, whoever ends one is found among
those who were on the way in there; and what is heard of one is told to the others at once.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from auctionctl.errors import AllowListError
from auctionctl.house.security import SecurityKind, named
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import AllowList, parse
from auctionctl.net.bans import Ban, Bans
from auctionctl.net.child_words import GATEWAY
from auctionctl.net.gateway_orders import SetBans
from auctionctl.net.gateway_words import (
    ChoseRoute,
    Cut,
    FromGateway,
    Heard,
    Knocked,
    Muting,
    NotWatched,
    Trying,
    decode_word,
)
from auctionctl.net.hops import Noticed
from auctionctl.net.journalling import Journalling
from auctionctl.net.mutes import LONGEST_MUTE_NS, KeptOut
from auctionctl.net.pipes import PipeClosedError
from auctionctl.net.reports import Banned, Muted, Unwatched
from auctionctl.net.watchdog import Fault

MAX_WORD_BYTES: Final = 1_024
READ_BYTES: Final = 1 << 16
SEEN_BY_GATEWAYS: Final = frozenset({SecurityKind.REFUSED_KEY, SecurityKind.RATE, SecurityKind.MUTE})
OWN_DEATHS: Final = frozenset({"SIGABRT", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "status 1"})
"""How a process dies of itself, or of its peers; whoever kills it from outside has other means."""
KEY_DIGITS: Final = 16
MAX_MUTED: Final = 4_096
"""Strangers have any number of keys: whose mute began first is forgotten first."""
_LENGTH: Final = struct.Struct(">I")


class _Muted(NamedTuple):
    until_s: float
    whole_ns: int


@dataclass(slots=True)
class _Known:
    """Of one gateway: what of its words is not whole yet, the bans that it was told, and mutes that it was not."""

    unread: bytearray
    told: SetBans
    untold: dict[bytes, _Muted]


class Gatekeeper:
    """One house's; ``journal`` is told what is worth a line anywhere. Times are seconds of a monotonic clock."""

    def __init__(self, journal: Journalling, access: Access = Access.LISTED) -> None:
        self._journal = journal
        self._access = access
        self._on_report = journal.report
        self._bans = Bans()
        self._known: dict[str, _Known] = {}
        self._allowed = AllowList()
        self._muted: dict[bytes, _Muted] = {}
        self._said_unwatched = False

    def started(self, now_s: float, gateway: str = GATEWAY) -> SetBans:
        """What a new gateway has to know at once."""
        self._known[gateway] = _Known(bytearray(), state := self._state(now_s), {})
        self._muted = {key: each for key, each in self._muted.items() if each.until_s > now_s}
        return SetBans(state.banned, state.suspects, _kept_out(self._muted, now_s))

    def news(self, now_s: float, gateway: str = GATEWAY) -> SetBans | None:
        """What has changed since a gateway was last told, or None."""
        known, state = self._known[gateway], self._state(now_s)
        if state == known.told and not known.untold:
            return None
        known.told, mutes = state, known.untold
        known.untold = {}
        return SetBans(state.banned, state.suspects, _kept_out(mutes, now_s))

    def warning(self, now_s: float) -> str:
        """What whoever asks how the house is has to know of this; empty if nothing."""
        return "; ".join(f"{self._name(key)}: {self._bans.reason(key)}" for key in self._bans.banned(now_s))

    def next_s(self, now_s: float) -> float | None:
        """When there will be news by themselves, or None."""
        return self._bans.next_end_s(now_s)

    def hear(self, control: socket.socket, now_s: float, gateway: str = GATEWAY) -> None:
        """What a gateway has said; raises PipeClosedError where it has ended, or says what no gateway does."""
        try:
            data = control.recv(READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError as error:
            raise PipeClosedError(str(error)) from error
        if not data:
            raise PipeClosedError("end of stream")
        unread = self._known[gateway].unread
        unread += data
        while len(unread) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(unread)
            end = _LENGTH.size + length
            if length > MAX_WORD_BYTES:
                raise PipeClosedError(f"a word of {length} bytes")
            if len(unread) < end:
                break
            try:
                word = decode_word(bytes(unread[_LENGTH.size : end]))
            except msgspec.DecodeError as error:
                raise PipeClosedError(str(error)) from error
            del unread[:end]
            self._heed(word, now_s, gateway)

    def _heed(self, word: FromGateway, now_s: float, gateway: str) -> None:
        match word:
            case Knocked(key):
                self._bans.knocked(key, gateway)
            case Trying(key):
                self._bans.trying(key, gateway)
            case Heard(key):
                self._bans.heard(key, gateway)
            case ChoseRoute(key):
                self._report_ban(self._bans.chose_route(key, now_s, gateway))
            case Cut(key, host, fault, muted_ns):
                self._journal.saw(SecurityKind.CUT, self._name(key) if key else host, f"{fault}, from {host}")
                is_silent = bool(key) and fault == Fault.SILENT.value
                if is_silent and (ban := self._bans.silent(key, now_s, gateway)) is not None:
                    self._report_ban(ban)
                elif muted_ns:
                    self._on_report(Muted(self._name(key), host, fault, muted_ns // 1_000_000_000))
            case Muting(key, for_ns):
                self._keep_muted(key, min(for_ns, LONGEST_MUTE_NS), now_s, gateway)
            case Noticed(events):
                seen = [event for event in events if event.kind in SEEN_BY_GATEWAYS]
                self._journal.note([named(event, self._allowed) for event in seen])
            case NotWatched():
                if not self._said_unwatched:
                    self._said_unwatched = True
                    self._on_report(Unwatched())

    def _keep_muted(self, key: bytes, whole_ns: int, now_s: float, gateway: str) -> None:
        self._muted.pop(key, None)
        mute = self._muted[key] = _Muted(now_s + whole_ns / 1e9, whole_ns)
        for name, known in self._known.items():
            if name != gateway:
                known.untold[key] = mute
        if len(self._muted) > MAX_MUTED:
            first = next(iter(self._muted))
            del self._muted[first]
            for known in self._known.values():
                known.untold.pop(first, None)

    def died(self, how: str, now_s: float, gateway: str = GATEWAY) -> None:
        """A gateway has ended, and ``how``."""
        if how in OWN_DEATHS:
            for ban in self._bans.died(now_s, gateway):
                self._report_ban(ban)
        else:
            self._bans.was_replaced(gateway)

    def allow(self, text: bytes) -> None:
        """The allow list in force from now on."""
        try:
            self._allowed = parse(text.decode())
        except (AllowListError, UnicodeDecodeError):
            return  # The house takes no such list; and names are all that is at stake here.
        if self._access is Access.LISTED:  # Where strangers come in, to be off the list ends no ban.
            self._bans.keep(entry.identity.transport for entry in self._allowed)

    def _state(self, now_s: float) -> SetBans:
        return SetBans(self._bans.banned(now_s), self._bans.suspects(now_s))

    def _report_ban(self, ban: Ban) -> None:
        self._on_report(Banned(self._name(ban.key), ban.reason, round(ban.seconds)))

    def _name(self, key: bytes) -> str:
        entry = self._allowed.by_transport(key)
        if entry is not None:
            return entry.name
        is_open = self._access is Access.OPEN
        return f"(a stranger, transport key {key.hex()[:KEY_DIGITS]})" if is_open else "(not on the allow list)"


def _kept_out(muted: Mapping[bytes, _Muted], now_s: float) -> list[KeptOut]:
    return [KeptOut(key, max(0, round((each.until_s - now_s) * 1e9)), each.whole_ns) for key, each in muted.items()]
