"""A house that shows another log than before is caught at the next visit, and both of its notes are kept."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.seen_logs import FollowedLogs, Forgetful, SeenLogs
from auctionctl.client import seen_logs
from auctionctl.client.paths import Paths, find_paths
from auctionctl.client.seen_logs import MAX_HEADS
from auctionctl.errors import ConfigurationError, VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.audit import audit, audit_registry
from auctionctl.replica.export import decode_export, encode_export
from auctionctl.replica.follower import Follower, RegistryAdvanced
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID, Admitted, encode_registry_event
from auctionctl.replica.replica import RegistryReplica, Replica
from auctionctl.tlog.checkpoint import CheckpointSigner, open_checkpoint, origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.messages import Entries

from .conftest import LOT as LOT_WITH_BIDS

HOUSE = SecretKey(b"h" * 32)
ORIGIN = origin_of(HOUSE.identity.text, REGISTRY)
SIZE = 9


def entries_of(size: int, fork_at: int = 1_000) -> list[bytes]:
    """A registry that lets ``size`` identities in; from ``fork_at`` on they are called otherwise."""
    found = []
    for index in range(size):
        identity = SecretKey(bytes([index + 1]) * 32).identity
        name = f"{'other' if index >= fork_at else 'member'}{index}"
        body = encode_registry_event(Admitted(identity.signing, identity.transport, name, "bidder"))
        found.append(encode(Entry(Kind.ADMITTED, 1_000 + index, body)))
    return found


def note_over(entries: list[bytes]) -> bytes:
    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    return CheckpointSigner(ORIGIN, HOUSE).sign(tree.size, tree.root())


def registry_of(entries: list[bytes]) -> RegistryReplica:
    registry = RegistryReplica(HOUSE.identity)
    registry.extend(Entries(REGISTRY_ID, 0, tuple(entries), note_over(entries)))
    return registry


class Visit:
    """One command that follows the registry, from its start on."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.seen = SeenLogs(paths, HOUSE.identity)
        self.follower = Follower(SecretKey(b"o" * 32), HOUSE.identity, "observer", self.seen.heads_of)
        self.logs = FollowedLogs(self.seen, paths, self.follower)

    def take(self, *pieces: Entries) -> None:
        """The house answers with these; the session ends."""
        registry = self.follower.registry
        with self.logs.kept():
            for piece in pieces:
                applied = tuple(registry.extend(piece))
                registry.check_answer(piece)
                self.logs.take(RegistryAdvanced(applied, registry.is_verified and not registry.is_behind))

    def show(self, entries: list[bytes]) -> None:
        self.take(Entries(REGISTRY_ID, 0, tuple(entries), note_over(entries)))


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths({"AUCTIONCTL_HOME": str(tmp_path)})


def memory_path(paths: Paths) -> Path:
    return paths.seen_logs(HOUSE.identity.text)


def visit(paths: Paths, entries: list[bytes]) -> None:
    """One command that sees these entries."""
    Visit(paths).show(entries)


def kept_sizes(paths: Paths) -> list[int]:
    return [head["size"] for head in json.loads(memory_path(paths).read_bytes())["logs"]["registry"]]


def evidence(paths: Paths) -> dict[str, bytes]:
    """The files of the one case there is."""
    (case,) = paths.evidence.iterdir()
    return {path.name: path.read_bytes() for path in case.iterdir()}


def test_the_same_registry_and_one_that_has_grown_pass_and_the_largest_head_is_kept(paths: Paths) -> None:
    for size in (1, 1, 2, 5, 5, SIZE):
        visit(paths, entries_of(size))
        assert kept_sizes(paths) == [size]
    assert memory_path(paths).stat().st_mode & 0o777 == 0o600
    assert memory_path(paths).parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in memory_path(paths).parent.iterdir()] == [f"{HOUSE.identity.text[:20]}.heads"]


