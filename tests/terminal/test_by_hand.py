"""A person bids at a terminal: what stands where is shown as it changes, and exactly what was typed is bid."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

TOML = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "A vase"
listing = "vase"
starting_price = "10.00EUR"
increment = "1.00EUR"
duration = "10m"
min_bidders = 1
start_timeout = "1h"
"""


@pytest.fixture
def bidding(start_house: Any, tmp_path: Path) -> Iterator[Any]:
    house = start_house(TOML, "--json")
    while b'"serving"' not in (line := house.stdout.readline()):
        assert line
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    arguments = ("bid", "vase", "--strategy", "manual", "--budget", "100EUR", "--key", "alice", "--output", "plain")
    child = pexpect.spawn(
        sys.executable,
        ["-P", "-m", "auctionctl", *arguments],
        env=kept | {"AUCTIONCTL_HOME": str(tmp_path)},
        dimensions=(24, 200),
        timeout=30,
        encoding="utf-8",
    )
    yield child
    child.close(force=True)


def test_a_person_sees_the_board_confirms_a_jump_and_bids_exactly_that(bidding: Any) -> None:
    bidding.expect_exact("bid with + (the least), 12.50EUR, or +5.00EUR above the price; ? shows the board")
    bidding.expect_exact("vase: no bid yet, least bid 10.00EUR, ")
    bidding.expect_exact("100.00EUR free")
    bidding.sendline("200EUR")
    bidding.expect_exact("vase: that is more than is left of the budget")
    bidding.sendline("30")
    bidding.expect_exact("vase: 30 is a jump; say it once more to bid it")
    bidding.sendline("30")
    bidding.expect(r"accepted\tvase\t[^\r\n]*30\.00EUR|vase: 30\.00EUR, you lead")
    bidding.sendline("+")
    bidding.expect_exact("vase: you lead already")
    bidding.sendintr()
    bidding.expect(pexpect.EOF)
    bidding.close()
    assert bidding.exitstatus == 130
