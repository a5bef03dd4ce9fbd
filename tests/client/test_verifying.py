"""A log is checked without asking anybody: from bytes or a file, against a key in whichever form it is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.client.verifying import verify
from auctionctl.errors import KeyTextError, NotFoundError, VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.address import parse_address


@pytest.fixture
def sold(staging: Any) -> tuple[bytes, SecretKey]:
    """The log of a lot that ann has bought, and the house's key."""
    stage = staging.Stage()
    auction = stage.announce(min_bidders=1, duration_ns=30 * SECOND_NS)
    stage.enter(1, "ann")
    stage.handle(stage.join(1, auction))
    stage.handle(stage.bid(1, auction, 1_000))
    stage.until(stage.log(auction).auction.end_ns)
    return stage.export(auction), stage.key


def test_the_same_log_verifies_from_bytes_or_a_file_for_whichever_form_of_the_key(
    sold: tuple[bytes, SecretKey], tmp_path: Path, staging: Any
) -> None:
    data, key = sold
    path = tmp_path / "log"
    path.write_bytes(data)
    identity = key.identity
    for log in (data, path):
        for house in (identity, identity.text, parse_address(f"auction://{identity.text}@localhost:1")):
            found = verify(log, house)
            assert found.is_finished
            assert found.sale is not None
            assert found.sale.winner == staging.key_of("ann").identity.signing


def test_another_house_a_changed_byte_and_what_is_no_key_or_file_are_told_apart(
    sold: tuple[bytes, SecretKey], tmp_path: Path
) -> None:
    data, key = sold
    with pytest.raises(VerificationError):
        verify(data, SecretKey(b"x" * 32).identity)
    middle = len(data) // 2
    with pytest.raises(VerificationError):
        verify(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :], key.identity)
    with pytest.raises(KeyTextError):
        verify(data, "auc1nonsense")
    with pytest.raises(NotFoundError):
        verify(tmp_path / "gone", key.identity)
