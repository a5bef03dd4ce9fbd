"""The allow list in force at a start and after it, and what the supervisor hears of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import AllowListError, ConfigurationError, StoreBrokenError, StoreError, StoreFullError
from auctionctl.house.condition import Warnings
from auctionctl.house.house import House
from auctionctl.house.limits import Limits
from auctionctl.keys.allowlist import AllowList, Entry, render
from auctionctl.keys.signing import SecretKey
from auctionctl.net.admission_news import AllowListKept, AllowListReplaced, AllowListTaken, KeysListed
from auctionctl.net.allow_file import AllowFile
from auctionctl.net.allowing import AGAIN_NS, Allowing, keys_listed
from auctionctl.net.alone import Alone
from auctionctl.net.control import receive_control
from auctionctl.net.house_words import decode_from_child
from auctionctl.store.sqlite import SqliteStore

NOW_NS = 1_767_225_600 * SECOND_NS
ANN, BEN = (Entry(SecretKey(name * 32).identity, f"bidder-{name.decode()}") for name in (b"a", b"b"))
ANN_TEXT, BEN_TEXT = (f"{render(entry)}\n".encode() for entry in (ANN, BEN))


class Stage:
    """A list's file, and the supervisor's end of the control socket."""

    def __init__(self, path: Path, control: socket.socket, ours: socket.socket) -> None:
        self.path = path
        self.allowing = Allowing(control, AllowFile(path))
        self._ours = ours

    def heard(self) -> object:
        data, _ = receive_control(self._ours)
        return decode_from_child(data)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10.0)
        yield Stage(tmp_path / "allow", theirs, ours)


def test_the_first_start_under_a_wrong_list_is_refused(stage: Stage) -> None:
    stage.path.write_text("nonsense\n")
    with pytest.raises(AllowListError):
        stage.allowing.begin(None)


def test_a_wrong_list_at_a_later_start_leaves_the_one_before_in_force_until_it_is_mended(stage: Stage) -> None:
    stage.path.write_text("nonsense\n")
    assert list(stage.allowing.begin(ANN_TEXT)) == [ANN]
    kept = stage.heard()
    assert isinstance(kept, AllowListKept)
    assert kept.reason.startswith("line 1: ")
    assert stage.allowing.look() is None
    stage.path.write_bytes(BEN_TEXT)
    mended = stage.allowing.look()
    assert mended is not None
    assert list(mended) == [BEN]
    assert stage.heard() == AllowListTaken(BEN_TEXT), "the mistake is told once"


def test_the_file_comes_before_what_was_in_force_where_it_can_be_read(stage: Stage) -> None:
    stage.path.write_bytes(BEN_TEXT)
    assert list(stage.allowing.begin(ANN_TEXT)) == [BEN]
    assert stage.heard() == AllowListTaken(BEN_TEXT)


def test_a_list_that_breaks_later_is_no_list(stage: Stage) -> None:
    stage.path.write_bytes(ANN_TEXT)
    assert list(stage.allowing.begin(None)) == [ANN]
    assert stage.heard() == AllowListTaken(ANN_TEXT)
    stage.path.write_text("nonsense\n")
    assert stage.allowing.look() is None
    assert isinstance(stage.heard(), AllowListKept)


def test_what_is_told_of_keys_that_have_ended_is_what_the_house_warns_of() -> None:
    warnings = Warnings()
    assert keys_listed(warnings) == []
    for code in ("store_full", "revoked_listed", "rotated_listed"):
        warnings.say(code, f"about {code}")
    assert keys_listed(warnings) == [
        KeysListed("revoked_listed", "about revoked_listed"),
        KeysListed("rotated_listed", "about rotated_listed"),
    ]


class Shared:
    """What all instances share, as one of them sees it."""

    def __init__(self) -> None:
        self.text: bytes | None = None
        self.error: StoreError | None = None
        self.faster: bytes | None = None

    def shared_text(self) -> bytes | None:
        return self.text

    def share(self, text: bytes, now_ns: int) -> bool:
        if self.error is not None:
            raise self.error
        if self.faster is not None:
            self.text, self.faster = self.faster, None
            return False
        self.text = text
        return True


def test_in_a_house_of_one_instance_each_change_of_the_file_is_in_force(stage: Stage, tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "house.db")) as store:
        alone = Alone(store, House(SecretKey(b"h" * 32), Limits(), AllowList(), NOW_NS))
        stage.allowing.begin(None)
        assert stage.allowing.look(alone, NOW_NS) is None
        for entries in ([ANN], [ANN, BEN], [BEN], []):
            stage.path.write_text("".join(f"{render(entry)}\n" for entry in entries))
            allowed = stage.allowing.look(alone, NOW_NS)
            assert allowed is not None
            assert list(allowed) == entries
            assert stage.allowing.look(alone, NOW_NS) is None


def test_the_first_instance_shares_its_list_and_each_change_of_it(stage: Stage) -> None:
    shared = Shared()
    stage.path.write_bytes(ANN_TEXT)
    stage.allowing.begin(None, shared.text)
    assert stage.allowing.look(shared, 1) is None
    assert shared.text == ANN_TEXT
    stage.path.write_bytes(BEN_TEXT)
    assert stage.allowing.look(shared, 2) is not None
    assert shared.text == BEN_TEXT
    stage.path.write_text("nonsense\n")
    assert stage.allowing.look(shared, 3) is None
    assert shared.text == BEN_TEXT, "a mistake is nobody else's"


def test_what_another_instance_has_changed_is_in_force_here_and_in_the_file(stage: Stage) -> None:
    shared = Shared()
    stage.path.write_bytes(ANN_TEXT)
    stage.allowing.begin(None, ANN_TEXT)
    assert stage.heard() == AllowListTaken(ANN_TEXT)
    shared.text = BEN_TEXT
    taken = stage.allowing.look(shared, 1)
    assert taken is not None
    assert list(taken) == [BEN]
    assert stage.path.read_bytes() == BEN_TEXT
    assert stage.heard() == AllowListTaken(BEN_TEXT)
    assert stage.allowing.look(shared, 2) is None
    # And then it is changed here.
    stage.path.write_bytes(ANN_TEXT + BEN_TEXT)
    assert stage.allowing.look(shared, 3) is not None
    assert shared.text == ANN_TEXT + BEN_TEXT


def test_at_a_start_the_list_of_all_goes_before_the_file(stage: Stage) -> None:
    stage.path.write_bytes(ANN_TEXT)
    assert list(stage.allowing.begin(None, BEN_TEXT)) == [BEN]
    assert stage.path.read_bytes() == BEN_TEXT
    assert [stage.heard(), stage.heard()] == [AllowListReplaced(kept=kept(stage, ANN_TEXT)), AllowListTaken(BEN_TEXT)]


class EditedAtOnce(AllowFile):
    """A file that is edited as soon as the house has written it: in its place, or by another one."""

    edit = staticmethod(Path.write_bytes)

    def write(self, text: bytes, *known: bytes) -> Path | None:
        kept = super().write(text, *known)
        self.edit(self.path, ANN_TEXT)
        return kept


class ReplacedAtOnce(EditedAtOnce):
    @staticmethod
    def edit(path: Path, text: bytes) -> None:
        path.with_name("new").write_bytes(text)
        path.with_name("new").replace(path)


@pytest.mark.parametrize("kind", [EditedAtOnce, ReplacedAtOnce])
@pytest.mark.parametrize("turn", ["at the start", "at a later start", "later"])
def test_an_edit_at_the_moment_at_which_the_house_writes_the_file_is_a_change_for_all(
    tmp_path: Path, kind: type[EditedAtOnce], turn: str
) -> None:
    ours, theirs = socket.socketpair()
    shared = Shared()
    with ours, theirs:
        allowing = Allowing(theirs, kind(tmp_path / "allow"))
        if turn == "later":
            allowing.begin(None, shared.text)
            allowing.look(shared, 1)
        shared.text = BEN_TEXT
        if turn == "later":
            in_force = allowing.look(shared, 2)
        else:
            in_force = allowing.begin(None if turn == "at the start" else ANN_TEXT, BEN_TEXT)
        assert taken(in_force) == [BEN], "what is everybody's"
        assert taken(allowing.look(shared, 3)) == [ANN]
        assert shared.text == ANN_TEXT


def kept(stage: Stage, text: bytes) -> str:
    """The file beside the list that has ``text``."""
    (found,) = (each for each in stage.path.parent.glob("allow.replaced-*") if each.read_bytes() == text)
    return str(found)


def block(stage: Stage) -> Path:
    """Have the file not be writable, until what is returned is removed."""
    new = stage.path.with_name(f".{stage.path.name}.{os.getpid()}.new")
    new.mkdir()
    return new


def taken(allowed: AllowList | None) -> list[Entry]:
    assert allowed is not None
    return list(allowed)


def test_a_list_that_cannot_be_written_here_is_in_force_for_all_that_and_is_told_once(stage: Stage) -> None:
    shared = Shared()
    stage.path.write_bytes(ANN_TEXT)
    stage.allowing.begin(None)
    stage.heard()
    blocked = block(stage)
    shared.text = BEN_TEXT
    assert taken(stage.allowing.look(shared, 1)) == [BEN]
    assert stage.heard() == AllowListTaken(BEN_TEXT)
    told = stage.heard()
    assert isinstance(told, AllowListReplaced)
    assert "which another instance has changed" in told.unwritten
    for turn in range(5):
        assert stage.allowing.look(shared, 2 + turn * AGAIN_NS) is None
    assert shared.text == BEN_TEXT
    blocked.rmdir()
    assert taken(stage.allowing.look(shared, 2 + 5 * AGAIN_NS)) == [BEN]
    assert stage.path.read_bytes() == BEN_TEXT
    assert stage.heard() == AllowListTaken(BEN_TEXT), "the mistake is told once"
    assert stage.allowing.look(shared, 2 + 6 * AGAIN_NS) is None


def test_a_file_that_cannot_be_written_ends_no_house_that_has_served(stage: Stage) -> None:
    shared = Shared()
    shared.text = BEN_TEXT
    stage.path.write_bytes(ANN_TEXT)
    block(stage)
    with pytest.raises(ConfigurationError):
        stage.allowing.begin(None, BEN_TEXT)
    assert taken(stage.allowing.begin(ANN_TEXT, BEN_TEXT)) == [BEN]
    assert stage.allowing.look(shared, 1) is None
    assert shared.text == BEN_TEXT, "what the file says is not a change"


@pytest.mark.parametrize("turn", ["at first", "later"])
def test_a_list_that_is_too_large_to_be_shared_ends_nothing_and_is_told_once(stage: Stage, turn: str) -> None:
    shared = Shared()
    stage.path.write_bytes(ANN_TEXT)
    stage.allowing.begin(None, None if turn == "at first" else ANN_TEXT)
    shared.text = None if turn == "at first" else ANN_TEXT
    stage.heard()
    shared.error = StoreError("the allow list is too large")
    if turn == "later":
        stage.path.write_bytes(BEN_TEXT)
    for number in range(5):
        assert stage.allowing.look(shared, number * AGAIN_NS) is None
    assert stage.heard() == AllowListKept("the allow list is too large")
    shared.error = None
    stage.path.write_bytes(ANN_TEXT + BEN_TEXT)
    assert taken(stage.allowing.look(shared, 6 * AGAIN_NS)) == [ANN, BEN]
    assert stage.heard() == AllowListTaken(ANN_TEXT + BEN_TEXT), "the mistake is told once"


def test_a_list_for_which_there_is_no_room_is_shared_once_there_is(stage: Stage) -> None:
    shared = Shared()
    stage.path.write_bytes(ANN_TEXT)
    stage.allowing.begin(None, ANN_TEXT)
    shared.text, shared.error = ANN_TEXT, StoreFullError("no room")
    stage.path.write_bytes(BEN_TEXT)
    assert stage.allowing.look(shared, 1) is None
    shared.error = None
    assert stage.allowing.look(shared, AGAIN_NS) is None
    assert taken(stage.allowing.look(shared, 1 + AGAIN_NS)) == [BEN]
    assert shared.text == BEN_TEXT


def test_a_store_that_is_broken_is_no_matter_of_a_list(stage: Stage) -> None:
    shared = Shared()
    stage.allowing.begin(None)
    shared.error = StoreBrokenError("gone")
    with pytest.raises(StoreBrokenError):
        stage.allowing.look(shared, 1)


def test_a_change_that_comes_second_gives_way_and_that_is_told(stage: Stage) -> None:
    shared = Shared()
    stage.path.write_bytes(ANN_TEXT)
    stage.allowing.begin(None, ANN_TEXT)
    shared.text = ANN_TEXT
    stage.heard()
    stage.path.write_bytes(ANN_TEXT + BEN_TEXT)
    shared.faster = BEN_TEXT
    assert stage.allowing.look(shared, 1) is None
    assert taken(stage.allowing.look(shared, 2)) == [BEN]
    assert stage.path.read_bytes() == BEN_TEXT
    assert [stage.heard(), stage.heard()] == [
        AllowListReplaced(kept=kept(stage, ANN_TEXT + BEN_TEXT)),
        AllowListTaken(BEN_TEXT),
    ]


def test_a_change_here_does_not_undo_one_that_it_did_not_know_and_is_kept_beside_the_list(stage: Stage) -> None:
    shared = Shared()
    stage.path.write_bytes(ANN_TEXT)
    stage.allowing.begin(None, ANN_TEXT)
    shared.text = ANN_TEXT
    stage.heard()
    # Both between two looks: that of the other one has come, and was not taken yet.
    shared.text = BEN_TEXT
    stage.path.write_bytes(ANN_TEXT + BEN_TEXT)
    assert stage.allowing.look(shared, 1) is None
    assert shared.text == BEN_TEXT
    assert taken(stage.allowing.look(shared, 2)) == [BEN]
    assert [stage.heard(), stage.heard()] == [
        AllowListReplaced(kept=kept(stage, ANN_TEXT + BEN_TEXT)),
        AllowListTaken(BEN_TEXT),
    ]
    # Whoever knows it changes it, as ever.
    stage.path.write_bytes(ANN_TEXT + BEN_TEXT)
    assert taken(stage.allowing.look(shared, 3)) == [ANN, BEN]
    assert shared.text == ANN_TEXT + BEN_TEXT


def test_a_mistake_in_the_file_is_kept_beside_it_when_another_instance_changes_the_list(stage: Stage) -> None:
    shared = Shared()
    stage.path.write_bytes(ANN_TEXT)
    stage.allowing.begin(None, ANN_TEXT)
    shared.text = ANN_TEXT
    stage.heard()
    stage.path.write_bytes(b"nonsense\n")
    assert stage.allowing.look(shared, 1) is None
    assert isinstance(stage.heard(), AllowListKept)
    shared.text = BEN_TEXT
    assert taken(stage.allowing.look(shared, 2)) == [BEN]
    assert stage.heard() == AllowListReplaced(kept=kept(stage, b"nonsense\n"))
