"""``auctionctl serve``: starts the processes of a house, joins them, replaces the disposable ones (DESIGN.md 3, 10).

The port is taken here, and what gateways listen on comes from here, so that a new one answers at once. A process that
dies is started again; after several quick deaths in a row, more and more slowly. With a house that dies its gateways
and verifiers end too: all that they hold is what it never answered, and its successor replays the store. It comes back
under the settings, lots and allow list last in force, but for three cases, which end everything: it has never served;
it has died too often, each time soon after its start; or its store failed, for then durability is unknown and no
restart mends it. A clock that was set back behind the house's last entry is waited for, and so is a cluster that has
the logs and does not answer, and a file by which the house is let in there.

The end, in order: gateways take nothing any more, what they took is answered and sent, then everything stops.
Signals are read in the same loop as everything else: SIGTERM and SIGINT end the house, a second one at once; SIGHUP
has its settings read again, unless it says that the terminal was closed: that ends the house as well, in order.
"""

from __future__ import annotations

import enum
import selectors
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import AuctionctlError, StoreBrokenError, StoreError
from auctionctl.house.condition import BANNED
from auctionctl.keys.signing import SecretKey
from auctionctl.net.admission_news import AllowListTaken, LimitsTaken
from auctionctl.net.backoff import Backoff
from auctionctl.net.child import EXIT_STORE_BROKEN
from auctionctl.net.child_words import GATEWAY, Failed, HousePipe, VerifierPipe
from auctionctl.net.children import Child, as_error, await_room, describe_end, end_all, join, may_pass, spawn
from auctionctl.net.control import receive_control
from auctionctl.net.fleet import Fleet
from auctionctl.net.gatekeeper import Gatekeeper
from auctionctl.net.gateway_orders import Drain, SetLimits
from auctionctl.net.hops import Noticed
from auctionctl.net.house_settings import Finish, HouseSettings, NewSettings, ReadSettings
from auctionctl.net.house_words import (
    Alive,
    AllClosed,
    Listening,
    Opened,
    Reload,
    Reloaded,
    Reopened,
    SettingsKept,
    Warn,
    decode_from_child,
)
from auctionctl.net.journalling import Journalling
from auctionctl.net.listening import ListeningPort
from auctionctl.net.pipes import PipeClosedError
from auctionctl.net.reports import Draining, Processes, Quarantined, Report, Restarted, RestartNeeded, Serving
from auctionctl.net.sd_notify import Notifier
from auctionctl.net.signals import Signals, has_terminal
from auctionctl.net.vouching import Vouching
from auctionctl.net.ways import HUNG_NS
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.listing import LotDescription

DRAIN_PATIENCE_S: Final = 5.0
"""How long what was taken may need until it is answered; a slower gateway is ended with what it holds."""
STOP_PATIENCE_S: Final = 10.0
MAX_QUICK_DEATHS: Final = 5
"""A house that so many times in a row died within QUICK_DEATH_S of serving, or before, will do so again."""
HURRIED_PATIENCE_S: Final = 1.0
END_PATIENCE_S: Final = 0.2
"""How long after the end of its control socket a process may take to end."""
STRAY_PATIENCE_S: Final = 1.0
"""How long one that says nothing more, or what none of its kind says, may take to end."""
ORPHAN_WAIT_S: Final = 0.2
"""How long after one that ended in order the end of its house may show."""
LINGER_S: Final = 2.0
"""After the last close, time for everybody to read the end."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a house has ended: by which signal, or None if it was done; ``is_cut_short`` if a second one came."""

    by: signal.Signals | None
    is_cut_short: bool


def serve(
    settings: HouseSettings,
    key: SecretKey,
    lots: Sequence[LotDescription],
    on_report: Callable[[Report], None],
    finish: Finish = Finish.NEVER,
    *,
    read_settings: ReadSettings | None = None,
    notifier: Notifier | None = None,
) -> Ended:
    """Run a house until it is done, or a signal ends it, or an exception is raised in ``on_report``.

    SIGTERM, SIGINT and SIGHUP are this function's while it runs: call it from the main thread. ``read_settings`` is
    what SIGHUP leads to, besides another look at the allow list. Raises StoreLockedError if another process holds the
    state, ConfigurationError for a port that cannot be had, and whatever the house reports; every process has ended
    when this returns or raises.
    """
    with (
        Signals(SIGNALS) as signals,
        ListeningPort(settings.host, settings.port, settings.state, settings.gateways) as port,
    ):
        supervisor = Supervisor(settings, key, lots, on_report, finish=finish, port=port)
        supervisor.obey(signals, read_settings)
        if notifier is not None:
            supervisor.vouch_to(notifier)
        try:
            supervisor.start()
            return supervisor.watch()
        finally:
            supervisor.stop()


