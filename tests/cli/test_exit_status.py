from __future__ import annotations

import pytest

from auctionctl import errors
from auctionctl.cli.exit_status import MEANINGS, TABLE, ExitStatus, status_of


def test_every_number_is_as_documented() -> None:
    assert [(status.name, status.value) for status in ExitStatus] == [
        ("OK", 0),
        ("INTERNAL", 1),
        ("USAGE", 2),
        ("NOT_FOUND", 3),
        ("NOT_AUTHORISED", 4),
        ("UNREACHABLE", 5),
        ("BID_LOST", 6),
        ("VERIFICATION_FAILED", 7),
        ("ALREADY_RUNNING", 8),
        ("REJECTED", 9),
        ("UNFINISHED", 10),
        ("NO_SALE", 11),
        ("STORE_BROKEN", 74),
        ("CONFIGURATION", 78),
        ("INTERRUPTED", 130),
        ("TERMINATED", 143),
    ]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.AuctionctlError("x"), 1),
        (errors.KeyTextError("x"), 2),
        (errors.MoneyError("x"), 2),
        (errors.KeyFileError("x"), 78),
        (errors.AllowListError("x", line=1), 78),
        (errors.TermsError("x"), 78),
        (errors.ConfigurationError("x"), 78),
        (errors.LocalProtocolError("x"), 1),
        (errors.RemoteProtocolError("x"), 7),
        (errors.MalformedEntryError("x"), 7),
        (errors.NoteError("x"), 7),
        (errors.VerificationError("x", rule="r"), 7),
        (errors.SizeConflictError("l", expected=1, actual=2), 1),
        (errors.StoreFullError("x"), 1),
        (errors.StoreBrokenError("x"), 74),
        (errors.StoreAwayError("x"), 5),
        (errors.StoreLockedError("x"), 8),
        (errors.ArchiveError("x"), 1),
        # Started again, a house finds the same: systemd is not to try.
        (errors.RolledBackError("x"), 78),
        (errors.NotFoundError("x"), 3),
        (errors.NotAuthorisedError("x"), 4),
        (errors.UnreachableError("x"), 5),
    ],
)
def test_every_error_has_its_status(error: errors.AuctionctlError, status: int) -> None:
    assert status_of(error) == status


def test_the_table_names_only_errors_of_the_tree() -> None:
    assert all(issubclass(kind, errors.AuctionctlError) for kind in TABLE)


def test_every_status_has_a_meaning() -> None:
    assert list(MEANINGS) == list(ExitStatus)
