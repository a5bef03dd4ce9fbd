"""Whether servers sync what they acknowledge is known of those that say so, and of no others.

What real servers say: ``tests/conformance/test_cluster_store.py``.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from auctionctl.store.cluster_monitor import Holders, Monitored, Unmonitored, ask_monitors, holders_of, sync_faults

ALL = frozenset({"n0", "n1", "n2"})


def monitored(name: str, syncs_always: bool = True) -> Monitored:
    return Monitored(name, "2.12.1", syncs_always, 0, 0)


def test_servers_that_all_sync_have_no_faults() -> None:
    assert (
        sync_faults(Holders(frozenset({"n0", "n1"})), [monitored("n0"), monitored("n1"), monitored("elsewhere", False)])
        == []
    )


def test_a_server_that_does_not_sync_is_named_with_what_to_set() -> None:
    (fault,) = sync_faults(Holders(frozenset({"n0", "n1"})), [monitored("n0"), monitored("n1", syncs_always=False)])
    assert fault.reason.startswith("server n1 does not sync")
    assert "sync_interval: always" in fault.remedy
    assert fault.is_loss


def test_a_server_of_which_nothing_is_known_is_not_taken_for_one_that_syncs() -> None:
    answers = [monitored("n0"), Unmonitored("b:8222", "connection refused")]
    (fault,) = sync_faults(Holders(ALL), answers)
    assert "n1, n2" in fault.reason
    assert "n0" not in fault.reason
    assert "b:8222: connection refused" in fault.reason
    assert "?monitor=" in fault.remedy
    assert fault.is_loss


def test_one_that_is_down_is_no_fault_while_more_than_half_are_known_to_sync() -> None:
    down = Unmonitored("c:8222", "connection refused")
    with_two = [monitored("n0"), monitored("n1"), down]
    assert sync_faults(Holders(ALL, frozenset({"n2"})), with_two) == []
    # One that is up and cannot be asked is another matter, and so are two that are down.
    assert len(sync_faults(Holders(ALL), with_two)) == 1
    assert len(sync_faults(Holders(ALL, frozenset({"n1", "n2"})), [monitored("n0"), down])) == 1
    one_does_not = [monitored("n0"), monitored("n1", syncs_always=False), down]
    assert len(sync_faults(Holders(ALL, frozenset({"n2"})), one_does_not)) == 2


def test_a_server_is_down_if_the_others_say_so_and_not_in_a_stream_that_is_new() -> None:
    def replica(name: str, **state: object) -> dict[str, object]:
        return {"name": name, "current": True, "active": 1_000_000, **state}

    def info(*replicas: dict[str, object], **more: object) -> dict[str, object]:
        return {"cluster": {"leader": "n0", "replicas": list(replicas)}, **more}

    assert holders_of(info(replica("n1"), replica("n2"))) == Holders(ALL)
    for state in ({"offline": True}, {"current": False}, {"active": 3_000_000_000}):
        assert holders_of(info(replica("n1"), replica("n2", **state))) == Holders(ALL, frozenset({"n2"}))
        assert holders_of(info(replica("n1"), replica("n2", **state), did_create=True)) == Holders(ALL)
    assert holders_of({}) == Holders(frozenset())


@pytest.fixture
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A server that answers the first one who asks with the bytes of the parameter."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with closing(connection):
                connection.recv(4096)
                connection.sendall(request.param)

    thread = threading.Thread(target=answer)
    thread.start()
    yield listening.getsockname()
    with suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize(
    ("answering", "reason"),
    [
        (http(b"<html>"), "no monitoring port"),
        (http(b"{}"), "no monitoring port"),
        (http(b'{"server_name": "n", "version": "2", "now": "noon"}'), "no monitoring port"),
        (b"INFO {}\r\n", "info"),
        (b"", "closed"),
    ],
    indirect=["answering"],
)
def test_what_is_no_monitoring_port_says_nothing(answering: tuple[str, int], reason: str) -> None:
    (answer,) = ask_monitors([answering])
    assert isinstance(answer, Unmonitored)
    assert reason in answer.reason


@pytest.mark.parametrize(
    ("answering", "syncs"),
    [
        (http(b'{"server_name": "n", "version": "2.12.1", "now": "2026-11-27T08:32:02.188151015Z"}'), False),
        (
            http(
                b'{"server_name": "n", "version": "2.12.1", "now": "2026-11-27T08:32:02Z",'
                b' "jetstream": {"config": {"sync_interval": 1, "sync_always": true}}}'
            ),
            True,
        ),
    ],
    indirect=["answering"],
)
def test_a_server_syncs_only_if_it_says_so(answering: tuple[str, int], syncs: bool) -> None:
    (answer,) = ask_monitors([answering])
    assert isinstance(answer, Monitored)
    assert (answer.name, answer.version, answer.syncs_always) == ("n", "2.12.1", syncs)


def test_nobody_asked_says_nothing() -> None:
    assert ask_monitors([]) == []
