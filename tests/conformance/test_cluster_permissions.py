"""The permissions of the manual are enough for all that a house does in its cluster, and none of them is too many.

Rule: everything is done as a user with all of them, and again as users who lack one each: then something fails, and the
server says that it was for want of that one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nats_cluster import require_cluster
from secured_server import SecuredServer

from auctionctl.cli.checks.cluster_checks import check_cluster
from auctionctl.cli.checks.findings import State
from auctionctl.cli.manual.cluster_access import HOUSE_USER
from auctionctl.errors import StoreAwayError
from auctionctl.store.cluster_access import ClusterAccess
from auctionctl.store.cluster_address import Durability, parse_cluster_address
from auctionctl.store.cluster_signs import Shared
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.jetstream import GETS_AT_ONCE
from auctionctl.store.log_store import ENTRY_BYTES_MAX, Append

PASSWORD = "pa55-w0rd-of-the-house"
PERMISSIONS = re.findall(r'"([^"]+\.[^"]+)"', HOUSE_USER)
ENOUGH_S = 5.0
SOON_S = 0.25
"""So long is waited for what is not allowed. What is, is answered within some milliseconds, but for a busy machine."""
WINDOW_BYTES = 4 << 20
"""More than a server sends before it asks whether that has come."""
AUCTION = "auction/" + "a" * 64
OTHER = "auction/" + "b" * 64


def house_of(number: int) -> str:
    """The key of the house whose user is the one with this number: each has streams of its own."""
    return f"{number:02x}" * 32


def settings() -> str:
    """The user of the manual, and after it, in order, one without the first permission, and so on; and these again."""
    users = []
    for number, left_out in enumerate(("", *PERMISSIONS, *PERMISSIONS)):
        named = HOUSE_USER.replace('nkey: "PUBLIC"', f'user: "u{number}", password: "{PASSWORD}"')
        named = named.replace(f'"{left_out}"', '"nothing.at.all"') if left_out else named
        users.append(named.replace("KEY", house_of(number)[:16]))
    return f"authorization {{ users: [{', '.join(users)}] }}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredServer]:
    require_cluster()
    running = SecuredServer(tmp_path_factory.mktemp("permitting") / "s", settings())
    yield running
    running.stop()


@pytest.fixture
def login_of(tmp_path: Path) -> Callable[[int], ClusterAccess]:
    def write(number: int) -> ClusterAccess:
        path = tmp_path / "login"
        path.write_text(f'user = "u{number}"\npassword = "{PASSWORD}"\n')
        path.chmod(0o600)
        return ClusterAccess(str(path))

    return write


class Everything:
    """What a house does in its cluster, as one user of it; each step raises where it is not allowed."""

    def __init__(self, server: SecuredServer, number: int, access: ClusterAccess, patience_s: float) -> None:
        self._url, self._access, self._patience_s = server.url(), access, patience_s
        self._house = house_of(number)
        self._stores: list[ClusterStore] = []

    def open(self, instance: str) -> ClusterStore:
        store = ClusterStore(
            parse_cluster_address(self._url, self._access),
            self._house,
            instance=instance,
            durability=Durability.LOSSY,
            patience_s=self._patience_s,
        )
        self._stores.append(store)
        return store

    def close(self) -> None:
        for store in self._stores:
            store.close()

    def do(self) -> None:
        """All of it: the first start of a house, another instance that hears and takes over, and ``doctor``."""
        one = self.open("one")
        assert one.refresh() == []
        one.append([Append("registry", 0, (b"r",)), Append(AUCTION, 0, (b"a",))], 1)
        one.append([Append(AUCTION, 1, ()), Append(AUCTION, 1, (b"b", b"c"))], 2)
        assert one.claim(AUCTION, "one") == 1
        assert one.sign(3, "h:1", 1, 4)
        assert one.share(b"# nobody\n", 5)
        assert one.share(b"limits", 6, Shared.LIMITS)
        assert one.servers.time_ns()
        two = self.open("two")
        assert two.last_alive_ns() == 3
        assert two.shared() is not None
        assert two.shared(Shared.LIMITS) is not None
        two.reach()
        self._hear(one, two)
        assert two.depose("one")
        assert two.give([AUCTION], "two", 7, {AUCTION: 3}) == {AUCTION: 2}
        two.append([Append(AUCTION, 3, (b"d",))], 8)
        two.alive(9)
        for number in range(GETS_AT_ONCE + 2):
            two.append([Append(OTHER, number, (b"%d" % number,))], 10)
        two.maintain()
        assert list(two.read(AUCTION, 1)) == [b"b", b"c", b"d"]
        assert len(list(two.read(OTHER))) == GETS_AT_ONCE + 2
        two.remove(OTHER, GETS_AT_ONCE + 2)
        findings = {each.subject: each for each in check_cluster(self._url, Durability.LOSSY, self._access)}
        assert findings["cluster"].state is State.OK
        assert f"stream auction-{self._house[:16]}" in findings

    def _hear(self, one: ClusterStore, two: ClusterStore) -> None:
        """What one writes comes to the other, however much it is."""
        two.refresh()
        entries = (bytes(ENTRY_BYTES_MAX),) * (WINDOW_BYTES // ENTRY_BYTES_MAX)
        one.append([Append("registry", 1, entries)], 6)
        deadline_s = time.monotonic() + 4 * self._patience_s
        while two.refresh() or two.size("registry") < one.size("registry"):
            if time.monotonic() > deadline_s:
                raise StoreAwayError(f"{one.size('registry') - two.size('registry')} messages do not come")
            time.sleep(0.01)


def violations(server: SecuredServer, number: int) -> list[str]:
    """The subjects that the server has not let this user write to, or read."""
    found = []
    for line in server.log.read_text().splitlines():
        if "Violation" in line and f'/user:u{number}"' in line:
            found.append(re.findall(r'(?:Subject|To) "([^"]+)"', line)[-1])
    return found


def test_whoever_has_them_all_can_do_everything_that_a_house_does(
    server: SecuredServer, login_of: Callable[[int], ClusterAccess]
) -> None:
    everything = Everything(server, 0, login_of(0), ENOUGH_S)
    everything.do()
    everything.close()
    assert violations(server, 0) == []


def fail(server: SecuredServer, number: int, access: ClusterAccess, patience_s: float) -> None:
    everything = Everything(server, number, access, patience_s)
    with pytest.raises((StoreAwayError, AssertionError)):
        everything.do()
    everything.close()


@pytest.mark.parametrize("left_out", PERMISSIONS)
def test_whoever_lacks_one_of_them_cannot(
    server: SecuredServer, login_of: Callable[[int], ClusterAccess], left_out: str
) -> None:
    number = PERMISSIONS.index(left_out) + 1
    fail(server, number, login_of(number), SOON_S)
    if not violations(server, number):
        # Something else was not answered in time.
        number += len(PERMISSIONS)
        fail(server, number, login_of(number), ENOUGH_S)
    wanted = re.escape(left_out.replace("KEY", house_of(number)[:16])).replace(r"\*", "[^.]+").replace(">", ".+")
    refused = violations(server, number)
    assert refused
    assert [subject for subject in refused if not re.fullmatch(wanted, subject)] == []
