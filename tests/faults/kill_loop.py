"""kill -9 again and again, at random instants, while everybody bids: the loop, and what is counted after it.

All chances come from one seed: whom to kill, how many receipts to wait for in between, and whether to wait at all. The
instants themselves are the machine's.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from bidder_process import BidderDaemon, Desk
from house_clients import HonestBidder, bid_against_each_other, check_promises
from house_process import HouseInProcesses, is_running, until

from auctionctl.auction.events import Gap
from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.backoff import QUICK_DEATH_S
from auctionctl.net.supervisor import MAX_QUICK_DEATHS
from auctionctl.replica.export import decode_export
from auctionctl.tlog.entry import Kind, decode

NOTICED_WITHIN_NS = SECOND_NS
"""A loss that comes within the grace of the last gap is in that gap; otherwise its own begins at once."""


class Strike(NamedTuple):
    """Who was killed, and when."""

    victim: str
    time_ns: int


@dataclass(slots=True)
class Tally:
    """What is left after all of it."""

    kills: Counter[str]
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    corrupt: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        each = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kills.items()))
        return (
            f"kills: {self.kills.total()} ({each}), {self.acknowledged} acknowledged bids and joinings, "
            f"{self.lost} lost, {self.doubled} doubled, {self.corrupt} corrupt logs"
        )


class KillLoop:
    """A house, its clients in this process, and its bidder daemons."""

    def __init__(
        self, house: HouseInProcesses, clients: list[HonestBidder], daemons: list[BidderDaemon], seed: int
    ) -> None:
        self.house = house
        self.clients = clients
        self.daemons = daemons
        self.auctions = house.auctions
        self.strikes: list[Strike] = []
        self._chance = random.Random(seed)
        self._dead: set[int] = set()
        self._quick_deaths = 0
        self._served_s = time.monotonic()
        self._servings = house.count("Serving")

    def run(self, kills: int) -> None:
        """Kill so many, and bid on until everybody has had an answer."""
        victims = ["house", "gateway", "verifier", "daemon", "client"]
        for number in range(kills):
            if number % len(victims) == 0:
                self._chance.shuffle(victims)
            if self._chance.random() < 0.75:
                self.bid(self._chance.randrange(1, 40))
            self.strike(victims[number % len(victims)])
        self.bid(20)
        for client in self.clients:
            client.run_until(lambda c=client: c.core.is_welcome and not c.core.unanswered, "the last answers")

    def bid(self, receipts: int) -> None:
        """Until all the clients together have so many more: whatever was killed before is back."""
        wanted = self._receipts() + receipts
        bid_against_each_other(
            self.clients, self.auctions.values(), lambda: self._look() or self._receipts() >= wanted, "receipts"
        )

    def _receipts(self) -> int:
        return sum(len(client.kept) for client in self.clients)

    def _look(self) -> None:
        self.house.hear()
        if self.house.process.poll() is not None:
            raise AssertionError(f"the house has ended: {self.house.reports[-3:]}\n{self.house.stderr}")
        for daemon in self.daemons:
            daemon.keep_running()
        if (servings := self.house.count("Serving")) > self._servings:
            self._servings, self._served_s = servings, time.monotonic()

    def strike(self, kind: str) -> None:
        """Kill somebody of this kind."""
        if kind == "daemon":
            daemon = self._chance.choice(self.daemons)
            self.strikes.append(Strike(kind, time.time_ns()))
            daemon.kill()
        elif kind == "client":
            client = self._chance.choice(self.clients)
            self.strikes.append(Strike(kind, time.time_ns()))
            client.crash()
        else:
            names = [name for name in self.house.pids if name.startswith(kind)]
            self._kill_process(self._chance.choice(names), kind)

    def _kill_process(self, name: str, kind: str) -> None:
        if kind == "house":
            self._spare_the_house()
        until(lambda: self._look() or self._hits(name, kind), f"a {name} to kill", lambda: self.house.hear(0.02))

    def _hits(self, name: str, kind: str) -> bool:
        """kill -9 the process called so, unless it is one that was killed before, or is gone with its house."""
        pid, time_ns = self.house.pids[name], time.time_ns()
        if pid in self._dead or not is_running(pid):
            return False
        self._dead.add(pid)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.strikes.append(Strike(kind, time_ns))
        return True

    def _spare_the_house(self) -> None:
        """One that dies young too often in a row is given up, and rightly so: let it live for once."""
        if self._quick_deaths == MAX_QUICK_DEATHS - 2:
            due_s = self._served_s + QUICK_DEATH_S + 1
            bid_against_each_other(
                self.clients, self.auctions.values(), lambda: self._look() or time.monotonic() > due_s, "a longer life"
            )
        is_quick = time.monotonic() - self._served_s < QUICK_DEATH_S + 1
        self._quick_deaths = self._quick_deaths + 1 if is_quick else 0

    # Afterwards

    def count(self, desk: Desk) -> Tally:
        """Everybody goes; then every log is exported and verified by the program itself, and every receipt sought."""
        for daemon in self.daemons:
            daemon.close()
        tally = Tally(Counter(strike.victim for strike in self.strikes))
        entries: dict[str, list[bytes]] = {}
        for listing in self.auctions:
            file = desk.directory / f"{listing}.auction"
            for arguments in (("export", listing, "-o", str(file)), ("verify", str(file))):
                status, said = desk.run(*arguments, "--key", self.clients[0].name)
                if status:
                    tally.corrupt += arguments[0] == "verify"
                    tally.faults.append(f"{arguments}: {status}: {said}")
            entries[self.auctions[listing].hex()] = list(decode_export(file.read_bytes()).entries)
        for log in entries.values():
            bodies = [entry.body for entry in map(decode, log) if entry.kind in (Kind.BID, Kind.JOINED)]
            tally.doubled += len(bodies) - len(set(bodies))
        places = {(log, index): entry for log, found in entries.items() for index, entry in enumerate(found)}
        for log, index, entry in self._receipted():
            tally.acknowledged += 1
            tally.lost += places.get((log, index)) != entry
        return tally

    def _receipted(self) -> set[tuple[str, int, bytes]]:
        """(log, index, entry) of every receipt that anybody ever got."""
        found = {
            (kept.receipt.checkpoint.split(b"\n")[0].decode().rpartition("/")[2], kept.receipt.index, kept.entry)
            for client in self.clients
            for kept in client.kept.values()
        }
        # One home holds the receipts of all daemons.
        for proof in self.daemons[0].receipts() if self.daemons else ():
            found.add((proof.checkpoint_note.split(b"\n")[0].decode().rpartition("/")[2], proof.index, proof.extra))
        return found

    def missing_gaps(self) -> list[tuple[str, Strike]]:
        """The strikes at house and gateway that a log has no gap for; after the deadline was held against all gaps."""
        missing = []
        for listing, auction in self.auctions.items():
            gaps = check_promises(self.clients, auction)
            for strike in self.strikes:
                if strike.victim in ("house", "gateway") and not any(covers(gap, strike) for gap in gaps):
                    missing.append((listing, strike))
        return missing


def covers(gap: Gap, strike: Strike) -> bool:
    """Whether the time in which nobody could bid after ``strike`` has begun in ``gap``."""
    return gap.since_ns <= strike.time_ns + NOTICED_WITHIN_NS and strike.time_ns < gap.until_ns