class Reloading(enum.Enum):
    """How far a reload has come; AGAIN: another one is wanted after it."""

    NO = "no"
    UNDER_WAY = "under_way"
    AGAIN = "again"


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
        port: ListeningPort,
    ) -> None:
        self._settings = settings
        self._key = key
        self._lots = lots
        self._journal = Journalling(settings.state, on_report)
        self._on_report = self._journal.report
        self._finish = finish
        self._address = HouseAddress(key.identity, settings.host, port.number)
        self._selector = selectors.DefaultSelector()
        self._house: Child | None = None
        self._verifiers: dict[int, Child] = {}
        self._backoffs: defaultdict[str, Backoff] = defaultdict(Backoff)
        self._due: list[tuple[float, str, str]] = []
        """(when, whom to start again, how the one before ended)."""
        self._has_served = False
        self._served_s: float | None = None
        """Since when the house serves; None while it does not."""
        self._allowed = b""
        """The text of the allow list last in force."""
        self._limits = settings.limits
        """What the house takes: that of its settings, or its part of what several instances do."""
        self._awaited = ""
        """What the house has ended for and time may mend: the machine's clock, or a cluster out of reach."""
        self._finish_at_s: float | None = None
        self._drained_by_s: float | None = None
        self._ended_by: signal.Signals | None = None
        self._is_cut_short = False
        self._signals: Signals | None = None
        self._had_terminal = False
        self._read_settings: ReadSettings | None = None
        self._reloading = Reloading.NO
        self._new: NewSettings | None = None
        self._vouching = Vouching(Notifier())
        self._gatekeeper = Gatekeeper(self._journal, settings.access)
        self._fleet = Fleet(settings, key, port, self._gatekeeper, self._spawn)
        self._warned = ""
        """What the house was told of bans."""

    def obey(self, signals: Signals, read_settings: ReadSettings | None) -> None:
        """Heed ``signals`` from now on."""
        self._signals = signals
        self._had_terminal = has_terminal()
        self._read_settings = read_settings
        self._selector.register(signals, selectors.EVENT_READ, signals)

    def vouch_to(self, notifier: Notifier) -> None:
        """Tell a service manager how the house is."""
        self._vouching = Vouching(notifier)

    # Life

    def start(self) -> None:
        """House first: only with an open store is there anything to connect to."""
        self._start_house()

    def _start_house(self) -> Child:
        self._house, self._warned = self._spawn("house"), ""
        self._limits = self._settings.limits
        # Before it has served, a list that was in force for a moment excuses nothing.
        allowed = self._allowed if self._has_served else None
        self._house.tell(self._settings.start(self._key, self._lots, allowed, self._address.port))
        return self._house

    def _start_others(self) -> None:
        for slot in range(self._settings.verifiers):
            self._start_verifier(slot)
        for name in self._fleet.names:
            self._start_gateway(name)

    def watch(self) -> Ended:
        """Until the house is done, or has been ended in order."""
        while not self._is_over():
            # The house first: those that end because it has ended are no deaths of their own.
            await_room(self._selector)
            for key, events in sorted(
                self._selector.select(self._patience_s()), key=lambda each: each[0].data != self._house
            ):
                if isinstance(key.data, Child):
                    if key.data.is_buried:
                        continue  # It has gone with its house, in this same round.
                    try:
                        if key.data.serve(events):
                            self._hear(key.data)
                    except PipeClosedError:
                        self._bury(key.data)
                else:
                    for number in key.data.take():
                        self._heed(number)
            self._restart_due()
            self._tell_bans(time.monotonic())
            self._journal.settle()
            self._vouching.beat(time.monotonic())
            if self._finish_at_s is not None and time.monotonic() >= self._finish_at_s:
                self._drain()
        return Ended(self._ended_by, self._is_cut_short)

    def _is_over(self) -> bool:
        if self._drained_by_s is None or self._is_cut_short:
            return self._is_cut_short
        return not self._fleet.living or time.monotonic() >= self._drained_by_s

    def _drain(self) -> None:
        """Begin the end: a gateway ends by itself once everything that it took is answered and sent."""
        if self._drained_by_s is not None:
            return
        self._finish_at_s = None
        self._drained_by_s = time.monotonic() + DRAIN_PATIENCE_S
        self._vouching.notifier.stopping()
        self._on_report(Draining())
        self._fleet.tell(Drain())

    def stop(self) -> None:
        """End every process: the house finishes its batch, the others hold nothing worth waiting for."""
        if self._drained_by_s is not None:
            for child in self._fleet.living:
                child.process.kill()  # It has had its time.
        children = [*self._fleet.living, *self._verifiers.values()]
        children += [] if self._house is None else [self._house]
        end_all(children, HURRIED_PATIENCE_S if self._is_cut_short else STOP_PATIENCE_S)
        self._selector.close()
        self._journal.close()

    # Signals

    def _heed(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP and (has_terminal() or not self._had_terminal):
            self._reload()
            return
        self._is_cut_short = self._ended_by is not None
        self._ended_by = number
        self._drain()

    def _reload(self) -> None:
        """Have the settings read again; one reload at a time, and none before the house serves."""
        if self._drained_by_s is not None:
            return
        if self._reloading is not Reloading.NO or not self._vouching.is_serving:
            self._reloading = Reloading.AGAIN
            return
        self._vouching.notifier.reloading()
        if self._read_settings is None:
            new = NewSettings(self._settings.limits, self._settings.retention_ns, self._lots)
        else:
            try:
                new = self._read_settings()
            except AuctionctlError as error:
                self._reloaded(SettingsKept(str(error), error.hint))
                return
        if new.needs_restart:
            self._on_report(RestartNeeded(new.needs_restart))
        self._reloading = Reloading.UNDER_WAY
        self._new = new
        assert self._house is not None
        self._house.tell(Reload(new.limits, list(new.lots), new.retention_ns))

    def _reloaded(self, outcome: Reloaded | SettingsKept) -> None:
        if isinstance(outcome, Reloaded) and self._new is not None:
            new, self._new = self._new, None
            self._settings = replace(self._settings, limits=new.limits, retention_ns=new.retention_ns)
            self._lots = new.lots
        self._on_report(outcome)
        self._vouching.notifier.ready()
        was, self._reloading = self._reloading, Reloading.NO
        if was is Reloading.AGAIN:
            self._reload()

    def _patience_s(self) -> float | None:
        times = [at_s for at_s, *_ in self._due]
        now_s = time.monotonic()
        others = (self._finish_at_s, self._drained_by_s, self._vouching.next_s, self._journal.next_s)
        times += [at_s for at_s in (*others, self._gatekeeper.next_s(now_s)) if at_s is not None]
        return max(0.0, min(times) - now_s) if times else None

    # Children

    def _spawn(self, name: str) -> Child:
        child = spawn(name)
        self._selector.register(child.control, selectors.EVENT_READ, child)
        return child

    def _start_verifier(self, slot: int) -> Child:
        child = self._verifiers[slot] = self._spawn(f"verifier {slot}")
        assert self._house is not None
        join(child, HousePipe(), self._house, VerifierPipe(slot))
        self._fleet.join_verifier(slot, child)
        return child

    def _start_gateway(self, name: str) -> Child:
        assert self._house is not None
        return self._fleet.start(name, self._limits, self._house, self._verifiers)

    def _bury(self, child: Child) -> None:
        """A control socket at its end means a process at its end."""
        how = describe_end(status := self._put_away(child))
        now_s = time.monotonic()
        if child in self._fleet:
            self._gatekeeper.died(how, now_s, child.name)
        if child is self._house:
            self._house = None
            if status == EXIT_STORE_BROKEN:
                raise StoreBrokenError("the store failed and its durability is unknown", hint="check the disk first")
            self._lose_house(self._awaited or how, now_s)
            return
        if child in self._fleet and self._drained_by_s is not None:
            return  # It has done what it was told to; or it has died, and then the house has nobody to answer to.
        wait_s = self._backoffs[child.name].died(now_s - child.started_s)
        if not status:
            # Nothing was wrong with it: most likely the house has died, and that shows a moment later.
            wait_s = max(wait_s, ORPHAN_WAIT_S)
        self._due.append((now_s + wait_s, child.name, how))

    def _put_away(self, child: Child) -> int:
        """Nothing more is heard of it; waits for its end, and returns its exit status."""
        self._selector.unregister(child.control)
        # A house that closes its store is let; of the others each may be a bidder's, and would stop everything here.
        return child.put_away(None if child is self._house else STRAY_PATIENCE_S)

    def _lose_house(self, how: str, now_s: float) -> None:
        """Nothing acknowledged is lost: the store has it. What was asked and not answered is asked again."""
        if not self._has_served or self._drained_by_s is not None:
            raise StoreError(f"the house's process died ({how})", hint="start serve again: it resumes")
        # A clock that is set back may come back, and time passes: that is waited for, however often it takes.
        cause, self._awaited = "what is awaited" if self._awaited else "house", ""
        # However long it took to replay its store: one that does not serve afterwards has died young.
        wait_s = self._backoffs[cause].died(0.0 if self._served_s is None else now_s - self._served_s)
        if (deaths := self._backoffs["house"].quick_deaths) >= MAX_QUICK_DEATHS:
            raise StoreError(
                f"the house's process died {deaths} times in a row, each time soon after its start ({how})",
                hint="nothing that was acknowledged is lost; see what it wrote to standard error before it died",
            )
        self._vouching.excuse(now_s)
        self._served_s = None
        for child in (*self._fleet.forget(), *self._verifiers.values()):
            if not child.is_buried:
                child.process.kill()
                self._put_away(child)
        self._verifiers = {}
        self._finish_at_s = None
        if self._reloading is not Reloading.NO:
            self._reloading, self._new = Reloading.AGAIN, None
        self._due = [(now_s + wait_s, "house", how)]

    def _restart_due(self) -> None:
        now_s = time.monotonic()
        due = [item for item in self._due if item[0] <= now_s]
        self._due = [item for item in self._due if item[0] > now_s]
        for _, name, how in due:
            self._on_report(Restarted(name, self._start_again(name).process.pid, how))

    def _start_again(self, name: str) -> Child:
        if name == "house":
            # The others get ready while it replays its store: this time there is no doubt that they are needed.
            house = self._start_house()
            self._start_others()
            return house
        if name.partition(" ")[0] == GATEWAY:
            return self._start_gateway(name)
        return self._start_verifier(int(name.partition(" ")[2]))

    def _replace_hung(self, alive: Alive) -> None:
        """What has stood still for long has to make room; where it is all of them, the gateway may be to blame."""
        hung = [self._verifiers[slot] for slot in alive.hung if slot in self._verifiers]
        if hung and not alive.is_reachable:
            hung += self._fleet.living
        for child in hung:
            if not child.is_buried and time.monotonic() - child.started_s > HUNG_NS / SECOND_NS:
                child.process.kill()
        for child in self._fleet.named(alive.stuck):
            child.process.kill()

    # Reports

    def _tell_bans(self, now_s: float) -> None:
        warning = self._gatekeeper.warning(now_s)
        if self._house is not None and warning != self._warned:
            self._warned = warning
            self._house.tell(Warn(BANNED, warning))
        self._fleet.tell_bans(now_s)

    def _hear(self, child: Child) -> None:
        if child in self._fleet:
            self._gatekeeper.hear(child.control, time.monotonic(), child.name)
            return
        if child is not self._house:
            # The others have nothing to report: one that does not end now is no longer ours, and is replaced.
            try:
                child.process.wait(END_PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.process.kill()
            raise PipeClosedError(f"{child.name} ended, or spoke out of turn")
        data, _ = receive_control(child.control)
        message = decode_from_child(data)
        if isinstance(message, Failed):
            error = as_error(message)
            if not may_pass(error) or not self._has_served or self._drained_by_s is not None:
                raise error
            self._awaited = str(error)  # It ends now, and is started again until its time has come.
        elif isinstance(message, Alive):
            self._vouching.heard(message, time.monotonic())
            self._replace_hung(message)
        elif isinstance(message, Opened):
            for log, reason in message.quarantined:
                self._on_report(Quarantined(log, reason))
            if self._drained_by_s is None and self._fleet.is_empty:
                self._start_others()
        elif isinstance(message, Listening):
            self._has_served, self._served_s = True, time.monotonic()
            self._backoffs.pop("what is awaited", None)
            self._report_processes()
            self._on_report(Serving(self._address, tuple(message.auctions)))
            self._vouching.begin(self._address.text, time.monotonic())
            if self._reloading is Reloading.AGAIN:
                self._reloading = Reloading.NO
                self._reload()
        elif isinstance(message, (Reloaded, SettingsKept)):
            self._reloaded(message)
        elif isinstance(message, AllowListTaken):
            self._allowed = message.text
            self._gatekeeper.allow(message.text)
        elif isinstance(message, LimitsTaken):
            self._limits = message.limits
            self._fleet.tell(SetLimits(message.limits))
        elif isinstance(message, Noticed):
            self._journal.note(message.events)
        elif isinstance(message, Reopened):
            self._finish_at_s = None
        else:
            if isinstance(message, AllClosed) and self._finish is Finish.WHEN_CLOSED and self._drained_by_s is None:
                self._finish_at_s = time.monotonic() + LINGER_S
            self._on_report(message)

    def _report_processes(self) -> None:
        assert self._house is not None
        verifiers = tuple(child.process.pid for child in self._verifiers.values())
        pids = self._fleet.pids
        self._on_report(Processes(self._house.process.pid, pids[0], verifiers, pids if len(pids) > 1 else ()))
