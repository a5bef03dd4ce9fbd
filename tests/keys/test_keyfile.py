"""A secret is written once, whole and durable, and read only while nobody else could have touched it."""

from __future__ import annotations

import fcntl
import os
import resource
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auctionctl.errors import KeyFileError, NotFoundError
from auctionctl.keys.keyfile import (
    MAX_FILE_BYTES,
    KeyComments,
    StoredKey,
    generate,
    key_path,
    key_text,
    list_keys,
    parse_key,
    read_key,
    read_key_comments,
    read_stored_key,
    write_key,
)
from auctionctl.keys.signing import SecretKey

CREATED = "2026-01-31T12:00:00Z"
ALICE = SecretKey(b"a" * 32)
BOB = SecretKey(b"b" * 32)
ALICE_TEXT = f"# created: {CREATED}\n# public key: {ALICE.identity.text}\n{ALICE.seed_text}\n"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    directory = tmp_path / "keys"
    directory.mkdir(0o700)
    return directory


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def put(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    path.chmod(0o600)
    return path


def names_in(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


@contextmanager
def files_of_at_most(limit_bytes: int) -> Iterator[None]:
    """The kernel's own write failure (EFBIG), as a full disk would give, in the middle of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def refused(path: Path) -> KeyFileError:
    with pytest.raises(KeyFileError) as caught:
        read_key(path)
    assert ALICE.seed_text[16:30] not in f"{caught.value} {caught.value.hint}"
    return caught.value


def run_hint(error: KeyFileError) -> list[str]:
    command = shlex.split(error.hint.removeprefix("run: "))
    assert command[0] == "chmod"
    subprocess.run(command, check=True, cwd="/")
    return command


def test_two_generated_keys_differ() -> None:
    assert generate().identity != generate().identity


def test_a_key_survives_its_file(keys: Path) -> None:
    path = key_path(keys, "alice")
    write_key(path, ALICE, created=CREATED)
    assert path.read_text("ascii") == ALICE_TEXT
    assert read_key(path).seed_text == ALICE.seed_text
    assert names_in(keys) == ["alice.key"]


def test_file_and_missing_directories_are_made_for_the_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_key(tmp_path / "outer" / "keys" / "alice.key", ALICE, created=CREATED)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "outer") == mode_of(tmp_path / "outer" / "keys") == 0o700
    assert mode_of(tmp_path / "outer" / "keys" / "alice.key") == 0o600


def test_a_key_file_is_never_overwritten_unasked(keys: Path) -> None:
    path = key_path(keys, "alice")
    write_key(path, ALICE, created=CREATED)
    with pytest.raises(KeyFileError, match="exists already") as caught:
        write_key(path, BOB, created=CREATED)
    assert "--force" in caught.value.hint
    assert read_key(path).identity == ALICE.identity


def test_a_dangling_link_is_not_written_through(keys: Path, tmp_path: Path) -> None:
    path = key_path(keys, "alice")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match="exists already"):
        write_key(path, ALICE, created=CREATED)
    assert not (tmp_path / "elsewhere").exists()


def test_replacing_puts_a_tight_new_file_in_place_of_the_old(keys: Path) -> None:
    path = key_path(keys, "alice")
    write_key(path, ALICE, created=CREATED, replace=True)
    path.chmod(0o644)
    write_key(path, BOB, created=CREATED, replace=True)
    assert read_key(path).identity == BOB.identity
    assert names_in(keys) == ["alice.key"]


@pytest.mark.parametrize("replace", [False, True])
def test_a_failed_write_leaves_nothing_behind(keys: Path, replace: bool) -> None:
    path = key_path(keys, "alice")
    with files_of_at_most(20), pytest.raises(KeyFileError, match=r"cannot write .*: file too large"):
        write_key(path, ALICE, created=CREATED, replace=replace)
    assert names_in(keys) == []


def test_a_failed_replacement_leaves_the_old_key_whole(keys: Path) -> None:
    path = key_path(keys, "alice")
    write_key(path, ALICE, created=CREATED)
    with files_of_at_most(20), pytest.raises(KeyFileError, match="cannot write"):
        write_key(path, BOB, created=CREATED, replace=True)
    assert read_key(path).identity == ALICE.identity
    assert names_in(keys) == ["alice.key"]


@pytest.mark.parametrize("replace", [False, True])
def test_what_a_killed_process_left_is_taken_away_the_next_time_and_nothing_else(keys: Path, replace: bool) -> None:
    path = keys / "alice.key"
    program = (
        "import os, sys, pathlib; from auctionctl.keys import keyfile; from auctionctl.keys.signing import SecretKey;"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), 9);"
        f"keyfile.write_key(pathlib.Path(sys.argv[1]), SecretKey(bytes(32)), created={CREATED!r}, replace=True)"
    )
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == -9
    (left,) = names_in(keys)  # The second one had taken away what the first had left.
    assert (keys / left).read_text().endswith(f"{SecretKey(bytes(32)).seed_text}\n"), "a secret that nobody knows of"
    others = [".bob.key.0011223344556677.new", ".alice.key.00ff.new", ".alice.key.0011223344556677.new.bak"]
    for name in others:
        put(keys / name, "")
    (keys / ".alice.key.0011223344556677.new").symlink_to(keys / others[0])
    write_key(path, ALICE, created=CREATED, replace=replace)
    assert set(names_in(keys)) == {"alice.key", ".alice.key.0011223344556677.new", *others}
    assert read_key(path).identity == ALICE.identity


def test_what_another_process_still_writes_is_left_alone(keys: Path) -> None:
    path, unfinished = keys / "alice.key", put(keys / ".alice.key.0011223344556677.new", "")
    with open(unfinished, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_key(path, ALICE, created=CREATED, replace=True)
        assert names_in(keys) == [unfinished.name, "alice.key"]
    write_key(path, BOB, created=CREATED, replace=True)
    assert names_in(keys) == ["alice.key"]


def test_a_key_is_replaced_in_a_directory_that_a_command_has_locked(keys: Path) -> None:
    directory = os.open(keys, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        write_key(keys / "alice.key", ALICE, created=CREATED, replace=True)
    finally:
        os.close(directory)
    assert names_in(keys) == ["alice.key"]


def test_a_file_that_is_taken_for_a_left_one_before_it_is_locked_is_written_again(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = fcntl.flock, []

    def late(descriptor: int, operation: int) -> None:
        if not taken:
            (name,) = names_in(keys)
            taken.append(name)
            (keys / name).unlink()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    write_key(keys / "alice.key", ALICE, created=CREATED, replace=True)
    assert names_in(keys) == ["alice.key"]
    assert taken


def test_a_failed_rename_leaves_no_second_file(keys: Path) -> None:
    path = key_path(keys, "alice")
    path.mkdir()
    with pytest.raises(KeyFileError, match=r"cannot write .*: is a directory"):
        write_key(path, ALICE, created=CREATED, replace=True)
    assert names_in(keys) == ["alice.key"]


def test_a_key_is_not_written_where_a_file_stands_for_the_directory(keys: Path) -> None:
    put(keys / "file", "")
    with pytest.raises(KeyFileError, match="cannot write"):
        write_key(keys / "file" / "alice.key", ALICE, created=CREATED)


def test_a_key_is_not_written_into_a_directory_open_to_others(keys: Path) -> None:
    keys.chmod(0o770)
    with pytest.raises(KeyFileError, match=r"others can write to the directory .* \(mode 0770\)") as caught:
        write_key(key_path(keys, "alice"), ALICE, created=CREATED)
    run_hint(caught.value)
    write_key(key_path(keys, "alice"), ALICE, created=CREATED)


@pytest.mark.parametrize(
    "created", ["", "now", "2026-01-31", "2026-01-31T12:00:00", f"{CREATED}\n#", "٢026-01-31T12:00:00Z"]
)
def test_a_time_of_creation_in_another_form_is_refused(keys: Path, created: str) -> None:
    with pytest.raises(KeyFileError, match="is no time of creation"):
        write_key(key_path(keys, "alice"), ALICE, created=created)
    assert names_in(keys) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o777])
def test_a_loose_key_file_is_refused_with_the_command_that_mends_it(keys: Path, mode: int) -> None:
    path = put(keys / "it's mine.key", ALICE_TEXT)
    path.chmod(mode)
    error = refused(path)
    assert f"(mode {mode:04o})" in str(error)
    assert run_hint(error) == ["chmod", "600", str(path)]
    assert read_key(path).identity == ALICE.identity


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
def test_a_directory_others_can_write_to_is_refused_with_the_command_that_mends_it(keys: Path, mode: int) -> None:
    path = put(keys / "alice.key", ALICE_TEXT)
    keys.chmod(mode)
    error = refused(path)
    assert f"(mode {mode:04o})" in str(error)
    assert run_hint(error) == ["chmod", "go-w", str(keys)]
    assert read_key(path).identity == ALICE.identity


def test_a_readable_directory_and_a_read_only_file_are_tight_enough(keys: Path) -> None:
    path = put(keys / "alice.key", ALICE_TEXT)
    keys.chmod(0o755)
    path.chmod(0o400)
    assert read_key(path).identity == ALICE.identity


def test_the_hint_works_from_any_directory(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(keys / "alice.key", ALICE_TEXT).chmod(0o644)
    monkeypatch.chdir(keys)
    assert run_hint(refused(Path("alice.key"))) == ["chmod", "600", str(keys / "alice.key")]


def test_both_ends_of_a_link_must_be_in_tight_directories(keys: Path, tmp_path: Path) -> None:
    far = tmp_path / "far"
    far.mkdir(0o700)
    put(far / "secret", ALICE_TEXT)
    link = keys / "alice.key"
    link.symlink_to(far / "secret")
    assert read_key(link).identity == ALICE.identity
    far.chmod(0o770)
    assert str(far) in str(refused(link))
    far.chmod(0o700)
    keys.chmod(0o770)
    assert str(keys) in str(refused(link))


@pytest.mark.parametrize(
    ("relative", "hint"),
    [("alice.key", "keygen alice"), ("no/bob.key", "keygen bob"), ("Alice.key", "keygen NAME"), ("x", "keygen NAME")],
)
def test_a_missing_key_says_how_to_make_it(keys: Path, relative: str, hint: str) -> None:
    with pytest.raises(NotFoundError, match="there is no key file") as caught:
        read_key(keys / relative)
    assert caught.value.hint == f"make one: auctionctl {hint}"


def test_a_file_where_a_directory_belongs_is_a_missing_key(keys: Path) -> None:
    put(keys / "file", "")
    with pytest.raises(NotFoundError):
        read_key(keys / "file" / "alice.key")


def test_what_is_no_regular_file_is_refused_without_waiting(keys: Path) -> None:
    os.mkfifo(keys / "pipe.key", 0o600)
    assert "is no regular file" in str(refused(keys / "pipe.key"))
    (keys / "directory.key").mkdir()
    assert "is a directory" in str(refused(keys / "directory.key"))


SECRET = ALICE.seed_text
PUBLIC = f"# public key: {ALICE.identity.text}\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "has 0 lines besides comments"),
        (PUBLIC, "has 0 lines besides comments"),
        (f"{SECRET}\n{SECRET}\n", "has 2 lines besides comments"),
        (f"{SECRET}\n{BOB.seed_text}\n", "has 2 lines besides comments"),
        (f"{PUBLIC}{BOB.seed_text}\n", "its public key is not that of its secret"),
        (f"{PUBLIC}# public key: {BOB.identity.text}\n{SECRET}\n", "its public key is not that of its secret"),
        (f"# public key:\n{SECRET}\n", "its public key is not that of its secret"),
        (f"{PUBLIC}{SECRET[:-1]}\n", "line 2: a secret key has 74 characters, not 73"),
        (f"{PUBLIC}{SECRET.lower()}\n", "line 2: wrong case"),
        (f"\n\n{ALICE.identity.text}\n", "line 3: wrong prefix"),
        (f"{SECRET}\x00\n", "line 1: a secret key has 74 characters, not 75"),
        (b"\x80\x81\xff" * 40, "it is not plain text"),
        (b"\0" * 100, "line 1: wrong prefix"),
        (f"# Zürich\n{SECRET}\n", "it is not plain text"),
        (ALICE_TEXT + "#" * MAX_FILE_BYTES, f"is larger than {MAX_FILE_BYTES} bytes"),
    ],
)
def test_a_damaged_file_is_refused_and_says_how(keys: Path, data: bytes | str, message: str) -> None:
    assert message in str(refused(put(keys / "alice.key", data)))


@pytest.mark.parametrize(
    "first", [b"auctionctl-key/v2 passphrase", b"age-encryption.org/v1", b"-----BEGIN OPENSSH PRIVATE KEY-----"]
)
def test_another_format_is_refused_by_its_name(keys: Path, first: bytes) -> None:
    error = refused(put(keys / "alice.key", first + b"\n\xff\x00rest"))
    assert f"is in another format, '{first.decode()}'" in str(error)
    assert "newer auctionctl" in error.hint


def test_a_file_edited_by_hand_is_read_if_it_still_holds_one_secret(keys: Path) -> None:
    path = put(keys / "alice.key", f"  {SECRET}\t\r\n\n# my note\r\n{PUBLIC}")
    assert read_key(path).identity == ALICE.identity
    largest = ALICE_TEXT + "#" * (MAX_FILE_BYTES - len(ALICE_TEXT))
    assert read_key(put(path, largest)).identity == ALICE.identity


def test_keys_are_listed_by_name_and_nothing_else_is(keys: Path) -> None:
    for name in ("bob.key", "alice.key", "a.b.key", "Alice.key", ".alice.key.00ff.new", ".key", "alice.txt", "key"):
        put(keys / name, "")
    assert list_keys(keys) == ["a.b", "alice", "bob"]
    assert list_keys(keys / "missing") == []


def test_a_file_cannot_be_listed(keys: Path) -> None:
    put(keys / "file", "")
    with pytest.raises(KeyFileError, match=r"cannot list the keys in .*: not a directory"):
        list_keys(keys / "file")


def test_a_name_stays_inside_its_directory(keys: Path) -> None:
    assert key_path(keys, "a.b-c_9") == keys / "a.b-c_9.key"
    for name in ("", "../bob", "a/b", ".hidden", "Alice", "a" * 33, "a\n", "é"):
        with pytest.raises(KeyFileError, match="is no name for a key"):
            key_path(keys, name)


def test_a_key_keeps_its_time_of_creation(keys: Path) -> None:
    stored = read_stored_key(put(keys / "alice.key", ALICE_TEXT))
    assert (stored.key.identity, stored.created) == (ALICE.identity, CREATED)
    assert key_text(stored) == ALICE_TEXT
    assert parse_key("here", ALICE_TEXT.encode()).created == CREATED
    assert parse_key("here", ALICE.seed_text.encode()).created == ""
    with pytest.raises(KeyFileError, match="no time of creation"):
        key_text(StoredKey(ALICE, ""))


def test_text_that_is_no_key_is_refused_by_the_name_of_its_source() -> None:
    with pytest.raises(KeyFileError, match="here is larger"):
        parse_key("here", b"#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(KeyFileError, match="here is damaged") as caught:
        parse_key("here", ALICE.seed_text[:-1].encode())
    assert ALICE.seed_text[20:40] not in str(caught.value) + caught.value.hint


def test_what_a_file_says_of_its_key_is_read_though_the_key_is_refused(keys: Path) -> None:
    path = put(keys / "alice.key", ALICE_TEXT)
    path.chmod(0o644)
    assert read_key_comments(path) == KeyComments(ALICE.identity.text, CREATED)
    put(path, "# created: soon\n# public key: auc1x\n")
    assert read_key_comments(path) == KeyComments("", "")
    assert read_key_comments(keys / "bob.key") == KeyComments("", "")
    assert read_key_comments(keys) == KeyComments("", "")
