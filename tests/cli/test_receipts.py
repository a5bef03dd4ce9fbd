from __future__ import annotations

import os
import stat
from pathlib import Path

from auctionctl.auction.price import Money
from auctionctl.bidding.notices import Evidence
from auctionctl.client.receipts import ReceiptFiles
from auctionctl.tlog.proof import Receipt

EVIDENCE = Evidence(bytes([1]) * 32, bytes([2]) * 32, b"entry", Receipt(4, 5, bytes(32), b"note\n"))


def test_a_person_recognises_auction_number_and_amount(tmp_path: Path) -> None:
    files = ReceiptFiles(tmp_path / "receipts")
    bid = files.keep_bid("gold-watch", 3, Money(1_250, "EUR"), EVIDENCE)
    joined = files.keep_join("gold-watch", EVIDENCE)
    assert bid.relative_to(tmp_path).as_posix() == "receipts/gold-watch-010101010101/3-12.50EUR-020202020202.tlog-proof"
    assert joined.name == "joined-020202020202.tlog-proof"
    assert bid.read_text() == joined.read_text() == EVIDENCE.text


def test_receipts_are_private_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = ReceiptFiles(tmp_path / "receipts").keep_bid("", 1, Money(5, "credits"), EVIDENCE)
    assert path.parent.name == "010101010101"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["1-5credits-020202020202.tlog-proof"]
