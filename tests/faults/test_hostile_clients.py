"""While somebody means harm, an honest bidder is served as before, and no process of worth ends (DESIGN.md section 1).

Real CURVE clients against a real house in processes: each attack lasts a few seconds, and the time from an honest bid
to its verified receipt is taken throughout it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile_process import ATTACKS, CROWD, LIMIT_A_SECOND
from house_clients import HonestBidder, all_join, check_promises
from house_process import HouseInProcesses, lot, until

from auctionctl.net.watchdog import Fault

ATTACK_S = 4.0
SLOW_ATTACK_S = 20.0
"""It is cut for having read nothing for several seconds, and over then: whoever does not read does not see that."""
MUTED = {"endless": Fault.ENDLESS, "half_open": Fault.SILENT}
"""Who does what it is cut for until it cannot come back."""
P99_S = 0.25
MAX_GATEWAY_MB = 256
PAUSE_S = 0.06
"""Between two honest bids: well below what one identity may make."""
NAMES = ("ann", "ben")
LIMITS = {"bids_per_s": LIMIT_A_SECOND, "bids_burst": 2 * LIMIT_A_SECOND, "all_bids_per_s": 2_000}
"""Those of a house that says nothing else."""


class Besieged:
    """A house, two honest bidders, and whoever attacks it."""

    def __init__(self, house: HouseInProcesses) -> None:
        self.house = house
        self.bidders = [HonestBidder(name, house.address) for name in NAMES]
        self.auction = house.auctions["vase"]
        all_join(self.bidders, [self.auction])
        house.hear()
        self.pids = dict(house.pids)
        self._turn = 0

    def bid(self) -> float:
        """One bid by whoever does not lead: seconds to its receipt."""
        bidder = self.bidders[self._turn % 2]
        self._turn += 1
        bidder.run_until(lambda: self._is_behind(bidder), "the bid before")
        started_s = time.monotonic()
        command = bidder.bid(self.auction, bidder.auction(self.auction).minimum_minor)
        until(lambda: command in bidder.kept or command in bidder.codes, "a receipt", lambda: bidder.turn(0.002))
        seconds = time.monotonic() - started_s
        assert command in bidder.kept, bidder.codes.get(command)
        return seconds

    def _is_behind(self, bidder: HonestBidder) -> bool:
        standing = bidder.auction(self.auction).standing
        last = self.bidders[self._turn % 2].core.replicas[self.auction].size
        is_current = bidder.core.replicas[self.auction].size >= last
        return is_current and (standing is None or standing.leader != bidder.key.identity.signing)

    def bid_throughout(self, attacker: subprocess.Popen[bytes], is_over: Callable[[], bool]) -> list[float]:
        """Bids at a steady pace while ``attacker`` is at work, or until ``is_over``: the seconds that each took."""
        taken = []
        while attacker.poll() is None and not is_over():
            taken.append(self.bid())
            next_s = time.monotonic() + PAUSE_S
            until(lambda: time.monotonic() >= next_s, "the next bid", self._idle)  # noqa: B023 - called at once
        return taken

    def _idle(self) -> None:
        for bidder in self.bidders:
            bidder.turn(0.002)

    @property
    def gateway(self) -> int:
        self.house.hear()
        return self.house.pids["gateway"]

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.gateway}/fd"))

    def gateway_peak_mb(self) -> float:
        """The most that the gateway ever had in memory."""
        for line in Path(f"/proc/{self.gateway}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1_024
        raise AssertionError("no VmHWM")

    def address_space_limit(self) -> str:
        """Soft limit, hard limit and unit, as the system words them."""
        lines = Path(f"/proc/{self.gateway}/limits").read_text().splitlines()
        return next(line.split()[3] for line in lines if line.startswith("Max address space"))

    def attack(self, name: str) -> subprocess.Popen[bytes]:
        script = Path(__file__).with_name("hostile_process.py")
        arguments = [sys.executable, str(script), name, self.house.address.text, self.auction.hex()]
        arguments.append(str(SLOW_ATTACK_S if name == "slow_reader" else ATTACK_S))
        attacker = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert attacker.stdout is not None
        assert attacker.stdout.readline() == b"ready\n"
        return attacker

    def close(self) -> None:
        for bidder in self.bidders:
            bidder.close()
        self.house.close()


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    directory = tmp_path_factory.mktemp("besieged")
    house = HouseInProcesses(directory, (*NAMES, *ATTACKS, *CROWD), [lot("vase")], limits=LIMITS)
    try:
        found = Besieged(house)
    except BaseException:
        house.close()
        raise
    yield found
    found.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the watchdog needs what Linux shows of connections")
@pytest.mark.parametrize("name", [*ATTACKS, "crowd"])
def test_an_honest_bidder_is_served_in_time_while_somebody_means_harm(besieged, name, say_at_the_end, machine_stalls):
    descriptors = besieged.descriptors()
    attacker = besieged.attack(name)
    try:
        if name == "slow_reader":
            until(lambda: besieged.descriptors() > descriptors, "its connection", besieged._idle)
            taken = sorted(besieged.bid_throughout(attacker, lambda: besieged.descriptors() <= descriptors))
            assert attacker.poll() is None, "it was not cut"
        else:
            taken = sorted(besieged.bid_throughout(attacker, lambda: False))
            assert attacker.returncode == 0
            assert (b"cut" in attacker.stdout.read()) is (name == "oversize")
    finally:
        attacker.kill()
        attacker.wait()
        attacker.stdout.close()
    besieged.house.hear()
    muted = [(each["name"], each["fault"]) for each in besieged.house.reports if each["report"] == "Muted"]
    assert ((name, MUTED[name].value) if name in MUTED else None) in [*muted, None]
    p50_s, p99_s = taken[len(taken) // 2], taken[-(-99 * len(taken) // 100) - 1]
    peak_mb, stalled_s = besieged.gateway_peak_mb(), machine_stalls.longest_s
    say_at_the_end(
        f"{name}: {len(taken)} honest bids, bid → receipt p50 {p50_s * 1e3:.1f} ms, p99 {p99_s * 1e3:.1f} ms,"
        f" gateway at most {peak_mb:.0f} MB, the machine stood still for up to {stalled_s * 1e3:.0f} ms"
    )
    assert len(taken) > 20
    assert p99_s <= P99_S
    assert peak_mb <= MAX_GATEWAY_MB
    assert "unlimited" not in besieged.address_space_limit()
    assert besieged.gateway == besieged.pids["gateway"]
    assert besieged.house.pids == besieged.pids
    # What the attacker opened is gone, and nothing that cutting it took is left.
    until(lambda: besieged.descriptors() <= descriptors, "the descriptors to be as many as before", besieged._idle)
    assert check_promises(besieged.bidders, besieged.auction) == []
