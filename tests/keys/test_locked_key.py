"""A key under a passphrase opens with that passphrase alone, and no file costs more than is allowed before it is read.

Vectors in tests/vectors/locked_keys.json, at the cheapest cost that is taken.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import pytest

from auctionctl.errors import KeyFileError, PassphraseError
from auctionctl.keys.locked_key import (
    CHEAPEST,
    DEAREST,
    MAX_PASSPHRASE_BYTES,
    MODERATE,
    Cost,
    LockedKey,
    check_new_passphrase,
    is_locked,
    lock_key,
    parse_locked_key,
)
from auctionctl.keys.signing import SecretKey

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "locked_keys.json").read_text("utf-8")
)["locked_keys"]
CREATED = "2026-01-31T12:00:00Z"
ALICE = SecretKey(b"a" * 32)
BOB = SecretKey(b"b" * 32)
PASSPHRASE = b"correct horse"
LOCKED = lock_key(ALICE, CREATED, PASSPHRASE, salt=b"s" * 16, nonce=b"n" * 24, cost=CHEAPEST)


def parse(text: str | bytes) -> LockedKey:
    return parse_locked_key("the file", text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["about"])
def test_every_vector_is_made_and_opened(vector: dict[str, Any]) -> None:
    key = SecretKey(bytes.fromhex(vector["seed"]))
    made = lock_key(
        key,
        vector["created"],
        bytes.fromhex(vector["passphrase"]),
        salt=bytes.fromhex(vector["salt"]),
        nonce=bytes.fromhex(vector["nonce"]),
        cost=Cost(vector["passes"], vector["memory_kib"]),
    )
    assert made.text == vector["text"]
    assert parse(vector["text"]) == made
    assert made.unlock("it", bytes.fromhex(vector["passphrase"])).seed == key.seed


def test_a_locked_key_opens_with_its_passphrase_alone() -> None:
    assert LOCKED.unlock("it", PASSPHRASE).seed_text == ALICE.seed_text
    for wrong in (b"correct hors", b"correct horse ", b"Correct horse", b"x", b"correct horse\0"):
        with pytest.raises(PassphraseError, match=r"^the passphrase is wrong: it does not open alice\.key$") as caught:
            LOCKED.unlock("alice.key", wrong)
        assert caught.value.hint


def test_text_parses_to_what_it_says_and_to_nothing_else() -> None:
    assert is_locked(LOCKED.text.encode())
    assert parse(LOCKED.text) == LOCKED
    assert parse(LOCKED.text).text == LOCKED.text
    assert not is_locked(ALICE.seed_text.encode())


def test_text_shows_nothing_of_the_secret() -> None:
    for shown in (LOCKED.text, repr(LOCKED)):
        assert ALICE.seed_text not in shown
        assert ALICE.seed.hex() not in shown
        assert PASSPHRASE.decode() not in shown


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("t=1", "t=01"),
        lambda text: text.replace("t=1", "t=+1"),
        lambda text: text.replace("t=1", "t=٣"),
        lambda text: text.replace("argon2id", "argon2i"),
        lambda text: text.replace("# created: 2026", "# created:  2026"),
        lambda text: text.replace("2026-01-31", "2026-91-31"),
        lambda text: text.replace(b"s".hex() * 16, "7" * 31 + "g"),
        lambda text: text.replace(b"n".hex(), b"n".hex().upper()),
        lambda text: text.replace(ALICE.identity.text, ALICE.identity.text[:-1] + "q"),
        lambda text: text.replace("# public key", "# publik key"),
        lambda text: text.split("\n", 1)[1],
        lambda text: "# a comment\n" + text,
        lambda text: text.replace("v1", "v2"),
        lambda text: "",
    ],
)
def test_any_other_form_of_the_same_is_refused(change: Any) -> None:
    other = change(LOCKED.text)
    assert other != LOCKED.text
    with pytest.raises(KeyFileError, match="the file is damaged"):
        parse(other)


def test_every_changed_character_is_refused_or_does_not_open() -> None:
    """A sample of the places of each line: every one costs a derivation."""
    for place in range(0, len(LOCKED.text), 11):
        old = LOCKED.text[place]
        text = LOCKED.text[:place] + ("1" if old != "1" else "2") + LOCKED.text[place + 1 :]
        with pytest.raises(KeyFileError):
            parse(text).unlock("it", PASSPHRASE)


@pytest.mark.parametrize(
    "changes",
    [
        {"created": "2026-01-31T12:00:01Z"},
        {"public": BOB.identity.text},
        {"cost": Cost(2, CHEAPEST.memory_kib)},
        {"cost": Cost(1, CHEAPEST.memory_kib + 8)},
        {"salt": b"t" * 16},
        {"nonce": b"m" * 24},
        {"box": bytes(48)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_no_line_can_be_exchanged(changes: dict[str, Any]) -> None:
    with pytest.raises(PassphraseError, match="the passphrase is wrong"):
        dataclasses.replace(LOCKED, **changes).unlock("it", PASSPHRASE)


@pytest.mark.parametrize(
    ("passes", "memory_kib"),
    [
        (DEAREST.passes + 1, CHEAPEST.memory_kib),
        (1, DEAREST.memory_kib + 1),
        (1, CHEAPEST.memory_kib - 1),
        (999_999_999, 999_999_999),
        (1, 1),
    ],
)
def test_what_a_file_asks_for_is_bounded_before_anything_is_derived(passes: int, memory_kib: int) -> None:
    text = dataclasses.replace(LOCKED, cost=Cost(passes, memory_kib)).text
    started_s = time.process_time()
    with pytest.raises(KeyFileError, match=f"asks for {passes} passes over {memory_kib} KiB"):
        parse(text)
    assert time.process_time() - started_s < 0.1


def test_the_bounds_themselves_are_taken() -> None:
    for cost in (CHEAPEST, MODERATE, DEAREST):
        assert parse(dataclasses.replace(LOCKED, cost=cost).text).cost == cost
    assert (MODERATE.passes, MODERATE.memory_kib * 1024) == (3, 268_435_456)


def test_a_public_key_of_another_is_found_out_even_under_the_right_passphrase() -> None:
    """As if its maker had lied: the box is bound to the line, and the line is not true."""
    from nacl.bindings import crypto_secretbox

    from auctionctl.keys import locked_key

    header = locked_key._header(CREATED, BOB.identity.text, CHEAPEST, b"s" * 16)
    box_key = locked_key._box_key(PASSPHRASE, header, CHEAPEST, b"s" * 16)
    box = crypto_secretbox(ALICE.seed, b"n" * 24, box_key)
    lying = LockedKey(CREATED, BOB.identity.text, CHEAPEST, b"s" * 16, b"n" * 24, box)
    with pytest.raises(KeyFileError, match="its public key is not that of its secret"):
        lying.unlock("it", PASSPHRASE)


def test_memory_that_cannot_be_had_is_said() -> None:
    import subprocess
    import sys

    script = (
        "from auctionctl.errors import PassphraseError\n"
        "from auctionctl.keys.locked_key import parse_locked_key\n"
        "import resource, sys\n"
        "locked = parse_locked_key('it', sys.stdin.buffer.read())\n"
        "resource.setrlimit(resource.RLIMIT_AS, (200 << 20, resource.RLIM_INFINITY))\n"
        "try:\n    locked.unlock('it', b'correct horse')\n"
        "except PassphraseError as error:\n    print(error)\n"
    )
    text = dataclasses.replace(LOCKED, cost=DEAREST).text
    pipes: dict[str, Any] = {"capture_output": True, "timeout": 60}
    done = subprocess.run([sys.executable, "-c", script], input=text.encode(), check=False, **pipes)
    assert done.stdout.decode() == "there is no memory to try the passphrase: it takes 1024 MiB\n", done.stderr


def test_a_passphrase_that_cannot_be_one_is_refused() -> None:
    for passphrase, message in ((b"", "is empty"), (b"x" * (MAX_PASSPHRASE_BYTES + 1), "longer than 1024 bytes")):
        with pytest.raises(PassphraseError, match=message):
            LOCKED.unlock("it", passphrase)
        with pytest.raises(PassphraseError, match=message):
            lock_key(ALICE, CREATED, passphrase, salt=b"s" * 16, nonce=b"n" * 24, cost=CHEAPEST)
    for short in (b"1234567", "éééé".encode()):
        with pytest.raises(PassphraseError, match="at least 8 characters"):
            check_new_passphrase(short)
    check_new_passphrase(b"12345678")
