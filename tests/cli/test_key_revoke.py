"""A key that was revoked at a running house is cut off within a second, and is let in no more."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

ONE_LOT = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "Waiting lot"
starting_price = "10JPY"
min_bidders = 3
start_timeout = "1h"
"""
CUT_OFF_S = 1.0


@pytest.fixture
def house(start_house: Any) -> Any:
    process = start_house(ONE_LOT)
    while b"serving at" not in (line := process.stdout.readline()):
        assert line, process.stderr.read()
    start_house.process = process
    return start_house


def test_a_holder_revokes_its_key_and_is_let_in_no_more(house: Any) -> None:
    assert house.run("ls", "--key", "alice").status == 0
    refused = house.run("key", "revoke", "alice")
    assert refused.status == 2
    assert "--yes" in refused.err
    assert house.run("ls", "--key", "alice").status == 0  # nothing was revoked
    done = house.run("key", "revoke", "alice", "--yes", "--json")
    assert done.status == 0, done.err
    record = json.loads(done.out)
    assert record["public_key"] == record["by"]
    started_s = time.monotonic()
    turned_away = house.run("ls", "--key", "alice")
    assert turned_away.status == 4, turned_away.err
    assert time.monotonic() - started_s < 10
    # The list still names alice: the house says so, and whoever reads the registry sees that she is gone.
    status = json.loads(house.run("status", "--key", "bob", "--json").out)
    assert [warning["code"] for warning in status["warnings"]] == ["revoked_listed"]
    assert "alice" in status["warnings"][0]["words"]
    assert b"the allow list names keys that were revoked, and are not let in: alice\n" in iter(
        house.process.stdout.readline, b""
    )
    members = json.loads(house.run("bidders", "--all", "--key", "bob", "--json").out)["bidders"]
    assert [member["name"] for member in members if member["role"]] == ["bob"]
    assert house.run("export", "--registry", "-o", house.home / "registry", "--key", "bob").status == 0
    assert house.run("verify", house.home / "registry", "--key", "bob").status == 0


def test_an_operator_revokes_the_key_of_another_which_is_cut_off_within_a_second(house: Any) -> None:
    from auctionctl.client.paths import find_paths
    from auctionctl.errors import NotAuthorisedError
    from auctionctl.keys.keyfile import key_path, read_key
    from auctionctl.net.dealer import Dealer
    from auctionctl.replica.follower import Follower
    from auctionctl.wire.address import parse_address

    keys = find_paths({"AUCTIONCTL_HOME": str(house.home)}).keys
    alice = read_key(key_path(keys, "alice"))
    address = parse_address((house.home / "run/house.address").read_text().strip())
    follower = Follower(alice, address.identity, "observer")
    dealer = Dealer(follower, address, alice)
    try:
        dealer.run(lambda _: None, lambda: follower.is_welcome)
        not_mine = house.run("key", "revoke", alice.identity.text, "--key", "bob", "--yes")
        assert not_mine.status == 9
        assert "only its holder or an operator revokes a key" in not_mine.err
        done = house.run("key", "revoke", alice.identity.text, "--key", "house", "--yes")
        assert done.status == 0, done.err
        assert "entry 3 of the registry" in done.err
        started_s = time.monotonic()
        with pytest.raises(NotAuthorisedError):
            dealer.run(lambda _: None, lambda: time.monotonic() > started_s + 30)
        assert time.monotonic() - started_s < CUT_OFF_S
    finally:
        dealer.close()
    again = house.run("key", "revoke", "alice", "--key", "house", "--yes")
    assert again.status == 0, again.err  # what is done already is found in the registry
    own = house.run("key", "revoke", "house", "--yes")
    assert own.status == 9
    assert "in its address" in own.err
