"""``auctionctl serve``: starts the processes of a house, joins them, replaces the disposable ones (DESIGN.md 3, 10).

The listening socket is opened here and inherited by each gateway, so that a new one answers at once. A gateway or a
verifier that dies is started again; after several deaths in a row, more and more slowly. A house that dies ends
everything: its restart replays the store, and that is for whoever runs ``serve`` to start.
"""

from __future__ import annotations

import contextlib
import enum
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auctionctl import errors
from auctionctl.errors import AllowListError, AuctionctlError, ConfigurationError, StoreBrokenError, StoreError
from auctionctl.house.house import Limits
from auctionctl.keys.signing import SecretKey
from auctionctl.net.child import EXIT_STORE_BROKEN
from auctionctl.net.control import receive_control, tell_child
from auctionctl.net.hops import (
    AllClosed,
    AllowListKept,
    Announced,
    Failed,
    GatewayPipe,
    HousePipe,
    Listening,
    Opened,
    StartGateway,
    StartHouse,
    Stop,
    StoreFull,
    ToChild,
    VerifierPipe,
    decode_from_child,
)
from auctionctl.net.pipes import PipeClosedError
from auctionctl.store.state_directory import locked
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.listing import LotDescription

SESSIONS_A_GATEWAY: Final = 1 << 32
"""Session numbers of one gateway never meet those of its successor."""
LISTEN_BACKLOG: Final = 1_024
STOP_PATIENCE_S: Final = 10.0
LINGER_S: Final = 2.0
"""After the last close, time for everybody to read the end."""
QUICK_DEATH_S: Final = 5.0
LONGEST_BACKOFF_S: Final = 5.0


class Finish(enum.Enum):
    """When a house is done."""

    NEVER = "never"
    WHEN_CLOSED = "when_closed"


@dataclass(frozen=True, slots=True)
class HouseSettings:
    """How a house is run. ``host`` is what is bound; ``state`` is the directory of its store."""

    name: str
    host: str
    port: int
    verifiers: int
    limits: Limits
    state: Path
    allow_list: Path


@dataclass(frozen=True, slots=True)
class Serving:
    """Bidders can connect to ``address``."""

    address: HouseAddress
    auctions: tuple[Announced, ...]


@dataclass(frozen=True, slots=True)
class Restarted:
    """A process had died and has been started again."""

    process: str
    pid: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A log of the store does not verify: its auction stands still, the others run."""

    log: str
    reason: str


@dataclass(frozen=True, slots=True)
class Processes:
    """Who runs what, for whoever watches from outside."""

    house: int
    gateway: int
    verifiers: tuple[int, ...]


Report = Serving | Restarted | Quarantined | AllowListKept | StoreFull | AllClosed | Processes


@dataclass(slots=True)
class Child:
    """One process and the supervisor's end of its control socket."""

    name: str
    process: subprocess.Popen[bytes]
    control: socket.socket
    started_s: float

    def tell(self, message: ToChild, *descriptors: int) -> None:
        """Send it a message; one that is dead does not matter, for its end of stream is noticed anyway."""
        with contextlib.suppress(PipeClosedError):
            tell_child(self.control, message, *descriptors)


def serve(
    settings: HouseSettings,
    key: SecretKey,
    lots: Sequence[LotDescription],
    on_report: Callable[[Report], None],
    finish: Finish = Finish.NEVER,
) -> None:
    """Run a house until it is done, or an exception such as KeyboardInterrupt or SystemExit is raised in here.

    Raises StoreLockedError if another process holds the state, ConfigurationError for a port that cannot be had, and
    whatever the house reports; every process has ended when this returns or raises.
    """
    with _listen(settings) as listening:
        supervisor = Supervisor(settings, key, lots, on_report, finish=finish, listening=listening)
        try:
            supervisor.start()
            supervisor.watch()
        finally:
            supervisor.stop()


def _listen(settings: HouseSettings) -> socket.socket:
    host = settings.host.strip("[]")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, settings.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {settings.host}: {error.strerror}") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(LISTEN_BACKLOG)
    except OSError as error:
        listening.close()
        if settings.state.is_dir():
            # The likeliest holder of the port is this very house: then that is what is wrong, and StoreLockedError.
            with locked(settings.state):
                pass
        raise ConfigurationError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}",
            hint="is another house running? choose another port with --port or in [house]",
        ) from error
    return listening


