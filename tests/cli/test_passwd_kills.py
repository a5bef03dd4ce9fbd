"""``key passwd`` killed at any instant leaves one usable key file: the one before, or the one after."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path
from typing import Any

from auctionctl.keys.keyfile import StoredKey, key_path, list_keys, read_key_file, write_key_file
from auctionctl.keys.locked_key import CHEAPEST, lock_key
from auctionctl.keys.signing import SecretKey

ALICE = SecretKey(b"a" * 32)
PASSPHRASE = b"correct horse"


def test_a_kill_before_any_step_leaves_the_key_as_it_was_or_as_it_is_to_be(tmp_path: Path, run_until: Any) -> None:
    home, keys, passphrase = tmp_path / "home", tmp_path / "home/config/keys", tmp_path / "pass"
    path = key_path(keys, "alice")
    passphrase.write_bytes(PASSPHRASE)
    passphrase.chmod(0o600)
    before = lock_key(ALICE, "2026-01-31T12:00:00Z", PASSPHRASE, salt=b"s" * 16, nonce=b"n" * 24, cost=CHEAPEST)
    seen = []
    for number in itertools.count():
        write_key_file(path, before, replace=True)
        ended = run_until(
            home, str(keys), number, "key", "passwd", "alice", "--remove", "--passphrase-file", passphrase
        )
        content = read_key_file(path)
        key = content.key if isinstance(content, StoredKey) else content.unlock("alice", PASSPHRASE)
        assert key.identity == ALICE.identity
        assert list_keys(keys) == ["alice"]
        seen.append((ended.returncode, isinstance(content, StoredKey)))
        if ended.returncode != -signal.SIGKILL:
            break
    assert seen[-1] == (os.EX_OK, True), ended.stderr
    assert (-signal.SIGKILL, False) in seen, "killed before the new file has the name"
    assert (-signal.SIGKILL, True) in seen, "and after"
    assert len(seen) >= 5
