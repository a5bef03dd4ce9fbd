"""A secret key under a passphrase, as the text of a key file: Argon2id makes a key of the passphrase, secretbox locks.

Rule: what a file asks for in time and memory is bounded before anything is derived, and accepted text is the one
encoding of what it says. The key of the box is bound to every line above it, so that none of them can be exchanged.
Nothing here keeps a passphrase.

The lines, each ended by one newline: ``auctionctl-key/v1``; ``# created: …``; ``# public key: auc1…``;
``argon2id t=‹passes› m=‹KiB› ‹salt›`` (16 bytes); nonce ‖ box (24 and 48 bytes); both in lower-case hexadecimal.
``box = secretbox(seed, nonce, BLAKE2b-256(the first four lines, key = Argon2id(passphrase), person))``.
Source: RFC 9106 (Argon2id, one lane, version 0x13), libsodium's crypto_pwhash and crypto_secretbox, DESIGN.md section
5; pinned in ``tests/vectors/locked_keys.json``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from nacl.bindings import (
    crypto_generichash_blake2b_salt_personal,
    crypto_pwhash_alg,
    crypto_pwhash_ALG_ARGON2ID13,
    crypto_secretbox,
    crypto_secretbox_open,
)
from nacl.exceptions import CryptoError

from auctionctl.errors import KeyFileError, KeyTextError, PassphraseError
from auctionctl.keys.signing import SEED_BYTES, Identity, SecretKey

MARK: Final = "auctionctl-key/v1"
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 24
BOX_BYTES: Final = SEED_BYTES + 16
MAX_PASSPHRASE_BYTES: Final = 1024
MIN_NEW_CHARACTERS: Final = 8
"""A shorter one is found by trying, whatever each try costs."""
LOCKED_HINT: Final = "take the file from a backup; it was cut short or altered"

_PERSON: Final = b"auctionctl/lock1"
_KIBIBYTE: Final = 1024
_FILE: Final = re.compile(
    rf"{MARK}\n# created: (\d{{4}}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ)\n# public key: (auc1[a-z0-9]{{109}})\n"
    rf"argon2id t=([1-9]\d{{0,8}}) m=([1-9]\d{{0,8}}) ([0-9a-f]{{{SALT_BYTES * 2}}})\n"
    rf"([0-9a-f]{{{(NONCE_BYTES + BOX_BYTES) * 2}}})\n",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one try of a passphrase costs: ``passes`` over ``memory_kib`` KiB of memory."""

    passes: int
    memory_kib: int


MODERATE: Final = Cost(3, 256 * _KIBIBYTE)
"""libsodium's OPSLIMIT_MODERATE and MEMLIMIT_MODERATE: about 0.7 s."""
CHEAPEST: Final = Cost(1, 8 * _KIBIBYTE)
DEAREST: Final = Cost(8, 1024 * _KIBIBYTE)
"""A file that asks for more is refused: it would hold the machine rather than a key."""


@dataclass(frozen=True, slots=True)
class LockedKey:
    """A key file under a passphrase. ``public`` is the identity's text, proven only once it is unlocked."""

    created: str
    public: str
    cost: Cost
    salt: bytes
    nonce: bytes
    box: bytes

    @property
    def text(self) -> str:
        """The content of the file."""
        return f"{_header(self.created, self.public, self.cost, self.salt)}{(self.nonce + self.box).hex()}\n"

    def unlock(self, source: str, passphrase: bytes) -> SecretKey:
        """The key; ``source`` is what messages call the file. About 0.7 s, and 256 MiB for that time.

        Raises PassphraseError if ``passphrase`` is wrong, or a line of the file was exchanged: nobody can tell which.
        """
        _check_length(passphrase)
        box_key = _box_key(passphrase, _header(self.created, self.public, self.cost, self.salt), self.cost, self.salt)
        try:
            seed = crypto_secretbox_open(self.box, self.nonce, box_key)
        except CryptoError:
            raise PassphraseError(
                f"the passphrase is wrong: it does not open {source}",
                hint="type it again; if it is surely right, the file was altered: take it from a backup",
            ) from None
        key = SecretKey(seed)
        if key.identity.text != self.public:
            raise KeyFileError(f"{source} is damaged: its public key is not that of its secret", hint=LOCKED_HINT)
        return key