class Supervisor:
    """The processes of one house."""

    def __init__(
        self,
        settings: HouseSettings,
        key: SecretKey,
        lots: Sequence[LotDescription],
        on_report: Callable[[Report], None],
        *,
        finish: Finish,
        listening: socket.socket,
    ) -> None:
        self._settings = settings
        self._key = key
        self._lots = lots
        self._on_report = on_report
        self._finish = finish
        self._listening = listening
        self._address = HouseAddress(key.identity, settings.host, listening.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._house: Child | None = None
        self._gateway: Child | None = None
        self._verifiers: dict[int, Child] = {}
        self._gateways_started = 0
        self._deaths: dict[str, int] = {}
        self._due: list[tuple[float, str]] = []
        self._finish_at_s: float | None = None

    # Life

    def start(self) -> None:
        """House first: only with an open store is there anything to connect to."""
        settings = self._settings
        self._house = self._spawn("house")
        self._house.tell(
            StartHouse(
                self._key.seed_text,
                str(settings.state),
                str(settings.allow_list),
                settings.limits.max_concurrent_auctions,
                settings.limits.queue,
                list(self._lots),
            )
        )
        try:
            self._hear(self._house)
        except PipeClosedError:
            self._bury(self._house)
        for slot in range(settings.verifiers):
            self._start_verifier(slot)
        self._start_gateway()

    def watch(self) -> None:
        """Until the house is done."""
        while self._finish_at_s is None or time.monotonic() < self._finish_at_s:
            for key, _ in self._selector.select(self._patience_s()):
                child = key.data
                assert isinstance(child, Child)
                try:
                    self._hear(child)
                except PipeClosedError:
                    self._bury(child)
            self._restart_due()

    def stop(self) -> None:
        """End every process: the house finishes its batch, the others hold nothing worth waiting for."""
        children = [child for child in (self._gateway, *self._verifiers.values(), self._house) if child is not None]
        for child in children:
            child.tell(Stop())
            child.control.close()
        deadline_s = time.monotonic() + STOP_PATIENCE_S
        for child in children:
            try:
                child.process.wait(max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._selector.close()

    def _patience_s(self) -> float | None:
        times = [at_s for at_s, _ in self._due]
        if self._finish_at_s is not None:
            times.append(self._finish_at_s)
        return max(0.0, min(times) - time.monotonic()) if times else None

    # Children

    def _spawn(self, name: str) -> Child:
        ours, theirs = socket.socketpair()
        kind = name.partition(" ")[0]
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "auctionctl.net.child", kind, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        child = Child(name, process, ours, time.monotonic())
        self._selector.register(ours, selectors.EVENT_READ, child)
        return child

    def _start_verifier(self, slot: int) -> None:
        child = self._verifiers[slot] = self._spawn(f"verifier {slot}")
        self._join(child, HousePipe(), self._house, VerifierPipe(slot))
        if self._gateway is not None:
            self._join(child, GatewayPipe(), self._gateway, VerifierPipe(slot))

    def _start_gateway(self) -> None:
        child = self._gateway = self._spawn("gateway")
        start = StartGateway(
            self._address.endpoint,
            self._key.transport_secret,
            self._key.identity.transport,
            self._key.identity.signing,
            self._gateways_started * SESSIONS_A_GATEWAY,
            self._settings.limits.queue,
        )
        self._gateways_started += 1
        child.tell(start, self._listening.fileno())
        for slot, verifier in self._verifiers.items():
            self._join(child, VerifierPipe(slot), verifier, GatewayPipe())
        self._join(child, HousePipe(), self._house, GatewayPipe(start.first_session))

    def _join(self, one: Child, to_one: ToChild, other: Child | None, to_other: ToChild) -> None:
        """A fresh pair of sockets between two children: half a frame of a dead one must not reach its successor."""
        assert other is not None
        first, second = socket.socketpair()
        with first, second:
            one.tell(to_one, first.fileno())
            other.tell(to_other, second.fileno())

    def _bury(self, child: Child) -> None:
        """A control socket at its end means a process at its end."""
        self._selector.unregister(child.control)
        child.control.close()
        status = child.process.wait()
        if child is self._house:
            self._house = None
            if status == EXIT_STORE_BROKEN:
                raise StoreBrokenError("the store failed and its durability is unknown", hint="check the disk first")
            raise StoreError(f"the house's process died ({_describe(status)})", hint="start serve again: it resumes")
        lived_s = time.monotonic() - child.started_s
        deaths = self._deaths[child.name] = self._deaths.get(child.name, 0) + 1 if lived_s < QUICK_DEATH_S else 0
        wait_s = 0.0 if deaths < 2 else min(LONGEST_BACKOFF_S, 0.1 * 2**deaths)
        self._due.append((time.monotonic() + wait_s, child.name))

    def _restart_due(self) -> None:
        now_s = time.monotonic()
        due, self._due = (
            [item for item in self._due if item[0] <= now_s],
            [item for item in self._due if item[0] > now_s],
        )
        for _, name in due:
            if name == "gateway":
                self._start_gateway()
                child = self._gateway
            else:
                slot = int(name.partition(" ")[2])
                self._start_verifier(slot)
                child = self._verifiers[slot]
            assert child is not None
            self._on_report(Restarted(name, child.process.pid))

    # Reports

    def _hear(self, child: Child) -> None:
        if child is not self._house:
            # The others have nothing to report: one that does is no longer ours, and is replaced.
            child.process.kill()
            raise PipeClosedError(f"{child.name} spoke out of turn")
        data, _ = receive_control(child.control)
        message = decode_from_child(data)
        if isinstance(message, Failed):
            raise _as_error(message)
        if isinstance(message, Opened):
            for log, reason in message.quarantined:
                self._on_report(Quarantined(log, reason))
        elif isinstance(message, Listening):
            self._report_processes()
            self._on_report(Serving(self._address, tuple(message.auctions)))
        else:
            if isinstance(message, AllClosed) and self._finish is Finish.WHEN_CLOSED:
                self._finish_at_s = time.monotonic() + LINGER_S
            self._on_report(message)

    def _report_processes(self) -> None:
        assert self._house is not None
        assert self._gateway is not None
        verifiers = tuple(child.process.pid for child in self._verifiers.values())
        self._on_report(Processes(self._house.process.pid, self._gateway.process.pid, verifiers))


def _as_error(failed: Failed) -> AuctionctlError:
    """The error that a child reported, as the class that it was there where that class can be made from a message."""
    kind = getattr(errors, failed.error, StoreError)
    if kind is AllowListError:
        return ConfigurationError(f"allow list: {failed.message}", hint=failed.hint)
    try:
        error = kind(failed.message, hint=failed.hint)
    except TypeError:
        error = StoreError(failed.message, hint=failed.hint)
    assert isinstance(error, AuctionctlError)
    return error


def _describe(status: int) -> str:
    if status < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
    return f"status {status}"


def default_verifiers() -> int:
    """One a core."""
    return max(1, os.cpu_count() or 1)
