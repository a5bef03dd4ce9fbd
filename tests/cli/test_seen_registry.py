"""A house that shows another registry than before is caught at the next visit, and both of its notes are kept."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.demo import free_port
from auctionctl.cli.paths import Paths, find_paths
from auctionctl.cli.seen_registry import MAX_HEADS, SeenRegistry, forget
from auctionctl.errors import ConfigurationError, VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.audit import audit_registry
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID, Admitted, encode_registry_event
from auctionctl.replica.replica import RegistryReplica
from auctionctl.tlog.checkpoint import CheckpointSigner, open_checkpoint, origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.messages import Entries

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


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths({"AUCTIONCTL_HOME": str(tmp_path)})


def memory_path(paths: Paths) -> Path:
    return paths.seen_registry(HOUSE.identity.text)


def visit(paths: Paths, entries: list[bytes]) -> None:
    """One command that sees these entries."""
    SeenRegistry(paths, HOUSE.identity).check(registry_of(entries), entries)


def kept_sizes(paths: Paths) -> list[int]:
    return [head["size"] for head in json.loads(memory_path(paths).read_bytes())["heads"]]


def evidence(paths: Paths) -> dict[str, bytes]:
    """What lies beside the memory, by the end of its name."""
    found = memory_path(paths).parent.glob(f"{memory_path(paths).name}-*")
    return {path.name.rpartition("Z-")[2]: path.read_bytes() for path in found}


def test_the_same_registry_and_one_that_has_grown_pass_and_the_largest_head_is_kept(paths: Paths) -> None:
    for size in (1, 1, 2, 5, 5, SIZE):
        visit(paths, entries_of(size))
        assert kept_sizes(paths) == [size]
    assert memory_path(paths).stat().st_mode & 0o777 == 0o600
    assert memory_path(paths).parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in memory_path(paths).parent.iterdir()] == [f"{HOUSE.identity.text[:20]}.registry"]


@pytest.mark.parametrize("size", [SIZE, SIZE + 1])
@pytest.mark.parametrize("fork_at", range(SIZE))
def test_a_fork_anywhere_is_refused_and_the_evidence_holds(paths: Paths, fork_at: int, size: int) -> None:
    visit(paths, entries_of(SIZE))
    with pytest.raises(
        VerificationError, match=r"another registry than before: its first 9 entries are others"
    ) as told:
        visit(paths, entries_of(size, fork_at))
    assert told.value.rule == "registry"
    kept = evidence(paths)
    assert sorted(kept) == ["before.note", "now.auction", "now.note"]
    before, now = (open_checkpoint(kept[name], ORIGIN, HOUSE.identity.signing) for name in ("before.note", "now.note"))
    assert (before.size, now.size) == (SIZE, size)
    found = audit_registry(kept["now.auction"], HOUSE.identity)
    assert found.checkpoint.root == now.root
    assert found.tree.root(SIZE) != before.root, "that is the proof"
    assert kept_sizes(paths) == [SIZE], "what was seen before stays"


def test_a_registry_that_has_become_shorter_is_refused(paths: Paths) -> None:
    visit(paths, entries_of(SIZE))
    for size in (1, SIZE - 1):
        with pytest.raises(VerificationError, match=f"it has {size} entries, and the house had signed for 9") as told:
            visit(paths, entries_of(size))
        assert "*; " not in str(told.value)
        assert str(memory_path(paths)) in told.value.hint
    assert kept_sizes(paths) == [SIZE]


def test_evidence_is_never_overwritten_and_the_same_is_kept_once(paths: Paths) -> None:
    visit(paths, entries_of(SIZE))
    counts = []
    for fork_at in (1, 1, 2, 2, 1):
        with pytest.raises(VerificationError, match="the evidence is kept"):
            visit(paths, entries_of(SIZE, fork_at))
        counts.append(len(list(memory_path(paths).parent.glob("*Z-*"))))
    assert counts == [3, 3, 6, 6, 6]


def test_a_registry_of_which_a_part_has_come_is_not_judged_as_a_shorter_one(paths: Paths) -> None:
    visit(paths, entries_of(SIZE))
    entries = entries_of(SIZE + 1)
    seen, registry = SeenRegistry(paths, HOUSE.identity), RegistryReplica(HOUSE.identity)
    seen.check(registry, [])
    for end in (1, 4):
        # In pieces, each under the head of its end, while more has been signed for.
        registry.expect(SIZE + 1)
        registry.extend(
            Entries(REGISTRY_ID, registry.size, tuple(entries[registry.size : end]), note_over(entries[:end]))
        )
        seen.check(registry, entries[:end])
    registry.extend(Entries(REGISTRY_ID, 4, tuple(entries[4:]), note_over(entries)))
    seen.check(registry, entries)
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
        lambda data: data.replace(b'"heads": [', b'"heads": [3, '),
        lambda data: bytes([255]) + data,
        lambda data: data + b" " * 200_000,
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
    shutil.copy(memory_path(paths), paths.seen_registry(other.text))
    with pytest.raises(ConfigurationError, match="damaged"):
        SeenRegistry(paths, other)


def test_of_two_at_once_neither_head_is_lost_until_both_were_compared(paths: Paths) -> None:
    for sizes in ((3, 5), (7, 6), (8, 8)):
        commands = [SeenRegistry(paths, HOUSE.identity) for _ in sizes]
        for command, size in zip(commands, sizes, strict=True):
            command.check(registry_of(entries_of(size)), entries_of(size))
        assert kept_sizes(paths) == sorted(set(sizes)) if sizes[0] > sizes[1] else [max(sizes)]
    visit(paths, entries_of(SIZE))
    assert kept_sizes(paths) == [SIZE]


@pytest.mark.parametrize("sizes", [(4, 6), (6, 4), (5, 5)])
def test_a_house_that_shows_two_registries_to_two_at_once_is_caught(paths: Paths, sizes: tuple[int, int]) -> None:
    first, second = (SeenRegistry(paths, HOUSE.identity) for _ in sizes)
    first.check(registry_of(entries_of(sizes[0])), entries_of(sizes[0]))

    def second_and_next() -> None:
        second.check(registry_of(entries_of(sizes[1], 2)), entries_of(sizes[1], 2))
        visit(paths, entries_of(SIZE))

    # At once if the second has seen as much as the first, and else by whoever comes next.
    with pytest.raises(VerificationError, match="another registry"):
        second_and_next()


def test_processes_that_keep_at_once_leave_one_whole_file(paths: Paths, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from auctionctl.cli.paths import find_paths\n"
        "from auctionctl.cli.seen_registry import SeenRegistry\n"
        "from auctionctl.replica.audit import claimed_house\n"
        "from auctionctl.replica.export import decode_export\n"
        "from auctionctl.replica.replica import RegistryReplica\n"
        "from auctionctl.wire.messages import Entries\n"
        "data = Path(sys.argv[2]).read_bytes()\n"
        "house, export = claimed_house(data), decode_export(data)\n"
        "seen, registry = SeenRegistry(find_paths({'AUCTIONCTL_HOME': sys.argv[1]}), house), RegistryReplica(house)\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
        "registry.extend(Entries(b'', 0, export.entries, export.checkpoint))\n"
        "seen.check(registry, export.entries)\n"
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
    commands = [SeenRegistry(paths, HOUSE.identity) for _ in range(count)]
    for size, command in reversed(list(enumerate(commands, 1))):
        command.check(registry_of(entries_of(size)), entries_of(size))
    assert kept_sizes(paths) == list(range(count - MAX_HEADS + 1, count + 1))


@pytest.mark.parametrize("blocked", ["state", "state/houses"])
def test_where_nothing_can_be_kept_a_note_says_so_once(
    paths: Paths, blocked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / blocked).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / blocked).write_bytes(b"a file where a directory should be")
    seen = SeenRegistry(paths, HOUSE.identity)
    for size in (1, 2):
        seen.check(registry_of(entries_of(size)), entries_of(size))
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.count("warning: the next command cannot compare this house's registry") == 1
    assert len(written.err.splitlines()) == 1


def test_a_file_that_cannot_be_written_stops_nobody(
    paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = SeenRegistry(paths, HOUSE.identity)
    # Even a person who may write everywhere cannot write a name that is too long.
    monkeypatch.setattr(seen, "_path", memory_path(paths).with_name("x" * 250))
    seen.check(registry_of(entries_of(1)), entries_of(1))
    assert "cannot write" in capsys.readouterr().err


def test_a_fork_is_told_even_where_its_evidence_cannot_be_kept(paths: Paths) -> None:
    visit(paths, entries_of(SIZE))
    seen = SeenRegistry(paths, HOUSE.identity)
    shutil.rmtree(paths.state / "houses")
    (paths.state / "houses").write_bytes(b"")
    with pytest.raises(VerificationError, match="the evidence could not be kept: "):
        seen.check(registry_of(entries_of(SIZE, 2)), entries_of(SIZE, 2))


def test_forgetting_keeps_nothing_and_help_and_completion_neither(run: Any, home: Path) -> None:
    forget(registry_of(entries_of(1)), entries_of(1))
    for line in (["--help"], ["ls", "--help"], ["bid", "--help"], ["completion", "bash"]):
        assert run(*line).status == 0
    assert not (home / "state/houses").exists()


LOT = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "A lot"
listing = "first"
starting_price = "10EUR"
start_timeout = "1h"
"""
SECOND = (
    LOT
    + """
[[auction]]
item = "Another lot"
listing = "second"
starting_price = "10EUR"
start_timeout = "1h"
"""
)