@pytest.mark.parametrize("size", [SIZE, SIZE + 1])
@pytest.mark.parametrize("fork_at", range(SIZE))
def test_a_fork_anywhere_is_refused_and_the_evidence_holds(paths: Paths, fork_at: int, size: int) -> None:
    visit(paths, entries_of(SIZE))
    with pytest.raises(VerificationError, match="this house shows another registry than before: the house sig") as told:
        visit(paths, entries_of(size, fork_at))
    assert told.value.rule == "history"
    kept = evidence(paths)
    assert sorted(kept) == ["before.note", "log.auction", "now.note"]
    before, now = (open_checkpoint(kept[name], ORIGIN, HOUSE.identity.signing) for name in ("before.note", "now.note"))
    assert (before.size, now.size) == (SIZE, size)
    found = audit_registry(kept["log.auction"], HOUSE.identity)
    assert found.checkpoint.root == now.root
    assert found.tree.root(SIZE) != before.root, "that is the proof"
    assert kept_sizes(paths) == [SIZE], "what was seen before stays"


def test_a_registry_that_has_become_shorter_is_refused(paths: Paths) -> None:
    visit(paths, entries_of(SIZE))
    for size in (1, SIZE - 1):
        with pytest.raises(VerificationError, match=f"the house signed 9 entries, and now {size}") as told:
            visit(paths, entries_of(size))
        assert "the evidence is kept in " in told.value.hint
        assert str(memory_path(paths)) in told.value.hint
    assert kept_sizes(paths) == [SIZE]


def test_a_registry_of_which_a_part_has_come_is_not_judged_as_a_shorter_one(paths: Paths) -> None:
    visit(paths, entries_of(SIZE))
    entries = entries_of(SIZE + 1)
    note = note_over(entries)
    slices = [Entries(REGISTRY_ID, start, tuple(entries[start : start + 3]), note) for start in range(0, SIZE, 3)]
    command = Visit(paths)
    command.take(*slices)
    assert kept_sizes(paths) == [SIZE]
    command.take(Entries(REGISTRY_ID, SIZE, tuple(entries[SIZE:]), note))
    assert kept_sizes(paths) == [SIZE + 1]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-20],
        lambda data: data.replace(b'"size": 9', b'"size": 8'),
        lambda data: data.replace(b'"root": "', b'"root": "0'),
        lambda data: data.replace(b"auc1", b"auc2", 1),
        lambda data: data.replace(b"\\u2014".replace(b"\\u2014", "—".encode()), b"-"),
        lambda data: b"[" * 90_000,
        lambda data: b'{"house": 1}',
        lambda data: b"[]",
        lambda data: data.replace(b'"registry": [', b'"registry": [3, '),
        lambda data: bytes([255]) + data,
        lambda data: data + b" " * 2**26,
        lambda data: data.replace(b'"size"', b'"sizes"'),
        lambda data: data.replace(b'"root"', b'"roots"'),
        lambda data: data.replace(b'"note": "', b'"note": "\\ud800'),
    ],
)
def test_a_damaged_memory_is_an_error_with_its_remedy(paths: Paths, damage: Any) -> None:
    visit(paths, entries_of(SIZE))
    damaged = damage(memory_path(paths).read_bytes())
    memory_path(paths).write_bytes(damaged)
    with pytest.raises(ConfigurationError) as told:
        visit(paths, entries_of(SIZE))
    assert "remove it" in told.value.hint
    assert str(memory_path(paths)) in str(told.value)
    assert memory_path(paths).read_bytes() == damaged


def test_another_house_s_memory_is_not_taken_for_this_one_s(paths: Paths) -> None:
    visit(paths, entries_of(SIZE))
    other = SecretKey(b"o" * 32).identity
    shutil.copy(memory_path(paths), paths.seen_logs(other.text))
    with pytest.raises(ConfigurationError, match="damaged"):
        SeenLogs(paths, other)


def test_of_two_at_once_neither_head_is_lost_until_both_were_compared(paths: Paths) -> None:
    for sizes in ((3, 5), (7, 6), (8, 8)):
        commands = [Visit(paths) for _ in sizes]
        for command, size in zip(commands, sizes, strict=True):
            command.show(entries_of(size))
        assert kept_sizes(paths) == sorted(set(sizes)) if sizes[0] > sizes[1] else [max(sizes)]
    visit(paths, entries_of(SIZE))
    assert kept_sizes(paths) == [SIZE]


