"""Every error that this package raises on purpose, and nothing else.

A rejected bid is no error but a value (:mod:`auctionctl.auction.events`); a broken invariant of our own is an
assertion. What stands here is what a user, a peer or a disk can cause::

    AuctionctlError                 message, hint
    ├── KeyTextError                a public or secret key that is not one
    ├── KeyFileError                a key file that is missing, loose, or cannot be written
    │   └── PassphraseError         a passphrase that is wrong, or that nobody gives
    ├── AllowListError              a line of the allow list, by number
    ├── MoneyError                  an amount or currency that is not one
    ├── TermsError                  terms that no auction can be held under
    ├── ConfigurationError          a file of settings, by key
    ├── ProtocolError
    │   ├── LocalProtocolError      we were about to break the protocol
    │   └── RemoteProtocolError     the peer broke it
    ├── LogError
    │   ├── MalformedEntryError     bytes that are no entry
    │   ├── NoteError               text that is no signed note, or not signed by the key expected
    │   └── VerificationError       a log that breaks its promise: entry index and rule
    │       └── HistoryChangedError one that is not what its house signed before: both notes
    ├── StoreError
    │   ├── SizeConflictError       somebody else appended first (compare-and-swap)
    │   │   └── OvertakenError      that is another instance of this house, and has this log now
    │   ├── StoreFullError          no room: nothing was appended
    │   ├── StoreBrokenError        durability is unknown: the process must end
    │   │   └── StoreAwayError      the cluster that keeps it does not answer: another process may find out
    │   ├── RolledBackError         the store does not hold what this house has written to it
    │   ├── StoreLockedError        another process holds this state
    │   ├── ArchiveError            a file of the archive: the store itself is unharmed
    │   └── BackupError             a file that is no backup, is damaged, or cannot be written
    ├── NotFoundError               an auction, key or file by that name
    ├── NotAuthorisedError          the house knows no such key, or not in that role
    ├── RefusedError                the house does not take what it was offered
    └── UnreachableError            no house at that address, or none that answered in time

Messages are lower-case, without a full stop; a hint says what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class AuctionctlError(Exception):
    """Root of the tree. ``str()`` is the message; ``hint`` is one line of advice, or empty."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class KeyTextError(AuctionctlError):
    """A public or secret key in text form that does not decode."""


class KeyFileError(AuctionctlError):
    """A key file that is missing, has loose modes, is damaged, or cannot be written."""


class PassphraseError(KeyFileError):
    """A passphrase that does not open its key file, that cannot be one, or that nobody is there to give."""


class AllowListError(AuctionctlError):
    """An allow list that cannot be used; ``line`` is counted from 1."""

    def __init__(self, message: str, *, line: int, hint: str = "") -> None:
        super().__init__(f"line {line}: {message}", hint=hint)
        self.line = line


class MoneyError(AuctionctlError):
    """An amount or a currency that cannot be read exactly."""


class TermsError(AuctionctlError):
    """Terms under which no auction can be held."""


class ConfigurationError(AuctionctlError):
    """A settings file that cannot be used; the message names file and key."""


class ClockBackError(ConfigurationError):
    """The clock of this machine is before what a house has signed already."""


class ShutOutError(ConfigurationError):
    """Every server of the cluster that keeps the store refuses us; one that has let us in before may do so again."""


class AccessFileError(ConfigurationError):
    """A file by which we get into the cluster that keeps the store is missing, or no such file; it may be put right."""


class ProtocolError(AuctionctlError):
    """The wire protocol was broken."""


class LocalProtocolError(ProtocolError):
    """We were asked to send what the protocol does not allow now."""


class RemoteProtocolError(ProtocolError):
    """The peer sent what the protocol does not allow."""


class LogError(AuctionctlError):
    """Something is wrong with a log."""


class MalformedEntryError(LogError):
    """Bytes that are not the canonical form of any entry."""


class NoteError(LogError):
    """Text that is not a signed note, or not signed by the key expected."""


class VerificationError(LogError):
    """A log that breaks its promise. ``index`` is the entry's (None: the log as a whole), ``rule`` a stable word.

    ``evidence`` is what shows it to others, where that is more than the log: name of a file → its bytes.
    """

    def __init__(
        self,
        message: str,
        *,
        rule: str,
        index: int | None = None,
        hint: str = "",
        evidence: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        where = "log" if index is None else f"entry {index}"
        super().__init__(f"{where}: {rule}: {message}", hint=hint)
        self.rule = rule
        self.index = index
        self.evidence = evidence


class HistoryChangedError(VerificationError):
    """A house signed ``before``, and then ``now``, and one log cannot have both heads. Rule ``history``.

    Both are signed notes; ``log`` is the auction's 32 bytes, or empty for the registry. ``entries`` are those that came
    last, in canonical bytes, and of which nobody was told yet; ``words`` are the message alone.
    """

    def __init__(self, message: str, *, log: bytes, before: bytes, now: bytes, entries: tuple[bytes, ...] = ()) -> None:
        super().__init__(message, rule="history")
        self.words = message
        self.log = log
        self.before = before
        self.now = now
        self.entries = entries


class StoreError(AuctionctlError):
    """The store could not do what was asked."""


class SizeConflictError(StoreError):
    """A compare-and-swap failed: the log has ``actual`` entries, not ``expected``."""

    def __init__(self, log: str, *, expected: int, actual: int) -> None:
        super().__init__(f"log {log} has {actual} entries, not {expected}")
        self.log = log
        self.expected = expected
        self.actual = actual


class OvertakenError(SizeConflictError):
    """Another instance of this house has appended to a log, or claimed it: nothing of ours was appended."""

    def __init__(self, log: str, *, expected: int, actual: int) -> None:
        super().__init__(log, expected=expected, actual=actual)
        self.args = (f"another instance of this house has taken over log {log}, which now has {actual} entries",)
        self.hint = "let one instance at a time serve this house; what was acknowledged is kept"


class StoreFullError(StoreError):
    """There is no room left; nothing was appended."""


class StoreBrokenError(StoreError):
    """A write or sync failed and durability is unknown; the process must end and must not retry."""


class StoreAwayError(StoreBrokenError):
    """The cluster that keeps the store has not answered; once it does, another process sees what it holds."""


class RolledBackError(StoreError):
    """The store does not hold what this house knows to have written to it: what becomes of it, a person says."""


class StoreLockedError(StoreError):
    """Another process holds this state directory."""


class ArchiveError(StoreError):
    """The archive cannot be used, or a file of it not be written; what it should have held is still in the store."""


class BackupError(StoreError):
    """A file is no backup, or is damaged, or cannot be written; what it should hold is where it came from."""


class NotFoundError(AuctionctlError):
    """There is nothing by that name."""


class NotAuthorisedError(AuctionctlError):
    """The house does not know this key, or not in the role needed."""


class RefusedError(AuctionctlError):
    """A house does not take what it was offered, or cannot; the message has its words."""


class UnreachableError(AuctionctlError):
    """Nobody answered at that address in time; the message names it."""