def serve(start_house: Any, toml: str) -> Any:
    (start_house.home / "AUCTIONS.toml").write_text(toml.format(port=free_port()))
    house = start_house.start(start_house.home / "AUCTIONS.toml", "--json")
    while b'"serving"' not in (line := house.stdout.readline()):
        assert line, house.stderr.read()
    return house


def stop(house: Any) -> None:
    house.terminate()
    house.wait(30)


@pytest.mark.parametrize("grows_again", ["shorter", "forked"])
def test_a_house_restored_from_an_older_copy_is_refused_by_every_command(start_house: Any, grows_again: str) -> None:
    home = start_house.home
    start_house.prepare(LOT)
    stop(serve(start_house, LOT))
    state, copy = home / "state/house-house", home / "copy"
    shutil.copytree(state, copy)
    house = serve(start_house, SECOND)
    assert start_house.run("ls", "--key", "alice").status == 0
    (memory,) = (home / "state/houses").iterdir()
    kept = memory.read_bytes()
    stop(house)
    shutil.rmtree(state)
    shutil.copytree(copy, state)
    forked = SECOND.replace("second", "third")
    house = serve(start_house, LOT if grows_again == "shorter" else forked)
    once = ("bid", "first", "--amount", "min", "--wait", "20s", "--key", "bob")
    strategy = ("bid", "first", "--strategy", "smart", "--budget", "50EUR", "--key", "bob")
    for line in (("ls", "--key", "alice"), ("export", "--registry", "-o", "-", "--key", "alice"), once, strategy):
        done = start_house.run(*line)
        assert done.status == 7, (line, done)
        assert "this house shows another registry than before" in done.err
    assert memory.read_bytes() == kept
    ends = sorted(path.name.rpartition("Z-")[2] for path in memory.parent.iterdir() if path != memory)
    assert ends == ["before.note", "now.auction", "now.note"]
    memory.unlink()
    assert start_house.run("ls", "--key", "alice").status == 0, "begun anew"
    stop(house)
