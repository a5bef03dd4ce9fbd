"""The program under test, and a house in memory that makes logs worth verifying."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from auctionctl.auction.bid import Bid, Join, encode_bid, encode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli import app
from auctionctl.cli.demo import free_port
from auctionctl.house.effects import Commit, Send
from auctionctl.house.house import House
from auctionctl.house.intake import Request
from auctionctl.house.limits import Limits
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.export import encode_export
from auctionctl.tlog.proof import Receipt, encode_receipt
from auctionctl.wire.frames import message_type, sign_body
from auctionctl.wire.listing import Entropy, LotDescription, sign_terms
from auctionctl.wire.messages import Acknowledged, Receipts, decode_reply
from auctionctl.wire.session import Peer

START_NS = 1_700_000_000 * SECOND_NS


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The AUCTIONCTL_HOME of this test, and no other setting."""
    for name in list(os.environ):
        if name.startswith("AUCTIONCTL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AUCTIONCTL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs a command line in this process, through the real boundary."""
    handler = signal.getsignal(signal.SIGPIPE)

    def run_here(*arguments: object) -> Ended:
        capfd.readouterr()
        status = app.run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Ended(status, out, err)

    yield run_here
    signal.signal(signal.SIGPIPE, handler)


@pytest.fixture
def program(home: Path) -> Run:
    """Runs a command line in a process of its own."""

    def run_there(*arguments: object, input_bytes: bytes = b"", **environment: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "auctionctl", *map(str, arguments)],
            input=input_bytes,
            capture_output=True,
            env=os.environ | environment,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run_there


@dataclass
class MemoryHouse:
    """A real house core whose store is a dict, on a virtual clock."""

    now_ns: int = START_NS
    key: SecretKey = field(default_factory=lambda: SecretKey(bytes([1]) * 32))
    entries: dict[str, list[bytes]] = field(default_factory=dict)
    receipts: dict[bytes, str] = field(default_factory=dict)
    """Command → the text of its receipt, with the entry in it."""

    def __post_init__(self) -> None:
        self.bidders = [SecretKey(bytes([number]) * 32) for number in (2, 3)]
        listed = [(n, Entry(key.identity, f"bidder{n}")) for n, key in enumerate(self.bidders)]
        self.house = House(self.key, Limits(), AllowList(listed), self.now_ns)
        for session, key in enumerate(self.bidders):
            self.house.presence.greet(session, Peer(key.identity, f"bidder{session}", "bidder"))

    def announce(self, lot: LotDescription) -> bytes:
        entropy = Entropy(bytes([len(self.entries)]) * 16, bytes(32), bytes(32))
        terms = sign_terms(lot, self.key.identity.signing, self.key.escrow_public, self.key, entropy)
        self._perform(self.house.announce(terms.body, terms.signature, self.now_ns))
        return self.house.logs[-1].id

    def join(self, bidder: int, auction: bytes) -> None:
        me, house = self.bidders[bidder].identity.signing, self.key.identity.signing
        join = Join(house, auction, me, bytes([bidder]) * 16, self.now_ns, self.now_ns + SECOND_NS)
        self._send(bidder, encode_join(join))

    def bid(self, bidder: int, auction: bytes, minor: int, head: tuple[int, bytes] = (0, b"")) -> bytes:
        me, house = self.bidders[bidder].identity.signing, self.key.identity.signing
        seq = self.house.log(auction).auction.seqs.get(me, 0) + 1
        body = encode_bid(Bid(house, auction, me, seq, minor, "EUR", self.now_ns, self.now_ns + SECOND_NS, *head))
        self._send(bidder, body)
        return command_id(body)

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now_ns += SECOND_NS
            self._perform(self.house.handle_timer(self.now_ns))

    def export(self, auction: bytes, size: int | None = None) -> bytes:
        log = self.house.log(auction)
        entries = self.entries[log.name][:size]
        checkpoint = log.checkpoint
        if size is not None:
            from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of

            signer = CheckpointSigner(origin_of(self.key.identity.text, log.name), self.key)
            checkpoint = signer.sign(size, log.tree.root(size))
        return encode_export(entries, checkpoint, self.house.registry.announcement(auction))

    def registry_export(self) -> bytes:
        """The file of the registry."""
        return encode_export(self.entries["registry"], self.house.registry.sign_head())

    def terms_receipt(self, auction: bytes) -> str:
        """What a seller gets for the terms of ``auction``, with the entry in it."""
        log = self.house.log(auction)
        proof = log.tree.inclusion(0, log.tree.size)
        return encode_receipt(Receipt(0, log.times_ns[0], proof, log.sign_head()), self.entries[log.name][0])

    def _send(self, bidder: int, body: bytes) -> None:
        key = self.bidders[bidder]
        message = sign_body(key, body)
        request = Request(bidder, key.identity.signing, message.body, message.signature)
        self._perform(self.house.handle([request], self.now_ns))

    def _perform(self, effects: object) -> None:
        assert isinstance(effects, list)
        for effect in effects:
            if isinstance(effect, Commit):
                for append in effect.appends:
                    self.entries.setdefault(append.log, []).extend(append.entries)
                self._perform(self.house.committed())
            elif isinstance(effect, Send) and message_type(effect.message.body) == "acknowledged":
                reply = decode_reply(effect.message.body)
                assert isinstance(reply, Acknowledged)
                for log in reply.logs:
                    self._keep(log)

    def _keep(self, log: Receipts) -> None:
        for each in log.receipts:
            receipt = Receipt(each.index, each.time_ns, each.proof, log.checkpoint)
            entry = self.entries[f"auction/{log.auction.hex()}"][each.index]
            self.receipts[each.command] = encode_receipt(receipt, entry)


@pytest.fixture
def memory_house() -> MemoryHouse:
    return MemoryHouse()


LOT = LotDescription("gold-watch", "Gold \x1bwatch", "EUR", 10_000, duration_ns=5 * SECOND_NS, min_bidders=2)


@dataclass(frozen=True)
class Sold:
    """A house that has sold one lot to its second bidder for 120.00EUR, in two bids."""

    house: MemoryHouse
    auction: bytes
    commands: tuple[bytes, bytes]

    @property
    def data(self) -> bytes:
        return self.house.export(self.auction)


@pytest.fixture
def sold(memory_house: MemoryHouse) -> Sold:
    auction = memory_house.announce(LOT)
    for bidder in (0, 1):
        memory_house.join(bidder, auction)
    memory_house.wait(1)
    commands = (memory_house.bid(0, auction, 10_000), memory_house.bid(1, auction, 12_000))
    memory_house.wait(6)
    return Sold(memory_house, auction, commands)


# A house that really runs, with two lots: one that is sold at once, and one that waits for a third bidder

FAIR_TOML = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "Quick \\u001b[31mlot"
listing = "quick"
starting_price = "100.00EUR"
estimate = "130.00EUR"
increment = "5.00EUR"
duration = "1500ms"
min_bidders = 2
[[auction]]
item = "Waiting lot"
starting_price = "10JPY"
min_bidders = 3
start_timeout = "1h"
"""


@dataclass
class Fair:
    """A running house under ``home``, and what came of the quick lot."""

    home: Path
    house: subprocess.Popen[bytes]
    outputs: dict[str, Ended] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return (self.home / "run/house.address").read_text().strip()

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen[bytes]:
        return start_program(self.home, *arguments, **environment)

    def run(self, *arguments: object, **environment: str) -> Ended:
        return finish(self.start(*arguments, **environment))


def start_program(
    home: Path, *arguments: object, stdin: int = subprocess.DEVNULL, **environment: str
) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "auctionctl", *map(str, arguments)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=kept | {"AUCTIONCTL_HOME": str(home)} | environment,
    )


def finish(process: subprocess.Popen[bytes], timeout_s: float = 60) -> Ended:
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    return Ended(process.returncode, out.decode(), err.decode())


def write_fair(home: Path, toml: str) -> Path:
    """Keys of a house and of alice, bob and mallory, all but mallory allowed; the file of lots, on a free port."""
    listed = []
    for number, name in enumerate(("house", "alice", "bob", "mallory"), 1):
        key = SecretKey(bytes([number + 40]) * 32)
        write_key(key_path(home / "config/keys", name), key, created="2026-01-31T12:00:00Z")
        if name in ("alice", "bob"):
            listed.append(f"{key.identity.text} {name}\n")
    (home / "config/allow").write_text("".join(listed))
    path = home / "AUCTIONS.toml"
    path.write_text(toml.format(port=free_port()))
    return path


@pytest.fixture(scope="session")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fair]:
    """The house, after alice and bob have bid for the quick lot, and while watch and bid wait for the other one."""
    home = tmp_path_factory.mktemp("fair")
    path = write_fair(home, FAIR_TOML)
    house = start_program(home, "serve", path, "--json")
    try:
        assert house.stdout is not None
        while b'"serving"' not in (line := house.stdout.readline()):
            assert line, house.stderr.read() if house.stderr else ""
        made = Fair(home, house)
        bidders = {
            "alice": made.start("bid", "quick", "--strategy", "market-value", "--budget", "500EUR", "--key", "alice"),
            "watch": made.start("watch", "quick", "--key", "alice"),
            "watch-json": made.start("watch", "quick", "--key", "bob", "--json"),
            "bob": made.start(
                *("bid", "quick", "--strategy", "aggressive", "--budget", "500EUR", "--key", "bob", "--json"),
                *("--seed", "1"),
            ),
        }
        made.outputs = {name: finish(process) for name, process in bidders.items()}
        yield made
    finally:
        house.terminate()
        finish(house)


class HouseStarter:
    """Starts houses under one home, each with the lots given; what still runs at the end is killed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._started: list[subprocess.Popen[bytes]] = []
        self._path: Path | None = None

    def prepare(self, toml: str) -> Path:
        self._path = write_fair(self.home, toml)
        return self._path

    def __call__(self, toml: str, *options: str, prepared: bool = False) -> subprocess.Popen[bytes]:
        if self._path is None:
            self.prepare(toml)
        elif not prepared:
            # Another house on the same state, and on a port of its own.
            self._path.write_text(toml.format(port=free_port()))
        assert self._path is not None
        return self.start(self._path, *options)

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen[bytes]:
        """``auctionctl serve ARGUMENTS`` under this home, as it is."""
        process = start_program(self.home, "serve", *arguments, **environment)
        self._started.append(process)
        return process

    def run(self, *arguments: object, **environment: str) -> Ended:
        """A command under this home, to its end."""
        return finish(start_program(self.home, *arguments, **environment))

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.terminate()
                process.wait(30)
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


@pytest.fixture
def start_house(tmp_path: Path) -> Iterator[HouseStarter]:
    starter = HouseStarter(tmp_path / "home")
    yield starter
    starter.end()


@pytest.fixture(scope="session")
def house_starter() -> type[HouseStarter]:
    """For a house that several tests share."""
    return HouseStarter


KILLED_BEFORE = """
import os, runpy, signal, sys
part, number = sys.argv.pop(1), int(sys.argv.pop(1))
def hook(event, arguments):
    global number
    if event in ("open", "os.rename", "os.remove", "os.link") and part in f"{event} {arguments[0]} {arguments[1]}":
        number -= 1
        if number < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
runpy.run_module("auctionctl", run_name="__main__", alter_sys=True)
"""
"""What opens, renames or removes a file says so before it does: there the command is killed."""


def run_until_killed(home: Path, part: str, number: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """``auctionctl ARGUMENTS``, killed before step ``number`` of those in whose event and paths ``part`` stands."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    return subprocess.run(
        [sys.executable, "-P", "-c", KILLED_BEFORE, part, str(number), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=kept | {"AUCTIONCTL_HOME": str(home)},
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="session")
def run_until() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Kills a command at a place that is named, not timed."""
    return run_until_killed


@pytest.fixture
def corner(tmp_path: Path) -> Path:
    """Where temporary directories are made, empty."""
    path = tmp_path / "tmp"
    path.mkdir()
    return path


def processes_with(text: str) -> list[str]:
    """The command lines of processes that have ``text`` in their environment."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc to look for processes")
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if text.encode() in entry.read_bytes():
                found.append((entry.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found
