"""Over TLS a house speaks with servers that can show who they are, and says nothing to any other, nor where none is."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from nats_cluster import require_cluster
from secured_server import SecuredServer

from auctionctl.errors import AccessFileError, ConfigurationError, StoreAwayError
from auctionctl.store.cluster_access import ClusterAccess
from auctionctl.store.cluster_address import Durability, parse_cluster_address
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.jetstream import JetStream
from auctionctl.store.log_store import Append

MADE = Path(__file__).parent / "certificates"
PASSWORD = "pa55-w0rd-of-the-house"
PATIENCE_S = 20.0
SETTINGS = """
authorization {{ user: house, password: "{password}" }}
tls {{ cert_file: "{directory}/{name}.pem", key_file: "{directory}/{name}.key" {more} }}
"""
CALLED = {
    "sound": ("server", ""),
    "expired": ("expired", ""),
    "asking": ("server", ', ca_file: "{directory}/known.pem", verify: true'),
}
"""Servers, by what is said of them: whose certificate each has, and what else of TLS."""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy whose keys are nobody else's to read."""
    directory = tmp_path_factory.mktemp("certificates")
    directory.chmod(0o700)
    for path in MADE.iterdir():
        shutil.copy(path, directory)
        (directory / path.name).chmod(0o600)
    return directory


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[dict[str, SecuredServer]]:
    require_cluster()
    directory = tmp_path_factory.mktemp("servers")
    with ExitStack() as stack:
        running = {}
        for called, (name, more) in CALLED.items():
            text = SETTINGS.format(
                password=PASSWORD, directory=certificates, name=name, more=more.format(directory=certificates)
            )
            running[called] = SecuredServer(directory / called, text)
            stack.callback(running[called].stop)
        running["plain"] = SecuredServer(
            directory / "plain", SETTINGS[: SETTINGS.index("tls")].format(password=PASSWORD)
        )
        stack.callback(running["plain"].stop)
        yield running


class Known:
    """Files of ours, by their names among the certificates."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.login = directory / "login"
        self.login.write_text(f'user = "house"\npassword = "{PASSWORD}"\n')
        self.login.chmod(0o600)

    def access(self, ca: str | None = "known", shown: str | None = None) -> ClusterAccess:
        of = self._directory
        cert, key = (None, None) if shown is None else (str(of / f"{shown}.pem"), str(of / f"{shown}.key"))
        return ClusterAccess(str(self.login), None if ca is None else str(of / f"{ca}.pem"), cert, key)


@pytest.fixture
def known(certificates: Path) -> Known:
    return Known(certificates)


@pytest.fixture(autouse=True)
def nothing_else_is_said(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No traceback of the library's, nor of the loop's: those are logged, and end on stderr."""
    yield
    assert caplog.get_records("call") == []


def connect(url: str, access: ClusterAccess, patience_s: float = PATIENCE_S) -> JetStream:
    return JetStream(parse_cluster_address(url, access), patience_s)


def test_a_house_keeps_its_logs_over_tls(servers: dict[str, SecuredServer], known: Known) -> None:
    address = parse_cluster_address(servers["sound"].url("tls"), known.access())
    store = ClusterStore(address, "7e" * 32, durability=Durability.LOSSY)
    store.append([Append("registry", 0, (b"r",))], 1)
    assert list(store.read("registry")) == [b"r"]
    store.close()


def test_a_house_goes_on_over_tls_when_a_server_comes_back(servers: dict[str, SecuredServer], known: Known) -> None:
    address = parse_cluster_address(servers["asking"].url("tls"), known.access(shown="client"))
    store = ClusterStore(address, "8e" * 32, durability=Durability.LOSSY)
    store.append([Append("registry", 0, (b"r",))], 1)
    servers["asking"].stop()
    servers["asking"].start()
    store.append([Append("registry", 1, (b"s",))], 2)
    assert list(store.read("registry")) == [b"r", b"s"]
    store.close()


def test_a_server_that_asks_for_a_certificate_is_shown_one(servers: dict[str, SecuredServer], known: Known) -> None:
    link = connect(servers["asking"].url("tls"), known.access(shown="client"))
    assert link.round_trip_ns() > 0
    link.close()


