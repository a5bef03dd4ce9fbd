"""What the exit status of a command says: one number a kind of ending, as a table.

Rule: scripts may rely on these numbers; they only ever grow in number. Source: BSD sysexits(3) for 74 and 78, the
shell's 128 + signal for the rest.
"""

from __future__ import annotations

import enum
from typing import Final

from auctionctl import errors


class ExitStatus(enum.IntEnum):
    """How a command ended. The names, in lower case, are the ``code`` of an error in JSON."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_AUTHORISED = 4
    UNREACHABLE = 5
    BID_LOST = 6
    VERIFICATION_FAILED = 7
    ALREADY_RUNNING = 8
    REJECTED = 9
    UNFINISHED = 10
    NO_SALE = 11
    STORE_BROKEN = 74
    CONFIGURATION = 78
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Final = {
    ExitStatus.OK: "All went well; `auctionctl bid`: at least one lot was won, or the one bid was accepted.",
    ExitStatus.INTERNAL: "A fault of auctionctl itself, or of the machine.",
    ExitStatus.USAGE: "The command line cannot be understood, or an argument cannot be used.",
    ExitStatus.NOT_FOUND: "There is no such auction, key, context or file.",
    ExitStatus.NOT_AUTHORISED: "The house does not let this key in, or not in this role.",
    ExitStatus.UNREACHABLE: "The house does not answer; `auctionctl serve`: the cluster that keeps its logs.",
    ExitStatus.BID_LOST: "No lot was won.",
    ExitStatus.VERIFICATION_FAILED: "A signature, a proof or a rule does not hold; what fails is named.",
    ExitStatus.ALREADY_RUNNING: "The same house, or a bidder under the same key, is running already.",
    ExitStatus.REJECTED: "The rules refused the bid or command, or would refuse it; or the house refused the terms.",
    ExitStatus.UNFINISHED: "The auction has not opened, or has not ended, in the time given.",
    ExitStatus.NO_SALE: "The auction ended without a sale.",
    ExitStatus.STORE_BROKEN: "The disk failed under a house: look at it before the house is started again.",
    ExitStatus.CONFIGURATION: "A file of settings, a key file, its passphrase, the allow list or a cluster is unfit.",
    ExitStatus.INTERRUPTED: "Ended by Ctrl-C.",
    ExitStatus.TERMINATED: "Ended by SIGTERM; another signal ‹N› gives 128 + ‹N›.",
}
"""What each status says, in the marks of auctionctl.cli.manual.roff."""

TABLE: Final[dict[type[errors.AuctionctlError], ExitStatus]] = {
    errors.AuctionctlError: ExitStatus.INTERNAL,
    # Amounts and keys in files are reported as ConfigurationError or AllowListError: what is left came by argument.
    errors.MoneyError: ExitStatus.USAGE,
    errors.KeyTextError: ExitStatus.USAGE,
    errors.KeyFileError: ExitStatus.CONFIGURATION,
    errors.AllowListError: ExitStatus.CONFIGURATION,
    errors.TermsError: ExitStatus.CONFIGURATION,
    errors.ConfigurationError: ExitStatus.CONFIGURATION,
    errors.LogError: ExitStatus.VERIFICATION_FAILED,
    # A house that breaks the protocol has signed what it should not have, or cannot prove who it is.
    errors.RemoteProtocolError: ExitStatus.VERIFICATION_FAILED,
    errors.StoreBrokenError: ExitStatus.STORE_BROKEN,
    # It may answer the next time: whoever starts services is to try again.
    errors.StoreAwayError: ExitStatus.UNREACHABLE,
    errors.StoreLockedError: ExitStatus.ALREADY_RUNNING,
    # Only a person can say what is to become of such a store: a house that is started again finds the same.
    errors.RolledBackError: ExitStatus.CONFIGURATION,
    errors.BackupError: ExitStatus.CONFIGURATION,
    errors.NotFoundError: ExitStatus.NOT_FOUND,
    errors.NotAuthorisedError: ExitStatus.NOT_AUTHORISED,
    errors.RefusedError: ExitStatus.REJECTED,
    errors.UnreachableError: ExitStatus.UNREACHABLE,
}
"""Error → exit status; an error that is not named has that of its parent."""


def status_of(error: errors.AuctionctlError) -> ExitStatus:
    """The exit status of a command that ``error`` ended."""
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
