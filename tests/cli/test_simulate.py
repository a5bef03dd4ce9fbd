"""``simulate`` says what a market comes to, says that it proves nothing, and says the same each time."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.market_results import CSV_COLUMNS
from auctionctl.cli.simulate import JSON_SCHEMA, SCHEMA, TOURNAMENT_SCHEMA

from .conftest import Run

MARKET = """
[market]
auctions = 20
[lot]
item = "Watch"
starting_price = "0.01EUR"
[values]
distribution = "lognormal"
median = "50EUR"
sigma = "0.4"
[[bidder]]
strategy = "market-value"
count = 2
[[bidder]]
name = "keen"
strategy = "aggressive"
latency = "40ms"
"""


@pytest.fixture
def market(tmp_path: Path) -> Path:
    path = tmp_path / "market.toml"
    path.write_text(MARKET)
    return path


def fields_of(document: dict[str, Any], *lists: str) -> set[str]:
    return set(document) | {field for name in lists for each in document[name] for field in each}


def test_a_person_is_told_the_sums_and_that_nothing_is_proven(run: Run, market: Path) -> None:
    ended = run("simulate", market)
    lines = [line.split("\t") for line in ended.out.splitlines()]
    facts = dict(line for line in lines if len(line) == 2)
    assert facts["held"] == "20 auctions, in 20 markets of one lot, seed 1"
    assert "no signatures and no log, so no proof" in facts["kind"]
    assert "EUR (" in facts["revenue"]
    assert [line[:2] for line in lines[-2:]] == [["market-value", "2"], ["keen (aggressive)", "1"]]


def test_programs_are_told_every_field_that_the_manual_names(run: Run, market: Path) -> None:
    document = json.loads(run("simulate", market, "--json").out)
    assert document.pop("schema") == SCHEMA
    assert fields_of(document, "groups") == set(JSON_SCHEMA[SCHEMA])
    assert document["is_proof"] is False
    assert document["revenue"]["low"] < document["revenue"]["mean"] < document["revenue"]["high"]
    ranked = json.loads(run("simulate", market, "--tournament", "--json").out)
    assert ranked.pop("schema") == TOURNAMENT_SCHEMA
    assert fields_of(ranked, "ranking", "meetings") == set(JSON_SCHEMA[TOURNAMENT_SCHEMA])


def test_a_tournament_ranks_every_strategy(run: Run, market: Path) -> None:
    lines = [line.split("\t") for line in run("simulate", market, "--tournament").out.splitlines()]
    assert [line[0] for line in lines if len(line) == 8] == ["rank", "1", "2"]
    assert lines[-1][:2] == ["market-value", "keen"]


def test_the_same_seed_writes_the_same_bytes_in_any_process(market: Path, tmp_path: Path) -> None:
    def written(number: str) -> list[bytes]:
        out = tmp_path / f"{number}.csv"
        words = ["simulate", str(market), "--json", "--csv", str(out), "--auctions", "6"]
        command = [sys.executable, "-m", "auctionctl", *words]
        environment = os.environ | {"PYTHONHASHSEED": number, "AUCTIONCTL_HOME": str(tmp_path / number)}
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        return [done.stdout, out.read_bytes()]

    first = written("1")
    assert first == written("2")
    assert hashlib.sha256(first[1]).hexdigest() == hashlib.sha256(written("3")[1]).hexdigest()


def test_one_auction_is_called_one(run: Run, market: Path) -> None:
    out = run("simulate", market, "--auctions", "1").out
    assert "1 auction, in 1 market of one lot, seed 1" in out


def test_another_seed_is_another_market_and_more_auctions_are_more(run: Run, market: Path) -> None:
    assert run("simulate", market, "--seed", "2", "--json").out != run("simulate", market, "--json").out
    assert json.loads(run("simulate", market, "--auctions", "7", "--json").out)["auctions"] == 7


def test_every_auction_is_a_line_of_a_file_if_asked_for(run: Run, market: Path, tmp_path: Path) -> None:
    file = tmp_path / "auctions.csv"
    document = json.loads(run("simulate", market, "--csv", file, "--json").out)
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == document["auctions"]
    assert tuple(rows[0]) == CSV_COLUMNS
    prices = [round(100 * float(row["price"])) for row in rows]
    assert sum(prices) / len(rows) == pytest.approx(document["revenue"]["mean"], abs=1e-6)
    assert {row["winner"] for row in rows} <= {"market-value-1", "market-value-2", "keen"}


def test_what_cannot_be_done_is_refused_before_the_first_auction(run: Run, market: Path, tmp_path: Path) -> None:
    both = run("simulate", market, "--tournament", "--csv", tmp_path / "x.csv")
    assert both.status == ExitStatus.USAGE
    assert "leave one of them out" in both.err
    assert run("simulate", market, "--plot", tmp_path / "x.gif").status == ExitStatus.USAGE
    assert run("simulate", tmp_path / "none.toml").status == ExitStatus.NOT_FOUND
    market.write_text(MARKET.replace("sigma", "omega"))
    wrong = run("simulate", market)
    assert wrong.status == ExitStatus.CONFIGURATION
    assert f"{market}: [values]: unknown key 'omega'" in wrong.err
    market.write_text(MARKET.rpartition("[[bidder]]")[0])
    alone = run("simulate", market, "--tournament")
    assert alone.status == ExitStatus.CONFIGURATION
    assert "needs two [[bidder]]" in alone.err
