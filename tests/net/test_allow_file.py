"""The allow list's file: changes are noticed, and what cannot be read is no list."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auctionctl.errors import AllowListError, AuctionctlError
from auctionctl.keys.allowlist import MAX_TEXT_BYTES, Entry, Role, parse, render
from auctionctl.keys.signing import SecretKey
from auctionctl.net.allow_file import AllowFile

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
