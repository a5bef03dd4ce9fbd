"""What came of an auction is in one line at its end, and no trouble with that file is trouble for the house."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.commands import Pay
from auctionctl.auction.phase import EndReason
from auctionctl.auction.rules import PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import StoreError
from auctionctl.house.metrics import Stage
from auctionctl.net import summaries
from auctionctl.net.summaries import FILE_NAME, OLDER_NAME, Summaries, Summary, read_summaries


class Noting(Summaries):
    """Keeps what it is to write."""

    noted: list[Summary]

    def note(self, summary: Summary) -> None:
        self.noted.append(summary)


def noted(log: Any, recent: Any) -> Summary:
    writer = Noting(Path())
    writer.noted = []
    writer.note_ended([], recent)
    writer.note_ended([log], recent)
    (summary,) = writer.noted
    return summary


@pytest.fixture
def summary(stage: Any) -> Summary:
    """Of an auction in which ann and ben have bid, and one bid was beyond what its bidder may ask for."""
    auction = stage.opened(listing="vase")
    stage.handle(
        stage.bid(1, auction, 1_000), stage.bid(2, auction, 1_200, currency="USD"), stage.bid(2, auction, 1_500)
    )
    stage.after(30 * SECOND_NS)
    recent = stage.house.tally.recent
    recent.turn(SECOND_NS)
    recent.note(Stage.TOTAL, 800, 10)
    return noted(stage.log(auction), recent)


def test_it_says_what_the_log_says_and_what_no_log_holds(summary: Summary, stage: Any) -> None:
    ben = stage.house.presence.peers[2].identity.signing
    assert (summary.listing, summary.end_reason, summary.winner) == ("vase", EndReason.COMPLETED, ben.hex())
    assert (summary.price_minor, summary.currency, summary.bids, summary.bidders) == (1_500, "EUR", 2, 2)
    assert summary.invalid == 1
    assert summary.announced_ns <= summary.opened_ns < summary.ended_ns
    assert 800 <= summary.answered_p50_ns <= summary.answered_p99_ns <= 900


def test_an_auction_without_a_sale_has_no_winner_and_no_price(stage: Any) -> None:
    auction = stage.opened()
    stage.after(30 * SECOND_NS)
    found = noted(stage.log(auction), stage.house.tally.recent)
    assert (found.end_reason, found.winner, found.price_minor) == (EndReason.NO_BIDS, "", None)


def test_an_auction_ended_when_bidding_did_whatever_came_after(stage: Any) -> None:
    auction = stage.opened(payment=PaymentRules(9 * SECOND_NS))
    stage.handle(stage.bid(1, auction, 1_000))
    end_ns = stage.log(auction).auction.end_ns
    stage.until(end_ns)
    stage.after(SECOND_NS)
    stage.handle(stage.command(1, Pay, auction, 1_000, "EUR", "a reference"))
    found = noted(stage.log(auction), stage.house.tally.recent)
    assert (found.ended_ns, stage.kinds(auction)[-1]) == (end_ns, "payment")


def test_what_is_written_at_one_stroke_is_read_again_in_order(summary: Summary, tmp_path: Path) -> None:
    assert read_summaries(tmp_path) == []
    writer = Summaries(tmp_path)
    writer.flush()
    assert not (tmp_path / FILE_NAME).exists()
    second = replace(summary, listing="other")
    writer.note(summary)
    writer.note(second)
    writer.flush()
    writer.flush()
    assert read_summaries(tmp_path) == [summary, second]
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_large_enough_is_set_aside_once(
    summary: Summary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Summaries(tmp_path)
    writer.note(summary)
    writer.flush()
    monkeypatch.setattr(summaries, "MAX_FILE_BYTES", (tmp_path / FILE_NAME).stat().st_size + 10)
    later = [replace(summary, listing=name) for name in ("b", "c")]
    for each in later:
        writer.note(each)
        writer.flush()
    assert (tmp_path / OLDER_NAME).exists()
    assert read_summaries(tmp_path) == later


def test_a_line_that_is_still_being_written_is_left_for_later(summary: Summary, tmp_path: Path) -> None:
    writer = Summaries(tmp_path)
    writer.note(summary)
    writer.flush()
    with (tmp_path / FILE_NAME).open("ab") as file:
        file.write(b'{"auction":"')
    assert read_summaries(tmp_path) == [summary]


def test_a_damaged_file_is_an_error_that_says_that_nothing_rests_on_it(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"{}\n")
    with pytest.raises(StoreError, match="damaged") as caught:
        read_summaries(tmp_path)
    assert "nothing rests on it" in caught.value.hint
    (tmp_path / FILE_NAME).unlink()
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StoreError, match="cannot read"):
        read_summaries(tmp_path)


def test_a_disk_that_takes_nothing_loses_lines_and_no_more(summary: Summary, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).symlink_to(tmp_path / "elsewhere")
    writer = Summaries(tmp_path)
    writer.note(summary)
    writer.flush()
    assert not (tmp_path / "elsewhere").exists()
    full = Summaries(Path("/dev/full/no-directory"))
    full.note(summary)
    full.flush()
