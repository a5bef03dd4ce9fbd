"""``serve`` from the outside: what it reports, what it refuses, and that nothing of it is left when it ends."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from house_process import HOUSE_KEY, HouseInProcesses, is_running, lot, until

from auctionctl.errors import (
    AccessFileError,
    ClockBackError,
    ConfigurationError,
    ShutOutError,
    StoreAwayError,
    StoreBrokenError,
    StoreError,
)
from auctionctl.house.limits import Limits
from auctionctl.net.child import EXIT_STORE_BROKEN
from auctionctl.net.child_words import Failed, encode
from auctionctl.net.children import Child
from auctionctl.net.control import send_control
from auctionctl.net.gateway_orders import SetBans
from auctionctl.net.house_settings import Finish, HouseSettings, NewSettings
from auctionctl.net.house_words import AllClosed, Announced, LotsWait, Reloaded
from auctionctl.net.listening import ListeningPort
from auctionctl.net.reports import Processes, Restarted, Serving
from auctionctl.net.supervisor import MAX_QUICK_DEATHS, Supervisor, serve
from auctionctl.store.sqlite import SqliteStore
from auctionctl.wire.listing import LotDescription


def settings_in(directory: Path, *, host: str = "127.0.0.1", port: int = 0) -> HouseSettings:
    return HouseSettings("h", host, port, 1, Limits(), directory / "state", directory / "allow")


def brief_lot(listing: str) -> LotDescription:
    """Cancelled after a second, for nobody joins."""
    return LotDescription(listing, "A vase", "credits", 1, start_timeout_ns=10**9)


def test_a_house_whose_auctions_have_ended_is_done_and_has_said_everything_once(tmp_path):
    reports = []
    serve(settings_in(tmp_path), HOUSE_KEY, [brief_lot("vase")], reports.append, Finish.WHEN_CLOSED)
    assert [type(report).__name__ for report in reports] == ["Processes", "Serving", "Turned", "AllClosed", "Draining"]
    processes, serving, turned, closed, _ = reports
    assert (turned.listing, turned.phase, turned.end_reason, turned.winner) == ("vase", "closed", "cancelled", "")
    assert isinstance(processes, Processes)
    assert isinstance(serving, Serving)
    assert [(type(item), item.listing, item.is_resumed) for item in serving.auctions] == [(Announced, "vase", False)]
    assert serving.address.identity == HOUSE_KEY.identity
    assert closed == AllClosed()
    assert not any(map(is_running, (processes.house, processes.gateway, *processes.verifiers)))


def test_gateway_and_verifier_are_replaced_while_the_house_goes_on(tmp_path):
    pids: dict[str, int] = {}
    restarted: list[Restarted] = []

    def hear(report):
        if isinstance(report, Processes):
            pids.update({"gateway": report.gateway, "verifier 0": report.verifiers[0]})
        elif isinstance(report, Serving):
            os.kill(pids["gateway"], signal.SIGKILL)
            os.kill(pids["verifier 0"], signal.SIGKILL)
        elif isinstance(report, Restarted):
            restarted.append(report)
            if [item.process for item in restarted].count("verifier 0") == 1 and report.process == "verifier 0":
                os.kill(report.pid, signal.SIGKILL)  # dies young again: its successor has to wait

    serve(settings_in(tmp_path), HOUSE_KEY, [brief_lot("vase")], hear, Finish.WHEN_CLOSED)
    assert sorted(item.process for item in restarted) == ["gateway", "verifier 0", "verifier 0"]
    assert len({item.pid for item in restarted} | set(pids.values())) == 5
    assert not any(is_running(item.pid) for item in restarted)


def test_a_gateway_that_stands_still_does_not_stop_its_supervisor_whatever_that_has_to_say(tmp_path, monkeypatch):
    supervisors: list[Supervisor] = []
    reloaded_with_bytes: list[int] = []
    timers: list[threading.Timer] = []

    class Known(Supervisor):
        def start(self) -> None:
            supervisors.append(self)
            super().start()

    def hear(report):
        if isinstance(report, (Serving, Reloaded)):
            (gateway,) = supervisors[0]._fleet.living
            if isinstance(report, Serving):
                os.kill(gateway.process.pid, signal.SIGSTOP)
                # Whoever waits for it shall not do so for ever.
                timers.append(threading.Timer(15, os.kill, (gateway.process.pid, signal.SIGCONT)))
                timers[0].start()
                gateway.tell(SetBans([bytes(32)] * 30_000, []))
                os.kill(os.getpid(), signal.SIGHUP)
            else:
                reloaded_with_bytes.append(gateway.postbox.backlog_bytes)
                os.kill(gateway.process.pid, signal.SIGCONT)
                timers[0].cancel()
        assert not isinstance(report, Restarted)

    monkeypatch.setattr("auctionctl.net.supervisor.Supervisor", Known)
    serve(settings_in(tmp_path), HOUSE_KEY, [brief_lot("vase")], hear, Finish.WHEN_CLOSED)
    assert len(reloaded_with_bytes) == 1
    assert reloaded_with_bytes[0] > 500_000, "it stood still meanwhile"


def test_an_exception_raised_while_serving_ends_every_process_and_comes_out(tmp_path):
    processes: list[Processes] = []

    def hear(report):
        if isinstance(report, Processes):
            processes.append(report)
        else:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve(settings_in(tmp_path), HOUSE_KEY, [], hear)
    assert not any(map(is_running, (processes[0].house, processes[0].gateway, *processes[0].verifiers)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_to_the_supervisor_leaves_no_process_behind(start_house, number):
    house = start_house(("ann",), [lot("vase")])
    house.await_report("Serving")
    assert len(house.all_pids) == 4
    assert all(map(is_running, house.all_pids))
    assert house.signal(number) == (-number if number == signal.SIGKILL else 0)
    house.await_all_gone()


def test_a_child_that_does_not_listen_is_killed_in_the_end(tmp_path):
    class Deaf(Supervisor):
        def _spawn(self, name: str) -> Child:
            process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            ours, theirs = socket.socketpair()
            theirs.close()
            return Child(name, process, ours, time.monotonic())

    with ListeningPort("127.0.0.1", 0, tmp_path) as port:
        supervisor = Deaf(settings_in(tmp_path), HOUSE_KEY, [], print, finish=Finish.NEVER, port=port)
        supervisor._house = supervisor._spawn("house")
        # No reason to wait in a test: patience is over at once.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("auctionctl.net.supervisor.STOP_PATIENCE_S", 0.0)
            supervisor.stop()
    assert supervisor._house.process.returncode == -signal.SIGKILL


def test_the_state_of_a_house_that_runs_is_not_to_be_had(start_house, tmp_path):
    first = start_house(lots=[lot("vase")])
    first.await_report("Serving")
    second = start_house()
    assert second.wait() == 1
    ended = second.await_report("Ended")
    assert ended["error"] == "StoreLockedError"
    assert ended["message"].endswith(f"in use by process {first.process.pid}"), "the one that heeds signals"
    first.hear()
    assert all(map(is_running, first.all_pids))


def test_a_port_in_use_is_refused_with_advice(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"cannot listen on 127\.0\.0\.1:{port}: ") as caught:
            serve(settings_in(tmp_path, port=port), HOUSE_KEY, [], print)
    assert "--port" in caught.value.hint
    assert not (tmp_path / "state").exists()


def test_a_host_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"cannot listen on no-such-host\.invalid"):
        serve(settings_in(tmp_path, host="no-such-host.invalid"), HOUSE_KEY, [], print)


def test_a_house_on_ipv6_is_reached_there(start_house, tmp_path):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("no IPv6 here")
    serving = []

    def hear(report):
        if isinstance(report, Serving):
            serving.append(report.address)

    serve(settings_in(tmp_path, host="[::1]"), HOUSE_KEY, [brief_lot("vase")], hear, Finish.WHEN_CLOSED)
    assert serving[0].endpoint == f"tcp://[::1]:{serving[0].port}"


def test_a_clock_far_behind_the_last_entry_is_refused(start_house, tmp_path):
    store = SqliteStore(tmp_path / "state")
    store.alive(time.time_ns() + 3_600 * 10**9)
    store.close()
    house = start_house()
    assert house.wait() == 1
    ended = house.await_report("Ended")
    assert ended["error"] == "ClockBackError"
    assert "s before the house's last entry" in ended["message"]
    assert ended["hint"] == "set the clock, then start again"


def test_more_lots_than_the_house_holds_at_once_wait_and_keep_nothing_from_being_resumed(start_house):
    house = start_house(lots=[lot("vase"), lot("lamp")], max_concurrent_auctions=1)
    assert list(house.auctions) == ["vase"]
    assert house.await_report("LotsWait")["listings"] == ["lamp"]
    house.signal(signal.SIGTERM)
    again = start_house(lots=[lot("lamp")], max_concurrent_auctions=1)
    assert again.auctions == house.auctions, "what was acknowledged comes first"
    assert again.await_report("LotsWait")["listings"] == ["lamp"]


def test_a_wrong_allow_list_is_refused_at_the_start(start_house, tmp_path):
    (tmp_path / "allow").write_text("# fine\nnonsense\n")
    house = start_house()
    assert house.wait() == 1
    ended = house.await_report("Ended")
    assert (ended["error"], ended["message"][:20]) == ("ConfigurationError", "allow list: line 2: ")


def test_a_log_that_does_not_verify_is_set_aside_and_the_others_run(start_house, tmp_path):
    house = start_house(lots=[lot("vase"), lot("lamp")])
    auctions = house.auctions
    house.signal(signal.SIGTERM)
    name = f"auction/{auctions['vase'].hex()}"
    with sqlite3.connect(tmp_path / "state" / "logs.sqlite3") as database:
        database.execute("UPDATE entries SET data = x'00' WHERE log = (SELECT id FROM logs WHERE name = ?)", (name,))
    database.close()
    again = start_house()
    assert again.auctions == {"lamp": auctions["lamp"]}
    assert again.await_report("Quarantined")["log"] == f"auction/{auctions['vase'].hex()}"


def test_a_house_whose_registry_does_not_verify_does_not_start(start_house, tmp_path):
    house = start_house(lots=[lot("vase")])
    assert list(house.auctions) == ["vase"]
    house.signal(signal.SIGTERM)
    with sqlite3.connect(tmp_path / "state" / "logs.sqlite3") as database:
        database.execute("UPDATE entries SET data = x'00' WHERE log = (SELECT id FROM logs WHERE name = 'registry')")
    database.close()
    again = start_house()
    assert again.wait() == 1
    ended = again.await_report("Ended")
    assert ended["error"] == "StoreError"
    assert ended["message"].startswith("the registry does not verify: entry 0")
    assert "copy" in ended["hint"]


class Dying(Supervisor):
    """Its children end at once, with ``status``."""

    status = 0

    def _spawn(self, name: str) -> Child:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-c", f"import os; os._exit({self.status})"]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        child = Child(name, process, ours, time.monotonic())
        self._selector.register(ours, 1, child)
        return child


def watch_dying(directory: Path, status: int, *, has_served: bool) -> None:
    """Run a supervisor whose children end at once."""
    with ListeningPort("127.0.0.1", 0, directory) as port:
        supervisor = Dying(settings_in(directory), HOUSE_KEY, [], print, finish=Finish.NEVER, port=port)
        supervisor.status = status
        supervisor._has_served = has_served
        try:
            supervisor.start()
            supervisor.watch()
        finally:
            supervisor.stop()


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (3, StoreError, "the house's process died \\(status 3\\)"),
        (EXIT_STORE_BROKEN, StoreBrokenError, "durability is unknown"),
    ],
)
def test_a_house_that_dies_before_it_has_opened_its_store_ends_serve_with_an_error(tmp_path, status, error, message):
    with pytest.raises(error, match=message):
        watch_dying(tmp_path, status, has_served=False)


def test_a_house_that_dies_young_again_and_again_is_given_up_in_the_end(tmp_path, capfd):
    with pytest.raises(
        StoreError, match=r"died 5 times in a row, each time soon after its start \(status 3\)"
    ) as caught:
        watch_dying(tmp_path, 3, has_served=True)
    assert caught.value.hint.startswith("nothing that was acknowledged is lost")
    assert capfd.readouterr().out.count("Restarted(process='house'") == MAX_QUICK_DEATHS - 1


def test_a_house_that_has_served_and_whose_store_failed_is_not_started_again(tmp_path, capfd):
    with pytest.raises(StoreBrokenError):
        watch_dying(tmp_path, EXIT_STORE_BROKEN, has_served=True)
    assert capfd.readouterr().out == ""


class Awaiting(Dying):
    """Its house ends for what only time can mend, again and again."""

    failed: Failed

    def _spawn(self, name: str) -> Child:
        child = super()._spawn(name)
        if name == "house":
            ours, theirs = socket.socketpair()
            self._selector.unregister(child.control)
            child.control.close()
            child.control = ours
            self._selector.register(ours, 1, child)
            with theirs:
                send_control(theirs, encode(self.failed))
        return child


@pytest.mark.parametrize("has_served", [True, False])
@pytest.mark.parametrize("error", [ClockBackError, StoreAwayError, ShutOutError, AccessFileError])
def test_a_clock_or_a_cluster_that_leaves_a_house_that_has_served_is_waited_for(
    tmp_path, monkeypatch, error, has_served
):
    monkeypatch.setattr(Awaiting, "failed", Failed(error.__name__, "it is away", "wait"), raising=False)
    monkeypatch.setattr("auctionctl.net.backoff.LONGEST_BACKOFF_S", 0.01)
    causes: list[str] = []

    def hear(report):
        if isinstance(report, Restarted) and report.process == "house":
            causes.append(report.cause)
            if len(causes) > MAX_QUICK_DEATHS:
                raise KeyboardInterrupt

    with ListeningPort("127.0.0.1", 0, tmp_path) as port:
        supervisor = Awaiting(settings_in(tmp_path), HOUSE_KEY, [], hear, finish=Finish.NEVER, port=port)
        supervisor._has_served = has_served
        supervisor.start()
        with pytest.raises(KeyboardInterrupt if has_served else error):
            supervisor.watch()
        supervisor.stop()
    assert set(causes) == ({"it is away"} if has_served else set())


def test_a_house_that_is_killed_and_meets_a_clock_set_back_serves_again_when_its_time_has_come(tmp_path):
    found: list[Processes] = []
    causes: list[str] = []

    def set_back(_: object) -> None:
        """To the house it is all the same whether the clock goes back, or its last sign of life ahead: so far that a
        house that takes seconds to start finds it so."""
        os.kill(found[-1].house, signal.SIGKILL)
        until(lambda: not is_running(found[-1].house), "its end")
        store = SqliteStore(tmp_path / "state")
        store.alive(time.time_ns() + 12 * 10**9)
        store.close()

    _, listen = listen_to(
        {("Processes", 1): found.append, ("Serving", 1): set_back, ("Serving", 2): signal_us(signal.SIGTERM)}
    )

    def hear(report: Any) -> None:
        if isinstance(report, Restarted) and report.process == "house":
            causes.append(report.cause)
        listen(report)

    assert serve(settings_in(tmp_path), HOUSE_KEY, [], hear).by == signal.SIGTERM
    assert causes[0] == "SIGKILL"
    assert causes[1:]
    assert all("s before the house's last entry" in cause for cause in causes[1:])


def test_a_house_that_is_killed_is_started_again_with_all_its_processes_and_the_signal_is_named(start_house):
    house = start_house(lots=[lot("vase")])
    house.await_report("Serving")
    before = set(house.all_pids)
    house.kill("house")
    restarted = house.await_report("Restarted")
    assert (restarted["process"], restarted["cause"]) == ("house", "SIGKILL")
    assert not before & set(house.pids.values())
    assert not any(map(is_running, before)), "the others end with their house"
    assert all(map(is_running, house.pids.values()))
    assert house.count("Restarted") == 1


def listen_to(script: dict[tuple[str, int], Callable[[Any], object]]) -> tuple[list[str], Callable[[Any], None]]:
    """A hearer that answers the n-th report of a kind as the script says, and the kinds that it has heard."""
    heard: list[str] = []

    def hear(report: Any) -> None:
        kind = type(report).__name__
        heard.append(kind)
        script.get((kind, heard.count(kind)), lambda _: None)(report)

    return heard, hear


def kill_house_of(found: list[Processes]) -> Callable[[Any], object]:
    return lambda _: os.kill(found[-1].house, signal.SIGKILL)


def signal_us(number: signal.Signals) -> Callable[[Any], object]:
    return lambda _: os.kill(os.getpid(), number)


def test_what_a_reload_has_brought_is_what_a_house_is_started_again_with(tmp_path):
    found: list[Processes] = []
    waiting: list[LotsWait] = []
    heard, hear = listen_to(
        {
            ("Processes", 1): found.append,
            ("Serving", 1): signal_us(signal.SIGHUP),
            ("LotsWait", 1): kill_house_of(found),
            ("LotsWait", 2): lambda report: (waiting.append(report), signal_us(signal.SIGTERM)(None)),
        }
    )
    vase, lamp = LotDescription("vase", "A vase", "credits", 1), LotDescription("lamp", "A lamp", "credits", 1)
    new = NewSettings(Limits(1), 0, [vase, lamp])
    ended = serve(settings_in(tmp_path), HOUSE_KEY, [vase], hear, read_settings=lambda: new)
    assert ended.by == signal.SIGTERM
    assert waiting == [LotsWait(["lamp"])], "neither the limit nor the lots of the first start"
    assert heard.count("Serving") == 2


def test_a_reload_that_comes_while_the_house_is_started_again_is_made_once_it_serves(tmp_path):
    found: list[Processes] = []
    heard, hear = listen_to(
        {
            ("Processes", 1): found.append,
            ("Serving", 1): kill_house_of(found),
            ("Restarted", 1): signal_us(signal.SIGHUP),
            ("Reloaded", 1): signal_us(signal.SIGTERM),
        }
    )
    vase = LotDescription("vase", "A vase", "credits", 1)
    assert serve(settings_in(tmp_path), HOUSE_KEY, [vase], hear).by == signal.SIGTERM
    assert heard[heard.index("Restarted") :] == ["Restarted", "Processes", "Serving", "Reloaded", "Draining"]


def test_a_house_that_is_being_started_again_can_be_ended(tmp_path):
    found: list[Processes] = []
    restarted: list[Restarted] = []
    script = {
        ("Processes", 1): found.append,
        ("Serving", 1): kill_house_of(found),
        ("Restarted", 1): lambda report: (restarted.append(report), signal_us(signal.SIGTERM)(None)),
    }
    heard, hear = listen_to(script)
    ended = serve(settings_in(tmp_path), HOUSE_KEY, [], hear)
    assert (ended.by, ended.is_cut_short) == (signal.SIGTERM, False)
    assert not is_running(restarted[0].pid)
    assert heard[-2:] == ["Restarted", "Draining"]


def test_a_house_that_was_about_to_end_and_died_is_started_again_and_ends(tmp_path):
    found: list[Processes] = []
    heard, hear = listen_to({("Processes", 1): found.append, ("AllClosed", 1): kill_house_of(found)})
    assert serve(settings_in(tmp_path), HOUSE_KEY, [brief_lot("vase")], hear, Finish.WHEN_CLOSED).by is None
    assert heard[heard.index("Restarted") :] == ["Restarted", "Processes", "Serving", "AllClosed", "Draining"]


def test_a_gateway_that_dies_again_and_again_is_started_ever_more_slowly(start_house):
    house: HouseInProcesses = start_house(lots=[lot("vase")])
    house.await_report("Serving")
    times_s = []
    for _ in range(4):
        started_s = time.monotonic()
        house.kill("gateway")
        times_s.append(time.monotonic() - started_s)
    # 0, 0.4, 0.8 and 1.6 s: lower bounds hold on any machine.
    assert times_s[1] >= 0.3
    assert times_s[2] >= 0.7
    assert times_s[3] >= 1.5
    until(lambda: is_running(house.pids["gateway"]), "the last gateway")
