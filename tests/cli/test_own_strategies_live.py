"""Strategies of one's own at a house that really runs: those of the README as they are, and one that misbehaves.

Whatever a strategy says or does, the bidder sends no bid that the house would refuse, keeps to its budget, and ends.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from .conftest import Ended, HouseStarter, finish, start_program

README = Path(__file__).parents[2] / "README.md"
MISDEEDS = (
    *("negative", "zero", "huge", "beyond", "float", "nan", "words", "currency", "stale"),
    *("garbage", "endless", "late", "silent", "crash", "flood"),
)
LOT = """
[[auction]]
item = "{name}"
listing = "{name}"
starting_price = "10.00EUR"
increment = "1.00EUR"
duration = "{duration}"
min_bidders = 1
start_timeout = "1h"
"""
HOUSE = """
[house]
port = {port}
verifiers = 1
max_concurrent_auctions = 50
max_auctions_a_seller = 50
"""

FUZZER = r"""
import json, os, sys, threading

def say(**answer):
    os.write(1, json.dumps(answer).encode() + b"\n")

def later(seconds, act):
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()

asked = {}

for line in sys.stdin:
    question = json.loads(line)
    number, least, deed = question["id"], question["minimum"], question["title"]
    # What was asked of this lot before, or never: what answers a question that waits would be a bid, and a good one.
    former, asked[deed] = asked.get(deed, 0), number
    match deed:
        case "good" | "better":
            say(id=number, bid=question["available"])
        case "negative":
            say(id=number, bid=-least)
        case "zero":
            say(id=number, bid=0)
        case "huge":
            say(id=number, bid=10**17)
        case "beyond":
            say(id=number, bid=question["budget"] + 1)
        case "float":
            say(id=number, bid=least + 0.5)
        case "nan":
            os.write(1, b'{"id":%d,"bid":NaN}\n{"id":%d,"bid":"NaN"}\n' % (number, number))
        case "words":
            say(id=number, bid="a lot")
        case "currency":
            say(id=number, bid="15.00USD")
        case "stale":
            say(id=former, bid=least)
        case "garbage":
            os.write(1, bytes(range(256)) + b"\n")
        case "endless":
            os.write(1, b"[" * 20_000 + b"\n")
        case "late":
            later(0.4, lambda number=number: say(id=number, bid=1_500))
        case "crash":
            later(0.3, lambda: os._exit(1))
        case "flood":
            later(0.2, lambda former=former: os.write(1, b'{"id":%d,"bid":1000}\n' % former * 3_000))
"""


def example(language: str, name: str) -> str:
    """The example of the README that begins with a comment that says ``name``."""
    (text,) = re.findall(rf"```{language}\n(# {re.escape(name)}.*?)```", README.read_text(), flags=re.DOTALL)
    return str(text)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: Any) -> Iterator[dict[str, Ended]]:
    """What came of each bidder: alice tries one strategy after another, bob the one that misbehaves."""
    home = tmp_path_factory.mktemp("own")
    (home / "halfway.py").write_text(example("python", "halfway.py"))
    (home / "least.sh").write_text(example("sh", "least.sh"))
    (home / "fuzzer.py").write_text(FUZZER)
    (home / "breaks.py").write_text(
        "class Breaks:\n    def decide(self, view, purse, now_ns, rng):\n        return {}['gone']\n"
    )
    starter = HouseStarter(home)
    lots = [LOT.format(name=name, duration="1500ms") for name in ("halfway", "least", "breaks", "manual")]
    lots += [LOT.format(name=name, duration="4s") for name in ("good", "better", *MISDEEDS)]
    house = starter(HOUSE + "".join(lots), "--json")
    assert house.stdout is not None
    while b'"serving"' not in (line := house.stdout.readline()):
        assert line
    fuzzer = f"exec:{sys.executable} {home / 'fuzzer.py'}"
    bob = start_program(
        home,
        *("bid", "good", "better", *MISDEEDS, "--strategy", fuzzer, "--param", "limit=250ms", "--budget", "20EUR"),
        *("--key", "bob", "--json"),
    )
    outputs: dict[str, Ended] = {}
    for name, strategy, params in (
        ("halfway", f"{home / 'halfway.py'}:Halfway", ["--param", "most=80"]),
        ("least", f"exec:sh {home / 'least.sh'}", ["--param", "most=8000"]),
        ("breaks", f"{home / 'breaks.py'}:Breaks", []),
    ):
        alice = start_program(
            home, "bid", name, "--strategy", strategy, *params, "--budget", "100EUR", "--key", "alice", "--json"
        )
        outputs[name] = finish(alice)
    alice = start_program(
        home, *("bid", "manual", "--strategy", "manual", "--budget", "100EUR", "--key", "alice", "--json"), stdin=PIPE
    )
    assert alice.stdin is not None
    alice.stdin.write(b"5.00EUR\n12.50EUR\n")
    outputs["manual"] = finish(alice)
    outputs["fuzzer"] = finish(bob)
    yield outputs
    starter.end()


def events(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.out.splitlines()]


def accepted_minor(ended: Ended) -> list[int]:
    return [event["amount"]["minor"] for event in events(ended) if event["event"] == "accepted"]


def test_the_class_of_the_readme_bids_halfway_to_the_most(runs: dict[str, Ended]) -> None:
    assert runs["halfway"].status == 0, runs["halfway"].err
    assert accepted_minor(runs["halfway"]) == [4_500]


def test_the_program_of_the_readme_bids_the_least(runs: dict[str, Ended]) -> None:
    assert runs["least"].status == 0, runs["least"].err
    assert accepted_minor(runs["least"]) == [1_000]
    assert "warning" not in runs["least"].err


def test_a_class_that_raises_is_warned_of_by_its_name_and_line_and_bids_nothing(runs: dict[str, Ended]) -> None:
    assert runs["breaks"].status == 6
    (line,) = [line for line in runs["breaks"].err.splitlines() if "warning" in line]
    assert line == "warning: the strategy Breaks made no bid: KeyError: 'gone' at breaks.py, line 3"
    assert "Traceback" not in runs["breaks"].err


def test_a_person_bids_through_a_pipe_what_was_written_there(runs: dict[str, Ended]) -> None:
    assert runs["manual"].status == 0, runs["manual"].err
    assert accepted_minor(runs["manual"]) == [1_250]
    assert "manual: that is less than the least bid now" in runs["manual"].err


def test_whatever_a_strategy_says_no_bad_bid_is_sent_and_no_budget_exceeded(runs: dict[str, Ended]) -> None:
    told = events(runs["fuzzer"])
    assert runs["fuzzer"].status == 0, runs["fuzzer"].err
    placed = [event for event in told if event["event"] == "placed"]
    assert {event["listing"] for event in placed} <= {"good", "better"}
    assert not [event for event in told if event["event"] == "rejected"]
    assert sum(accepted_minor(runs["fuzzer"])) == 2_000
    results = {event["listing"]: event["result"] for event in told if event["event"] == "ended"}
    assert sorted(results) == sorted(("good", "better", *MISDEEDS))
    assert sorted(results.values()) == sorted(["won"] + ["no_sale"] * (len(MISDEEDS) + 1))


def test_misdeeds_are_warned_of_sparingly_and_without_a_traceback(runs: dict[str, Ended]) -> None:
    lines = runs["fuzzer"].err.splitlines()
    warnings = [line for line in lines if line.startswith("warning: the strategy ")]
    assert 2 <= len(warnings) <= 8, lines
    assert all(line.isprintable() for line in lines)
    assert "Traceback" not in runs["fuzzer"].err