@pytest.mark.parametrize("sizes", [(4, 6), (6, 4), (5, 5)])
def test_a_house_that_shows_two_registries_to_two_at_once_is_caught(paths: Paths, sizes: tuple[int, int]) -> None:
    first, second = Visit(paths), Visit(paths)
    first.show(entries_of(sizes[0]))

    def second_and_next() -> None:
        second.show(entries_of(sizes[1], 2))
        visit(paths, entries_of(SIZE))

    # At once if the second has seen as much as the first, and else by whoever comes next.
    with pytest.raises(VerificationError, match="another registry"):
        second_and_next()


def test_processes_that_keep_at_once_leave_one_whole_file(paths: Paths, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from auctionctl.client.paths import find_paths\n"
        "from auctionctl.cli.seen_logs import SeenLogs\n"
        "from auctionctl.replica.audit import claimed_house\n"
        "from auctionctl.replica.export import decode_export\n"
        "from auctionctl.replica.replica import RegistryReplica\n"
        "from auctionctl.wire.messages import Entries\n"
        "data = Path(sys.argv[2]).read_bytes()\n"
        "house, export = claimed_house(data), decode_export(data)\n"
        "seen, registry = SeenLogs(find_paths({'AUCTIONCTL_HOME': sys.argv[1]}), house), RegistryReplica(house)\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
        "registry.extend(Entries(b'', 0, export.entries, export.checkpoint))\n"
        "seen.saw(registry)\n"
        "seen.save()\n"
    )
    with ExitStack() as ended:
        started = []
        for size in (3, 6, SIZE):
            file = tmp_path / f"{size}.auction"
            file.write_bytes(encode_export(entries_of(size), note_over(entries_of(size))))
            arguments = [sys.executable, "-P", "-c", code, str(tmp_path), str(file)]
            process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            started.append(ended.enter_context(process))
            ended.callback(process.kill)
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n", "nothing was kept yet when it looked"
        for process in started:
            assert process.stdin is not None
            process.stdin.close()
        assert [process.wait(60) for process in started] == [0, 0, 0]
    assert kept_sizes(paths)[-1] == SIZE
    visit(paths, entries_of(SIZE))
    assert kept_sizes(paths) == [SIZE]


def test_the_memory_stays_small(paths: Paths) -> None:
    count = MAX_HEADS + 4
    commands = [Visit(paths) for _ in range(count)]
    for size, command in reversed(list(enumerate(commands, 1))):
        command.show(entries_of(size))
    assert kept_sizes(paths) == list(range(count - MAX_HEADS + 1, count + 1))


@pytest.mark.parametrize("blocked", ["state", "state/houses"])
def test_where_nothing_can_be_kept_a_note_says_so_once(
    paths: Paths, blocked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / blocked).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / blocked).write_bytes(b"a file where a directory should be")
    seen = SeenLogs(paths, HOUSE.identity)
    for size in (1, 2):
        seen.saw(registry_of(entries_of(size)))
        seen.save()
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.count("warning: the next command cannot compare this house's logs") == 1
    assert len(written.err.splitlines()) == 1


