"""The machines of a house, so to speak, have clocks of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from house_machines import clock_behind, environment

from auctionctl.auction.terms import SECOND_NS


def test_every_process_of_a_machine_sees_its_clock(tmp_path: Path) -> None:
    child = "from auctionctl.net.clock import Clock; print(Clock().now_ns())"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-P', '-c', {child!r}], check=True)"
    begun_ns = time.time_ns()
    for behind_s in (0, 1_000):
        said = subprocess.run(
            [sys.executable, "-P", "-c", parent],
            env=environment(tmp_path) | clock_behind(tmp_path, behind_s),
            capture_output=True,
            check=True,
        ).stdout
        assert 0 <= int(said) + behind_s * SECOND_NS - begun_ns < 100 * SECOND_NS
