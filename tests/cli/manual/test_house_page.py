"""What the manual says of the files of a house is what their readers accept, all of it."""

from __future__ import annotations

from pathlib import Path

from auctionctl.cli.manual.house_page import AUCTIONS_EXAMPLE, DURATIONS, HOUSE_EXAMPLE, LOT_MEANINGS, page
from auctionctl.cli.manual.roff import render
from auctionctl.cli.settings.house_file import DEFAULT_KEYS, read_house_layer
from auctionctl.cli.settings.lots import LOT_KEYS, read_auctions


def test_every_key_of_a_lot_is_described_and_no_other() -> None:
    assert set(LOT_MEANINGS) | DEFAULT_KEYS == set(LOT_KEYS)
    assert not set(LOT_MEANINGS) & DEFAULT_KEYS


def test_the_examples_are_read_by_the_real_readers(tmp_path: Path) -> None:
    house, lots = tmp_path / "house.toml", tmp_path / "AUCTIONS.toml"
    house.write_text(HOUSE_EXAMPLE)
    lots.write_text(AUCTIONS_EXAMPLE)
    content = read_auctions(lots, [read_house_layer(house)])
    assert (content.house.port, content.house.bind, content.house.max_concurrent_auctions) == (9000, "0.0.0.0", 20)
    watch, sketch = content.lots
    assert (watch.listing, sketch.listing) == ("gold-watch-1962", "sketch")
    assert (watch.min_bidders, watch.duration_ns, sketch.duration_ns) == (2, 600 * 10**9, 3600 * 10**9)
    assert watch.soft_close_window_ns == 30 * 10**9
    assert watch.increment != sketch.increment


def test_the_durations_of_the_page_are_durations() -> None:
    from auctionctl.cli.settings.durations import parse_duration

    words = [word for word in DURATIONS.split('"') if word[:1].isdigit()]
    assert len(words) == 5
    assert [parse_duration(word) for word in words] == sorted(parse_duration(word) for word in words)


def test_the_page_shows_defaults_in_force() -> None:
    text = render(page())
    assert "Default: \\fB8888\\fR." in text
    assert "Default: one a core." in text
