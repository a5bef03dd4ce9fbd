"""The examples of the manual, as programs of their own, at a real house."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from auctionctl.cli.manual.api_page import EXAMPLES

SAID = {
    "Look at what a house holds, and listen": ("gold-watch announced no bid yet", " terms ", " closed "),
    "Bid once, and prove it": ("c2sp.org/tlog-proof@", "won "),
    "Let a strategy bid, one of your own": ("0 0 10000",),
}


@pytest.fixture(scope="module")
def outputs(example_house: Any) -> dict[str, str]:
    """What each example has written: the first listens while the others bid."""
    running = {}
    for title, code in EXAMPLES.items():
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
        key = "bob" if title.startswith("Let") else "alice"
        running[title] = subprocess.Popen(
            [sys.executable, "-P", "-c", code, example_house.address, key],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment | {"AUCTIONCTL_HOME": str(example_house.home)},
        )
    said = {}
    for title, process in running.items():
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
        said[title] = out.decode()
    return said


@pytest.mark.parametrize("title", EXAMPLES)
def test_every_example_does_what_it_says(outputs: dict[str, str], title: str) -> None:
    for words in SAID[title]:
        assert words in outputs[title]
