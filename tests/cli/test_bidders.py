"""Whom a house lets in, by the registry that it really keeps."""

from __future__ import annotations

import json
import time
from typing import Any

from auctionctl.cli.bidders import JSON_SCHEMA
from auctionctl.keys.keyfile import key_path, read_key

LOT = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "A lot"
starting_price = "10EUR"
start_timeout = "1h"
"""


def test_everybody_is_listed_with_role_and_what_they_have_joined(fair: Any) -> None:
    done = fair.run("bidders", "--key", "alice", "--json")
    assert done.status == 0, done.err
    document = json.loads(done.out)
    assert document["schema"] == "auctionctl.bidders/1"
    rows = {row["name"]: row for row in document["bidders"]}
    assert list(rows) == ["alice", "bob"]
    assert {"bidders", *rows["bob"]} == set(JSON_SCHEMA["auctionctl.bidders/1"])
    bob = read_key(key_path(fair.home / "config/keys", "bob")).identity
    assert (rows["bob"]["public_key"], rows["bob"]["bidder"]) == (bob.text, bob.signing.hex())
    assert (rows["bob"]["role"], rows["bob"]["joined"], rows["bob"]["standing"]) == ("bidder", 1, "member")
    lines = fair.run("bidders", "--key", "alice").out.splitlines()
    assert lines[0].split("\t") == ["name", "role", "identity", "since", "joined", "standing", "reputation", "evidence"]
    assert [line.split("\t")[0] for line in lines[1:]] == ["alice", "bob"]
    assert lines[2].split("\t")[2] == bob.short
    each = [json.loads(line) for line in fair.run("bidders", "--key", "alice", "-o", "jsonl").out.splitlines()]
    assert [line["name"] for line in each] == ["alice", "bob"]


def test_whoever_was_removed_is_shown_only_when_asked_for(start_house: Any) -> None:
    path = start_house.prepare(LOT)
    house = start_house.start(path, "--json")
    while b'"serving"' not in (line := house.stdout.readline()):
        assert line
    allow = start_house.home / "config/allow"
    allow.write_text("".join(line for line in allow.read_text().splitlines(keepends=True) if "bob" not in line))

    def listed(*options: str) -> Any:
        return start_house.run("bidders", "--key", "alice", *options)

    deadline_s = time.monotonic() + 20
    while "bob" in (done := listed()).out:
        assert time.monotonic() < deadline_s
    assert done.err == "1 removed; --all shows them too\n"
    rows = {row["name"]: row for row in json.loads(listed("--all", "--json").out)["bidders"]}
    assert (rows["bob"]["role"], rows["bob"]["standing"], rows["bob"]["joined"]) == (None, "removed", 0)
    assert rows["alice"]["standing"] == "member"


def test_a_house_that_lets_nobody_in_says_so_to_itself(start_house: Any) -> None:
    path = start_house.prepare(LOT)
    (start_house.home / "config/allow").write_text("")
    house = start_house.start(path, "--json")
    while b'"serving"' not in (line := house.stdout.readline()):
        assert line
    done = start_house.run("bidders", "--key", "house")
    assert (done.status, done.err) == (0, "this house lets nobody in but itself\n")
