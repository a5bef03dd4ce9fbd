"""The allow list's file: changes are noticed, and what cannot be read is no list."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auctionctl.errors import AllowListError, AuctionctlError
from auctionctl.keys.allowlist import MAX_TEXT_BYTES, Entry, Role, parse, render
from auctionctl.keys.signing import SecretKey
from auctionctl.net.allow_file import YOUNG_NS, AllowFile

ANN, BEN = (Entry(SecretKey(name * 32).identity, f"bidder-{name.decode()}") for name in (b"a", b"b"))


def test_a_file_that_is_not_there_admits_nobody_and_its_appearance_is_a_change(tmp_path: Path):
    file = AllowFile(tmp_path / "allow")
    assert len(file.read()) == 0
    assert not file.changed()
    file.path.write_text(render(ANN) + "\n")
    assert file.changed()
    assert list(file.read()) == [ANN]
    assert not file.changed()
    file.path.unlink()
    assert file.changed()
    assert len(file.read()) == 0


def test_another_file_of_the_same_size_and_time_is_a_change(tmp_path: Path):
    file = AllowFile(tmp_path / "allow")
    file.path.write_text(render(ANN) + "\n")
    file.read()
    times = file.path.stat()
    other = tmp_path / "other"
    other.write_text(render(BEN) + "\n")
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(file.path)
    assert file.changed()
    assert list(file.read()) == [BEN]


def test_a_file_rewritten_with_its_old_time_is_a_change(tmp_path: Path):
    file = AllowFile(tmp_path / "allow")
    file.path.write_text(render(ANN) + "\n")
    file.read()
    times = file.path.stat()
    while file.path.stat().st_ctime_ns == times.st_ctime_ns:
        file.path.write_text(render(BEN) + "\n")
    os.utime(file.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.changed()


def test_a_change_within_one_tick_of_the_clock_that_dates_files_is_a_change(tmp_path: Path):
    file = AllowFile(tmp_path / "allow")
    file.path.write_text(render(ANN) + "\n")
    for number in range(100):
        entry = (ANN, BEN)[number % 2]
        with file.path.open("r+") as same:
            same.write(render(entry) + "\n")
        assert list(file.read()) == [entry]
        assert not file.changed()
        with file.path.open("r+") as same:
            same.write(render((BEN, ANN)[number % 2]) + "\n")
        assert file.changed()


def test_a_file_that_is_no_longer_young_is_known_by_its_times_alone(tmp_path: Path):
    now_ns = [0]
    file = AllowFile(tmp_path / "allow", wall_ns=lambda: now_ns[0])
    file.path.write_text(render(ANN) + "\n")
    file.read()
    reads = []
    words = file._words
    file._words = lambda: reads.append(now_ns[0]) or words()
    for age_ns in (0, YOUNG_NS, YOUNG_NS + 1, YOUNG_NS + 2):
        now_ns[0] = file.path.stat().st_ctime_ns + age_ns
        assert not file.changed()
    assert len(reads) == 3, "once when it is old enough, and no more"


def test_a_change_after_the_file_was_written_here_is_a_change(tmp_path: Path):
    file = AllowFile(tmp_path / "allow")
    for number in range(100):
        assert file.write(render((ANN, BEN)[number % 2]).encode(), render((BEN, ANN)[number % 2]).encode()) is None
        assert not file.changed()
        file.path.write_text(render((BEN, ANN)[number % 2]))
        assert file.changed()


def test_a_change_while_the_file_is_being_written_here_is_kept_beside_it(tmp_path: Path):
    class Raced(AllowFile):
        """Changed while what it said before is copied."""

        def _keep(self, said: bytes) -> Path:
            if said == b"first\n":
                self.path.write_bytes(b"second\n")
            return super()._keep(said)

    file = Raced(tmp_path / "allow")
    file.path.write_bytes(b"first\n")
    kept = file.write(b"# all\n")
    assert kept is not None
    assert kept.read_bytes() == b"second\n"
    assert file.path.read_bytes() == b"# all\n"
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"first\n", b"second\n", b"# all\n"}


def test_where_the_file_is_wrong_the_text_before_holds_until_the_file_is_another_one(tmp_path: Path):
    file = AllowFile(tmp_path / "allow")
    file.path.write_text(f"{render(BEN)}\nnonsense\n")
    allowed, wrong = file.read_after(f"{render(ANN)}\n".encode())
    assert list(allowed) == [ANN]
    assert wrong.startswith("line 2: ")
    assert file.text == f"{render(ANN)}\n".encode()
    assert not file.changed(), "an error is told once"
    file.path.write_text(f"{render(BEN)}\n")
    assert file.changed()
    allowed, wrong = file.read_after(file.text)
    assert (list(allowed), wrong) == ([BEN], "")
    assert file.text == f"{render(BEN)}\n".encode()


def test_an_error_names_the_line_and_counts_as_seen(tmp_path: Path):
    file = AllowFile(tmp_path / "allow")
    file.path.write_text(f"{render(ANN)}\nnonsense\n")
    with pytest.raises(AllowListError, match=r"^line 2: "):
        file.read()
    assert not file.changed(), "an error is told once"


def test_bytes_that_are_no_text_name_their_line(tmp_path: Path):
    file = AllowFile(tmp_path / "allow")
    file.path.write_bytes(render(ANN).encode() + b"\n\n# caf\xe9\n")
    with pytest.raises(AllowListError, match=r"^line 3: this is no text$"):
        file.read()


def test_a_file_without_end_is_refused():
    with pytest.raises(AllowListError, match=f"at most {MAX_TEXT_BYTES} bytes"):
        AllowFile(Path("/dev/zero")).read()


def test_what_cannot_be_read_is_an_error_of_ours_and_counts_as_seen(tmp_path: Path):
    file = AllowFile(tmp_path / "allow")
    file.path.mkdir()
    assert file.changed()
    with pytest.raises(AuctionctlError, match="allow"):
        file.read()
    assert not file.changed()


def test_a_path_below_a_file_is_an_error_of_ours(tmp_path: Path):
    (tmp_path / "file").write_text("")
    file = AllowFile(tmp_path / "file" / "allow")
    assert not file.changed()
    with pytest.raises(AuctionctlError, match="allow"):
        file.read()


def test_the_house_itself_is_always_let_in_as_its_operator_and_under_a_name_that_nobody_can_take(tmp_path: Path):
    house = SecretKey(b"h" * 32).identity
    path = tmp_path / "allow"
    (entry,) = AllowFile(path, house).read()
    assert (entry.identity, entry.roles) == (house, {Role.OPERATOR, Role.SELLER})
    path.write_text(render(Entry(house, "house", "bidder")) + "\n")
    assert [each.name for each in AllowFile(path, house).read()] == ["house"]
    with pytest.raises(AllowListError):
        parse(render(Entry(SecretKey(b"a" * 32).identity, "ann")).replace("ann", entry.name))
