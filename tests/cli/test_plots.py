"""A picture is drawn where matplotlib is there, the same each time; where it is not, that is said at once."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from auctionctl.cli import plots
from auctionctl.cli.exit_status import ExitStatus

from .conftest import Run
from .test_simulate import MARKET

has_matplotlib = pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="the extra plot")


@pytest.fixture
def market(tmp_path: Path) -> Path:
    path = tmp_path / "market.toml"
    path.write_text(MARKET)
    return path


@has_matplotlib
def test_the_same_market_is_drawn_byte_for_byte(run: Run, market: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first.svg", tmp_path / "again.svg"
    for path in (first, again):
        assert json.loads(run("simulate", market, "--plot", path, "--json").out)["sold"] == 20
    assert first.read_bytes() == again.read_bytes()
    text = first.read_text()
    assert "<dc:date>" not in text
    assert "Bids of 20 auctions" in text
    assert "Prices of 20 lots that were sold" in text


@has_matplotlib
def test_a_png_is_one(run: Run, market: Path, tmp_path: Path) -> None:
    path = tmp_path / "market.png"
    assert run("simulate", market, "--auctions", "3", "--plot", path).status == ExitStatus.OK
    assert path.read_bytes().startswith(b"\x89PNG\r\n")


def test_without_matplotlib_it_is_said_what_to_install(
    run: Run, market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots.importlib.util, "find_spec", lambda name: None)
    ended = run("simulate", market, "--plot", tmp_path / "market.svg")
    assert ended.status == ExitStatus.CONFIGURATION
    assert "hint: install it: pip install 'auctionctl[plot]'" in ended.err
    assert not (tmp_path / "market.svg").exists()
