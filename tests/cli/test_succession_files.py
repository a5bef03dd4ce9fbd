"""At any instant both keys of a rotation are in files that nobody else may read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from auctionctl.cli.succession_files import SuccessionFiles, former_path, waiting_names
from auctionctl.errors import KeyFileError
from auctionctl.keys.keyfile import StoredKey, list_keys, read_key, write_key_file
from auctionctl.keys.signing import Identity, SecretKey

OLD, NEW, NEWER = (StoredKey(SecretKey(name * 32), "2026-01-31T12:00:00Z") for name in (b"o", b"n", b"m"))


def identity_of(content: object) -> Identity:
    assert isinstance(content, StoredKey)
    return content.key.identity


@pytest.fixture
def files(tmp_path: Path) -> SuccessionFiles:
    made = SuccessionFiles(tmp_path / "keys", "alice")
    write_key_file(made.current, OLD)
    return made


def test_a_new_key_waits_then_has_the_name_and_the_old_one_is_kept(files: SuccessionFiles) -> None:
    assert files.read_waiting() is None
    files.wait(NEW)
    assert waiting_names(files.directory) == ["alice"]
    assert identity_of(files.read_waiting()) == NEW.key.identity
    assert read_key(files.current).identity == OLD.key.identity
    signing = OLD.key.identity.signing
    files.swap(signing, OLD, NEW)
    assert read_key(files.current).identity == NEW.key.identity
    assert read_key(files.former(signing)).identity == OLD.key.identity
    assert identity_of(files.read_waiting()) == NEW.key.identity, "until its holder has heard of it"
    files.end()
    files.end()
    assert files.read_waiting() is None
    assert list_keys(files.directory) == ["alice"]


def test_every_file_and_directory_is_its_owner_s_alone(files: SuccessionFiles) -> None:
    files.wait(NEW)
    files.swap(OLD.key.identity.signing, OLD, NEW)
    found = [path for path in files.directory.rglob("*") if path.suffix == ".key"]
    assert len(found) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in found} == {0o700}


def test_former_keys_of_several_rotations_are_all_kept(files: SuccessionFiles) -> None:
    for old, new in ((OLD, NEW), (NEW, NEWER)):
        files.wait(new)
        files.swap(old.key.identity.signing, old, new)
        files.end()
    kept = [former_path(files.directory, key.key.identity.signing) for key in (OLD, NEW)]
    assert [read_key(path).identity for path in kept] == [OLD.key.identity, NEW.key.identity]


def test_what_is_no_name_has_no_files(tmp_path: Path) -> None:
    for name in ("../alice", "Alice", ""):
        with pytest.raises(KeyFileError):
            _ = SuccessionFiles(tmp_path, name).current
