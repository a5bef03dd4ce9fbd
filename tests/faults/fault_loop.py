"""One fault after another in a house of several machines, while everybody bids; and what is counted after all of them.

All chances come from one seed: what befalls whom, and for how long. A fault is over, and everything that it took is
back, before the next one: how long a lot had no accepted bid meanwhile is the time without service after that fault.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from house_machines import LISTINGS, QUIET, Machine, Premises
from house_process import HOUSE_KEY
from kept_dates import hold
from stream_writers import read_writers
from tcp_proxy import Cut, Swallowed, Whole

from auctionctl.replica.export import decode_export
from auctionctl.store.stream_settings import Streams
from auctionctl.tlog.checkpoint import origin_of
from auctionctl.tlog.entry import Kind, decode

HOUSE = HOUSE_KEY.identity.signing.hex()
ENOUGH = 5
"""Accepted bids of each lot after a fault: more than there can be under way when it comes."""
LOOK_S = 0.02
BEYOND_LEASE_S = 5.0
PATIENCE_S = 120.0
"""Far more than anything takes: an instance that starts late in a long run reads all that was bid before."""
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Struck:
    """What befell whom, and for how many seconds at most a lot had no accepted bid after it."""

    what: str
    whom: str
    without_s: float


@dataclass(slots=True)
class Tally:
    """What is left after all of it."""

    struck: list[Struck]
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    takeovers: int = 0
    claims: int = 0
    records: int = 0
    stale: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    heads: int = 0
    """Clock heads that bidders kept, of all logs."""
    takeovers_between: int = 0
    """Takeovers with one of these before them and one after."""
    misdated: list[str] = field(default_factory=list)

    @property
    def longest(self) -> Struck:
        """Of single faults: everything at once is none."""
        return max((each for each in self.struck if each.whom != EVERYTHING), key=lambda each: each.without_s)

    @property
    def line(self) -> str:
        counts = Counter(each.what for each in self.struck)
        each = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
        return (
            f"faults of a cluster: {len(self.struck)} ({each}), {self.acknowledged} acknowledged bids and joinings,"
            f" {self.lost} lost, {self.doubled} doubled, {len(self.stale)} of {self.records} records by a stale writer,"
            f" {self.claims} claims, {self.takeovers} takeovers, {len(self.faults)} logs that do not verify,"
            f" {len(self.misdated)} entries that contradict {self.heads} clock heads"
            f" ({self.takeovers_between} takeovers between two of these);"
            f" longest without service {self.longest.without_s:.1f} s ({self.longest.what} of {self.longest.whom})"
        )


class FaultLoop:
    """What befalls ``premises``, which are open."""

    def __init__(self, premises: Premises, seed: int) -> None:
        self.premises = premises
        self.struck: list[Struck] = []
        self._chance = random.Random(seed)
        self._last_s = dict.fromkeys(LISTINGS, time.monotonic())
        """When each lot last had an accepted bid."""
        self._since: Counter[str] = Counter()
        self._longest_s = 0.0

    def run(self, faults: list[str]) -> None:
        """Each of ``faults``, a method's name after ``_``, in an order by chance."""
        self._chance.shuffle(faults)
        self._await_bids()
        for fault in faults:
            self._strike(fault, getattr(self, f"_{fault}"))

    # The time without service

    def _strike(self, what: str, fault: Callable[[], tuple[str, Callable[[], Any]]]) -> None:
        """``fault`` befalls somebody, whom it names, and says what mends it once everybody is served again.

        Everybody is served when this is called, and when it returns.
        """
        self._longest_s = 0.0
        whom, mend = fault()
        self._await_bids()
        without_s = self._longest_s
        mend()
        self._await_bids()
        self.struck.append(Struck(what, whom, max(without_s, self._longest_s)))

    def _await_bids(self) -> None:
        """Until every lot has had as many accepted bids from now on as show that it is served."""
        self._since.clear()
        self._until(lambda: all(self._since[listing] >= ENOUGH for listing in LISTINGS), "bids for every lot")

    def _until(self, condition: Callable[[], Any], what: str) -> None:
        """Whatever is waited for, it is seen meanwhile who is served."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"waited {PATIENCE_S:g} s for {what}, after {self.struck[-1:]}")
            self._look()
            time.sleep(LOOK_S)

    def _look(self) -> None:
        accepted = self.premises.crowd.hear()
        now_s = time.monotonic()
        self._longest_s = max(self._longest_s, now_s - min(self._last_s.values()))
        self._since.update(accepted)
        # Of a quiet lot nobody knows by its bids whether it is served.
        self._last_s.update(dict.fromkeys(self._last_s.keys() & set(accepted), now_s))

    def _pass(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        self._until(lambda: time.monotonic() >= until_s, "time to pass")

    # What befalls machines

    def _machine(self) -> Machine:
        return self._chance.choice(self.premises.machines)

    def _kill_machine(self) -> tuple[str, Callable[[], Any]]:
        """kill -9 of all processes of one that has auctions; it is started again when the others have taken over."""
        holders = read_writers(self.premises.cluster.address, HOUSE).holders
        busy = {instance for subject, instance in holders.items() if not subject.endswith(".registry")}
        machine = self._chance.choice([each for each in self.premises.machines if each.name in busy])
        machine.signal_all(signal.SIGKILL)
        return machine.name, lambda: self._start(machine)

    def _end_machine(self) -> tuple[str, Callable[[], Any]]:
        """SIGTERM, and started again."""
        machine = self._machine()
        machine.terminate()
        self._until(machine.has_ended, f"the end of {machine.name}")
        return machine.name, lambda: self._start(machine)

    def _start(self, machine: Machine) -> None:
        machine.start()
        self._until(machine.has_served, f"{machine.name} to serve")

    def _kill_process(self) -> tuple[str, Callable[[], Any]]:
        """kill -9 of one of its processes, which its supervisor starts again."""
        machine = self._machine()
        name = self._chance.choice(sorted(machine.pids()))
        pid, served = machine.pids()[name], sum(record["event"] == "serving" for record in machine.hear())
        os.kill(pid, signal.SIGKILL)

        def mend() -> None:
            self._until(lambda: machine.pids()[name] != pid, f"another {name} of {machine.name}")
            if name == "house":
                self._until(lambda: machine.has_served(served + 1), f"{machine.name} to serve again")

        return f"{machine.name}'s {name.partition(' ')[0]}", mend

    def _stop_house(self) -> tuple[str, Callable[[], Any]]:
        """SIGSTOP of a house's process, for 1 to 3 s."""
        machine = self._machine()
        return machine.name, self._stopped([machine.pids()["house"]], self._chance.uniform(1.0, 3.0))

    def _stop_machine(self) -> tuple[str, Callable[[], Any]]:
        """SIGSTOP of all its processes, for longer than its lease: it comes back to logs that are others' now."""
        machine = self._machine()
        assert machine.process is not None
        pids = [machine.process.pid, *machine.pids().values()]
        return machine.name, self._stopped(pids, BEYOND_LEASE_S + self._chance.uniform(0.0, 2.0))

    def _stopped(self, pids: list[int], seconds: float) -> Callable[[], Any]:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            self._pass(seconds)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        return lambda: None

    def _cut(self) -> tuple[str, Callable[[], Any]]:
        """Every wire of a machine to the cluster is cut, for 1 to 3 s."""
        machine = self._machine()
        machine.set_wires(Cut())
        self._pass(self._chance.uniform(1.0, 3.0))
        machine.set_wires(Whole())
        return machine.name, lambda: None

    def _swallow(self) -> tuple[str, Callable[[], Any]]:
        """What it says to the cluster, or hears of it, comes to nothing, for longer than its lease."""
        machine = self._machine()
        towards = self._chance.random() < 0.5
        machine.set_wires(Swallowed(towards=towards, back=not towards))
        self._pass(BEYOND_LEASE_S)
        machine.set_wires(Whole())
        return machine.name, lambda: None

    # What befalls servers

    def _node(self) -> int:
        """One of the servers; every other time the one that leads the stream."""
        leader = self.premises.cluster.leader_of(Streams(HOUSE).logs)
        return leader if self._chance.random() < 0.5 else self._chance.randrange(3)

    def _kill_node(self) -> tuple[str, Callable[[], Any]]:
        cluster, node = self.premises.cluster, self._node()
        cluster.signal(node, signal.SIGKILL)

        def mend() -> None:
            cluster.start(node)
            cluster.settle()

        return f"server {node}", mend

    def _stop_node(self) -> tuple[str, Callable[[], Any]]:
        """SIGSTOP of a server, for 1 to 5 s."""
        cluster, node = self.premises.cluster, self._node()
        cluster.signal(node, signal.SIGSTOP)
        try:
            self._pass(self._chance.uniform(1.0, 5.0))
        finally:
            cluster.signal(node, signal.SIGCONT)
        return f"server {node}", cluster.settle

    def _end_everything(self) -> tuple[str, Callable[[], Any]]:
        """Full stop and start: every machine, and then every server."""
        for machine in self.premises.machines:
            machine.terminate()
        self._until(lambda: all(machine.has_ended() for machine in self.premises.machines), "the end of all")
        for node in range(3):
            self.premises.cluster.signal(node, signal.SIGKILL)
        for node in range(3):
            self.premises.cluster.start(node)
        self.premises.cluster.settle()
        for machine in self.premises.machines:
            machine.start()
        for machine in self.premises.machines:
            self._until(machine.has_served, f"{machine.name} to serve")
        return EVERYTHING, lambda: None

    # Afterwards

    def count(self) -> Tally:
        """Everybody goes; then every log is exported and verified by the program itself, and every receipt sought.

        And each is held against all that the house, whichever instance of it, has signed of the time meanwhile.
        """
        crowd = self.premises.crowd
        crowd.dates.look()
        crowd.close()
        tally = Tally(self.struck)
        places: dict[tuple[str, int], bytes] = {}
        for number, listing in enumerate((*LISTINGS, *QUIET)):
            file = crowd.home / f"{listing}.auction"
            # Any instance answers for all.
            at = list(crowd.address.each())[number % len(self.premises.machines)]
            crowd.run("export", listing, "-o", str(file), at=at)
            try:
                record = json.loads(crowd.run("verify", str(file), "--json"))
            except AssertionError as error:
                tally.faults.append(str(error))
                continue
            entries = list(decode_export(file.read_bytes()).entries)
            places |= {(record["id"], index): entry for index, entry in enumerate(entries)}
            decoded = [decode(entry) for entry in entries]
            bodies = [entry.body for entry in decoded if entry.kind in (Kind.BID, Kind.JOINED)]
            tally.doubled += len(bodies) - len(set(bodies))
            tally.takeovers += sum(entry.kind is Kind.TAKEOVER for entry in decoded)
            origin = origin_of(HOUSE_KEY.identity.text, f"auction/{record['id']}")
            held = hold(origin, HOUSE_KEY.identity, entries, crowd.dates.of(origin))
            tally.heads += held.heads
            tally.takeovers_between += held.takeovers_between
            tally.misdated += held.wrong
        for proof in crowd.receipts():
            tally.acknowledged += 1
            log = proof.checkpoint_note.split(b"\n")[0].decode().rpartition("/")[2]
            tally.lost += places.get((log, proof.index)) != proof.extra
        writers = read_writers(self.premises.cluster.address, HOUSE)
        tally.stale, tally.claims, tally.records = writers.stale, writers.claims, writers.records
        tally.doubled += len(writers.repeated)
        return tally
