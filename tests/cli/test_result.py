from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

LOTS = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "Nobody comes"
listing = "unsold"
starting_price = "1.00EUR"
min_bidders = 2
start_timeout = "1s"
"""


def test_a_sale_is_told_with_winner_and_price_and_is_success(fair: Any) -> None:
    done = fair.run("result", "quick", "--key", "alice")
    assert done.status == 0, done.err
    lines = dict(line.split(None, 1) for line in done.out.splitlines())
    assert lines["result"] == "sold"
    assert lines["winner"] == "bob"
    assert lines["price"].endswith("EUR")
    record = json.loads(fair.run("result", "quick", "--key", "alice", "--wait", "-o", "json").out)
    assert record["schema"] == "auctionctl.result/1"
    assert record["end_reason"] == "completed"
    assert record["winner"] == record["leader"]
    assert record["is_finished"]
    assert record["bid_index"] < record["head"]["size"]


def test_what_has_not_ended_has_a_status_of_its_own(fair: Any) -> None:
    done = fair.run("result", "waiting-lot", "--key", "alice")
    assert done.status == 10, done.err
    assert "none yet: it is announced" in done.out
    record = json.loads(fair.run("result", "waiting-lot", "--key", "alice", "--json").out)
    assert (record["is_finished"], record["winner"], record["ended_at_ns"]) == (False, None, None)


def test_waiting_ends_with_the_auction_and_no_sale_has_a_status_of_its_own(start_house: Any) -> None:
    house = start_house(LOTS, "--json")
    while b'"serving"' not in (line := house.stdout.readline()):
        assert line
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "auctionctl", "result", "unsold", "--wait", "--key", "alice"],
        env=environment | {"AUCTIONCTL_HOME": str(start_house.home)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 11, done.stderr
    assert b"cancelled" in done.stdout