@pytest.mark.parametrize(
    ("url", "ours", "said"),
    [
        (("sound", "tls", "127.0.0.1"), ("unknown", None), ("authority that we do not know", "--store-ca")),
        (("sound", "tls", "127.0.0.1"), (None, None), ("authority that we do not know", "--store-ca")),
        (("sound", "tls", "localhost"), ("known", None), ("certificate for another name", "name in the address")),
        (("expired", "tls", "127.0.0.1"), ("known", None), ("has expired", "renew it")),
        (("plain", "tls", "127.0.0.1"), ("known", None), ("offers no tls", "cert_file")),
        (("asking", "tls", "127.0.0.1"), ("known", None), ("asks for a certificate of ours", "--store-cert")),
        (("asking", "tls", "127.0.0.1"), ("known", "stranger"), ("does not take our certificate", "--store-cert")),
        (("sound", "nats", "127.0.0.1"), (None, None), ("wants TLS", "tls://")),
    ],
)
def test_what_does_not_hold_is_said_at_once_with_what_mends_it(
    servers: dict[str, SecuredServer],
    known: Known,
    url: tuple[str, str, str],
    ours: tuple[str | None, str | None],
    said: tuple[str, str],
) -> None:
    (called, scheme, host), (reason, hint) = url, said
    with pytest.raises(ConfigurationError, match=reason) as caught:
        connect(servers[called].url(scheme, host=host), known.access(*ours))
    assert hint in caught.value.hint
    assert PASSWORD not in f"{caught.value} {caught.value.hint}"


def test_whoever_has_a_server_look_as_if_it_had_no_tls_hears_nothing_of_us(known: Known) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def deceive() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b'INFO {"server_id":"x","version":"2.12.1","auth_required":true}\r\n')
                while data := connection.recv(4096):
                    heard.append(data)

        thread = threading.Thread(target=deceive)
        thread.start()
        with pytest.raises(ConfigurationError, match="somebody on the way"):
            connect(f"tls://127.0.0.1:{port}", known.access(), 5.0)
        thread.join()
    assert heard == []


def test_no_server_is_believed_about_where_others_are(servers: dict[str, SecuredServer], known: Known) -> None:
    link = connect(servers["sound"].url("tls"), known.access())

    async def tell() -> None:
        await link.client._process_info({"connect_urls": ["elsewhere.example:4222"]})

    link.spawn(tell()).result()
    assert [each.uri.hostname for each in link.client._server_pool] == ["127.0.0.1"]
    link.close()


def test_a_server_that_is_away_is_away_and_no_matter_of_tls(known: Known) -> None:
    require_cluster()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(StoreAwayError, match="no server answers"):
        connect(f"tls://127.0.0.1:{port}", known.access(), 0.3)


def test_files_of_tls_that_are_none_are_refused_before_anybody_is_asked(certificates: Path, known: Known) -> None:
    garbage = certificates / "garbage.pem"
    garbage.write_text("no certificate")
    garbage.chmod(0o600)
    (certificates / "garbage.key").write_text("s3cret-word")
    (certificates / "garbage.key").chmod(0o600)
    for access, reason in (
        (known.access("garbage"), "has no certificate"),
        (known.access("none"), "there is no file"),
        (known.access(shown="none"), "there is no file"),
        (ClusterAccess(str(certificates / "none"), known.access().ca), "there is no file"),
        (known.access(shown="garbage"), "no certificate and its key"),
        (ClusterAccess(None, None, str(certificates / "client.pem"), str(garbage)), "no certificate and its key"),
        (
            ClusterAccess(None, None, str(certificates / "client.pem"), str(certificates / "server.key")),
            "no certificate and its key",
        ),
    ):
        with pytest.raises(AccessFileError, match=reason) as caught:
            connect("tls://127.0.0.1:1", access)
        assert caught.value.hint
        assert "s3cret" not in str(caught.value)


def test_a_private_key_that_others_may_read_is_refused(certificates: Path, known: Known) -> None:
    key = certificates / "client.key"
    key.chmod(0o640)
    with pytest.raises(AccessFileError, match="others have access") as caught:
        connect("tls://127.0.0.1:1", known.access(shown="client"))
    key.chmod(0o600)
    assert "chmod 600" in caught.value.hint