def lock_key(
    key: SecretKey, created: str, passphrase: bytes, *, salt: bytes, nonce: bytes, cost: Cost = MODERATE
) -> LockedKey:
    """``key`` under ``passphrase``; ``salt`` (16) and ``nonce`` (24 bytes) are random, **new for each file**.

    Raises PassphraseError for a passphrase that is empty or longer than 1024 bytes.
    """
    _check_length(passphrase)
    assert len(salt) == SALT_BYTES
    assert len(nonce) == NONCE_BYTES
    public = key.identity.text
    box_key = _box_key(passphrase, _header(created, public, cost, salt), cost, salt)
    return LockedKey(created, public, cost, salt, nonce, crypto_secretbox(key.seed, nonce, box_key))


def is_locked(data: bytes) -> bool:
    """Whether ``data`` claims to be a key under a passphrase."""
    return data.startswith(MARK.encode() + b"\n")


def parse_locked_key(source: str, data: bytes) -> LockedKey:
    """The file whose content is ``data``; nothing is derived. Raises KeyFileError, which calls the file ``source``."""
    found = _FILE.fullmatch(data.decode("latin-1"))
    if found is None:
        raise KeyFileError(f"{source} is damaged: it is no key under a passphrase", hint=LOCKED_HINT)
    created, public, passes, memory_kib, salt, box = found.groups()
    try:
        Identity.from_text(public)
    except KeyTextError as error:
        raise KeyFileError(f"{source} is damaged: its public key: {error}", hint=LOCKED_HINT) from None
    cost = Cost(int(passes), int(memory_kib))
    if not (
        CHEAPEST.passes <= cost.passes <= DEAREST.passes
        and CHEAPEST.memory_kib <= cost.memory_kib <= DEAREST.memory_kib
    ):
        raise KeyFileError(
            f"{source} asks for {passes} passes over {memory_kib} KiB, which no key file of ours does",
            hint=f"up to {DEAREST.passes} over {DEAREST.memory_kib} KiB are taken; {LOCKED_HINT}",
        )
    sealed = bytes.fromhex(box)
    return LockedKey(created, public, cost, bytes.fromhex(salt), sealed[:NONCE_BYTES], sealed[NONCE_BYTES:])


def check_new_passphrase(passphrase: bytes) -> None:
    """Raise PassphraseError if ``passphrase`` is none that a key should be put under."""
    _check_length(passphrase)
    if len(passphrase.decode("utf-8", "replace")) < MIN_NEW_CHARACTERS:
        raise PassphraseError(
            f"a passphrase has at least {MIN_NEW_CHARACTERS} characters",
            hint="five words picked by dice are a good one",
        )


def _check_length(passphrase: bytes) -> None:
    if not passphrase:
        raise PassphraseError("the passphrase is empty", hint="give one, or make a key without: auctionctl keygen NAME")
    if len(passphrase) > MAX_PASSPHRASE_BYTES:
        raise PassphraseError(
            f"the passphrase is longer than {MAX_PASSPHRASE_BYTES} bytes", hint="is it the file that you meant?"
        )


def _header(created: str, public: str, cost: Cost, salt: bytes) -> str:
    return (
        f"{MARK}\n# created: {created}\n# public key: {public}\n"
        f"argon2id t={cost.passes} m={cost.memory_kib} {salt.hex()}\n"
    )


def _box_key(passphrase: bytes, header: str, cost: Cost, salt: bytes) -> bytes:
    try:
        derived = crypto_pwhash_alg(
            32, passphrase, salt, cost.passes, cost.memory_kib * _KIBIBYTE, crypto_pwhash_ALG_ARGON2ID13
        )
    except CryptoError:
        # The lengths are right: what is left is that the memory could not be had.
        raise PassphraseError(
            f"there is no memory to try the passphrase: it takes {cost.memory_kib // _KIBIBYTE} MiB",
            hint="end other programs, or raise the limit (ulimit -v)",
        ) from None
    return crypto_generichash_blake2b_salt_personal(header.encode(), digest_size=32, key=derived, person=_PERSON)
