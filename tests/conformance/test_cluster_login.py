"""A server lets in whoever logs in with a file, and no more than that user may; what is wrong with a login is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nats_cluster import free_ports, require_cluster
from secured_server import USER, SecuredServer, credentials, operated, seed_text

from auctionctl.cli.manual.cluster_access import PERMISSIONS_EXAMPLE
from auctionctl.errors import ConfigurationError, StoreAwayError
from auctionctl.keys.keyfile import write_key
from auctionctl.keys.nkey import UserKey
from auctionctl.keys.signing import SecretKey
from auctionctl.store.cluster_access import ClusterAccess
from auctionctl.store.cluster_address import Durability, parse_cluster_address
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.jetstream import JetStream

HOUSE = "5e" * 32
HOUSE_KEY = SecretKey(b"h" * 32)
OPERATOR, ACCOUNT, MEMBER, STRANGER, KEEPER = (bytes([number]) * 32 for number in range(1, 6))
PASSWORD = "pa55-w0rd-of-the-house"
PATIENCE_S = 20.0


def settings_of(house: str) -> str:
    """The users of the manual, for the house with this key, and one who may do everything."""
    of_manual = PERMISSIONS_EXAMPLE.replace("PUBLIC", UserKey(MEMBER).public).replace("KEY", house[:16])
    of_manual = of_manual.replace("OPERATOR", UserKey(KEEPER).public)
    return of_manual.replace("users: [{", f'users: [{{ user: "house", password: "{PASSWORD}" }}, {{')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredServer]:
    require_cluster()
    running = SecuredServer(tmp_path_factory.mktemp("secured") / "s", settings_of(HOUSE))
    yield running
    running.stop()


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "login"
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    return write


def connect(url: str, credentials: str | None = None) -> JetStream:
    return JetStream(parse_cluster_address(url, ClusterAccess(credentials)), PATIENCE_S)


def test_a_user_of_each_form_is_let_in(server: SecuredServer, file_of: Any) -> None:
    for text in (f'user = "house"\npassword = "{PASSWORD}"', seed_text(USER, MEMBER)):
        link = connect(server.url(), file_of(text))
        assert link.round_trip_ns() > 0
        link.close()
    link = connect(server.url(login=f"house:{PASSWORD}@"))
    link.close()


def test_the_credentials_of_an_account_are_taken_where_accounts_are_known(tmp_path: Path, file_of: Any) -> None:
    require_cluster()
    operator = SecuredServer(tmp_path / "o", operated(OPERATOR, ACCOUNT), jetstream=False)
    try:
        link = connect(operator.url(), file_of(credentials(ACCOUNT, MEMBER)))
        assert link.round_trip_ns() > 0
        link.close()
        with pytest.raises(ConfigurationError, match="does not let us in"):
            connect(operator.url(), file_of(credentials(STRANGER, MEMBER)))
    finally:
        operator.stop()


@pytest.mark.parametrize("text", [seed_text(USER, STRANGER), 'user = "house"\npassword = "s3cret"', 'token = "s3cret"'])
def test_whoever_is_not_known_is_told_so_at_once_and_what_to_see_to(
    server: SecuredServer, file_of: Any, text: str
) -> None:
    with pytest.raises(ConfigurationError, match="does not let us in") as caught:
        connect(server.url(), file_of(text))
    assert "know this login" in caught.value.hint
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


def test_whoever_says_nothing_is_told_how_to_log_in(server: SecuredServer) -> None:
    with pytest.raises(ConfigurationError, match="does not let us in") as caught:
        connect(server.url())
    assert "--store-credentials FILE" in caught.value.hint


@pytest.mark.parametrize("what", ["DELETE", "PURGE", "UPDATE"])
def test_the_user_of_the_manual_deletes_and_changes_nothing_and_is_told_why(
    server: SecuredServer, file_of: Any, what: str
) -> None:
    link = JetStream(parse_cluster_address(server.url(), ClusterAccess(file_of(seed_text(USER, MEMBER)))), 0.5)
    subject = f"STREAM.{what}.auction-{HOUSE[:16]}"
    with pytest.raises(StoreAwayError, match="permissions violation for publish to") as caught:
        link.request(subject, {})
    assert subject.lower() in str(caught.value)
    assert "auctionctl-cluster(7)" in caught.value.hint
    link.close()


def next_of(process: subprocess.Popen[bytes], event: str) -> dict[str, Any]:
    """The next record of this kind that a house writes; what comes before it is passed over."""
    assert process.stdout is not None
    said = b""
    for line in process.stdout:
        said += line
        if line.startswith(b"{") and (record := json.loads(line)).get("event") == event:
            return record
    process.communicate(timeout=60)
    raise AssertionError(said.decode())


def started(home: Path, key: SecretKey, settings: str, *options: str) -> subprocess.Popen[bytes]:
    """A house of its own on ``home``, with ``settings`` in house.toml, that is about to say that it serves."""
    environment = {"AUCTIONCTL_HOME": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    program = [sys.executable, "-m", "auctionctl"]
    write_key(home / "config/keys/house.key", key, created="2026-01-31T12:00:00Z")
    file = home / "config/house.toml"
    file.write_text(f'port = {free_ports(1)[0]}\nverifiers = 1\ndurability = "lossy"\n{settings}')
    file.chmod(0o600)
    return subprocess.Popen(
        [*program, "serve", "--json", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def check_not_shown(pid: int, secret: str) -> None:
    """No process of a house has ``secret`` where others see it."""
    if not Path("/proc/self/task").exists():
        return
    pids = family(pid)
    assert len(pids) >= 4, pids
    for each in pids:
        for name in ("cmdline", "environ"):
            assert secret.encode() not in Path(f"/proc/{each}/{name}").read_bytes(), (each, name)


def test_no_process_of_a_house_shows_its_login_to_others(server: SecuredServer, tmp_path: Path) -> None:
    settings = f'store = "{server.url(login=f"house:{PASSWORD}@")}"\n'
    process = started(tmp_path / "home", HOUSE_KEY, settings)
    next_of(process, "serving")
    try:
        check_not_shown(process.pid, PASSWORD)
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode in (0, 143), said
    assert PASSWORD.encode() not in said


def test_a_house_runs_as_the_user_of_the_manual(file_of: Any, tmp_path: Path) -> None:
    require_cluster()
    house = HOUSE_KEY.identity.signing.hex()
    server = SecuredServer(tmp_path / "s", settings_of(house))
    try:
        check_house_runs(server, house, file_of(seed_text(USER, MEMBER)), tmp_path)
    finally:
        server.stop()
    assert "Violation" not in server.log.read_text()


def check_waits_for(process: subprocess.Popen[bytes], house_pid: int, login: Path) -> None:
    """A house whose login is gone when its process is started again says so until it is there, and goes on then."""
    away = login.rename(login.with_name("away"))
    os.kill(house_pid, signal.SIGKILL)
    causes = []
    while len(causes) < 3:
        restarted = next_of(process, "restarted")
        causes += [restarted["cause"]] if restarted["process"] == "house" else []
    assert causes[0] == "SIGKILL"
    assert set(causes[1:]) == {f"there is no file of credentials {login}"}
    away.rename(login)
    next_of(process, "serving")


def check_house_runs(server: SecuredServer, house: str, login: str, tmp_path: Path) -> None:
    lots = tmp_path / "AUCTIONS.toml"
    lots.write_text('[[auction]]\nitem = "Gold watch"\nstarting_price = "100.00EUR"\n')
    # Paths in a file of settings begin there.
    settings = f'store = "{server.url()}"\ninstance = "one"\nstore_credentials = "../../{Path(login).name}"\n'
    process = started(tmp_path / "home", HOUSE_KEY, settings, str(lots))
    house_pid = next_of(process, "processes")["house"]
    next_of(process, "serving")
    check_not_shown(process.pid, seed_text(USER, MEMBER))
    check_waits_for(process, house_pid, Path(login))
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode in (0, 143), said
    address = parse_cluster_address(server.url(), ClusterAccess(login))
    store = ClusterStore(address, house, instance="x", durability=Durability.LOSSY)
    assert store.last_alive_ns()  # what the house has said while it ran
    store.close()
