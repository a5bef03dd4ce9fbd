from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.auction.price import parse_money
from auctionctl.cli.demo_story import MAX_DURATION_NS, MIN_DURATION_NS, PLAYERS, auctions_toml
from auctionctl.cli.settings.lots import read_auctions


@pytest.mark.parametrize("duration_ns", [MIN_DURATION_NS, 8_000_000_000, 7_777_777_777, MAX_DURATION_NS])
def test_the_lots_can_be_sold_at_any_duration(tmp_path: Path, duration_ns: int) -> None:
    path = tmp_path / "AUCTIONS.toml"
    path.write_text(auctions_toml(duration_ns, 1234))
    content = read_auctions(path)
    assert content.house.port == 1234
    assert all(lot.duration_ns == duration_ns and lot.min_bidders == 3 for lot in content.lots)


def test_the_ends_are_certain_by_the_numbers(tmp_path: Path) -> None:
    """The arithmetic of the module's docstring, on the lots as they are."""
    path = tmp_path / "AUCTIONS.toml"
    path.write_text(auctions_toml(8_000_000_000, 1))
    watch, sketch, plate = read_auctions(path).lots
    budgets = {player.name: parse_money(player.budget).minor for player in PLAYERS}
    charlie = parse_money(PLAYERS[2].params[0].removeprefix("value=")).minor * 85 // 100
    estimates = [lot.estimate_minor or 0 for lot in (watch, sketch, plate)]
    step = 1_000
    # The watch: with all else tied up, Alice still outbids anybody up to her limit, and Charlie up to his.
    alice = min(estimates[0], budgets["alice"] - estimates[1] - estimates[2])
    others = (estimates[1] + estimates[2]) * 11 // 10 * 105 // 100 + 2 * step
    assert budgets["charlie"] - others >= charlie
    assert watch.reserve_minor is not None
    assert min(alice, charlie) - step > watch.reserve_minor
    # The sketch: nobody's budget reaches the reserve.
    assert sketch.reserve_minor is not None
    assert sketch.reserve_minor > max(budgets.values())
    # The plate: Charlie outbids all others at half-time, within the soft close's window.
    assert estimates[2] * 11 // 10 + step <= charlie
    assert plate.soft_close_window_ns * 2 > plate.duration_ns