def test_a_file_that_cannot_be_written_stops_nobody(
    paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = SeenLogs(paths, HOUSE.identity)
    # Even a person who may write everywhere cannot write a name that is too long.
    monkeypatch.setattr(seen, "_path", memory_path(paths).with_name("x" * 250))
    seen.saw(registry_of(entries_of(1)))
    seen.save()
    assert "cannot write" in capsys.readouterr().err


def test_forgetting_keeps_nothing_and_help_and_completion_neither(run: Any, home: Path) -> None:
    nothing = Forgetful()
    nothing.saw(registry_of(entries_of(1)))
    nothing.save_some()
    nothing.save()
    assert nothing.heads_of(REGISTRY_ID) == ()
    for line in (["--help"], ["ls", "--help"], ["bid", "--help"], ["completion", "bash"]):
        assert run(*line).status == 0
    assert not (home / "state/houses").exists()


# Auctions


def lot_of(house: Any, bids: int) -> bytes:
    """An auction of a house in memory, with so many bids."""
    auction = house.announce(LOT_WITH_BIDS)
    for bidder in (0, 1):
        house.join(bidder, auction)
    for number in range(bids):
        house.bid(number % 2, auction, 10_000 + 100 * number)
    return bytes(auction)


def replica_of(house: Any, auction: bytes, size: int | None = None) -> Replica:
    replica = Replica(house.key.identity, auction)
    export = decode_export(house.export(auction, size))
    replica.extend(Entries(auction, 0, export.entries, export.checkpoint))
    return replica


def test_the_heads_of_many_auctions_are_kept_and_only_that_of_one_is_looked_at(paths: Paths, memory_house: Any) -> None:
    house = memory_house.key.identity
    first, second = lot_of(memory_house, 1), memory_house.announce(replace(LOT_WITH_BIDS, listing="second"))
    seen = SeenLogs(paths, house)
    for auction in (first, second):
        seen.saw(replica_of(memory_house, auction))
    seen.save()
    text = paths.seen_logs(house.text).read_text()
    (head,) = SeenLogs(paths, house).heads_of(first)
    assert (head.size, head.note) == (5, memory_house.house.log(first).checkpoint)
    at = text.index("auction/" + second.hex())
    paths.seen_logs(house.text).write_text(text[:at] + text[at:].replace("\\n1\\n", "\\n2\\n", 1))
    again = SeenLogs(paths, house)
    assert again.heads_of(first) == [head]
    with pytest.raises(ConfigurationError, match="is damaged"):
        again.heads_of(second)


def test_another_log_of_an_auction_is_told_by_its_name_with_the_whole_log_as_evidence(
    paths: Paths, memory_house: Any
) -> None:
    house = memory_house.key.identity
    auction = lot_of(memory_house, 2)
    seen = SeenLogs(paths, house)
    seen.saw(replica_of(memory_house, auction))
    seen.save()
    seen = SeenLogs(paths, house)
    follower = Follower(SecretKey(b"o" * 32), house, "observer", seen.heads_of)
    shorter = decode_export(memory_house.export(auction, 5))
    piece = Entries(auction, 0, shorter.entries, shorter.checkpoint)
    follower.announcements[auction] = memory_house.house.registry.announcement(auction)

    def show() -> None:
        with FollowedLogs(seen, paths, follower).kept():
            follower.replica(auction).extend(piece)
            follower.replica(auction).check_answer(piece)

    told = (
        f"this house shows another log of the auction gold-watch .{auction.hex()[:12]}….* signed 6 entries, and now 5"
    )
    with pytest.raises(VerificationError, match=told):
        show()
    assert audit(evidence(paths)["log.auction"], house).checkpoint.size == 5


def test_of_too_many_auctions_those_that_have_not_changed_for_longest_are_forgotten(
    paths: Paths, memory_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_logs, "MAX_LOGS", 2)
    house = memory_house.key.identity
    auctions = [memory_house.announce(replace(LOT_WITH_BIDS, listing=f"lot-{number}")) for number in range(3)]
    seen = SeenLogs(paths, house)
    for auction in (*auctions, auctions[0]):
        seen.saw(replica_of(memory_house, auction))
        seen.save()
    again = SeenLogs(paths, house)
    assert [bool(again.heads_of(auction)) for auction in auctions] == [True, False, True]


def test_a_long_command_keeps_what_it_saw_now_and_then_and_at_its_end(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    seen = SeenLogs(paths, HOUSE.identity)
    for size in (1, 2):
        seen.saw(registry_of(entries_of(size)))
        seen.save_some()
    assert kept_sizes(paths) == [1]
    now_s[0] += 1.0
    seen.save_some()
    assert kept_sizes(paths) == [2]
