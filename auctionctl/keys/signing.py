"""What keys do: identities, Ed25519 signatures, and the box for sealed reserves.

Rule: secrets never show. Everything derives from one 32-byte seed by keyed BLAKE2b, one context a purpose, so that no
key serves two (libsodium advises against signing and key exchange with the same one). Which signatures hold is
libsodium's answer, pinned in ``tests/vectors/keys.json``: without the cofactor, S below the group order, no key
or R of small order, canonical encodings. Two auditors whose libraries differ there could disagree about a log.
Source: RFC 8032 (Ed25519), RFC 7748 (Curve25519), RFC 7693 (BLAKE2b), libsodium's crypto_box_seal, DESIGN.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NoReturn

from nacl.bindings import (
    crypto_box,
    crypto_box_seal_open,
    crypto_box_seed_keypair,
    crypto_generichash_blake2b_salt_personal,
    crypto_scalarmult_base,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import BadSignatureError, CryptoError

from auctionctl.errors import KeyTextError, NotAuthorisedError
from auctionctl.keys.encoding import PUBLIC_PREFIX, SECRET_PREFIX, decode, encode

SEED_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

# Personalisations of BLAKE2b: 16 bytes each, the last one a version. Changing one changes every key of that purpose.
# "auctionctl/witn1" is kept for witnesses.
_SIGNING: Final = b"auctionctl/sign1"
_TRANSPORT: Final = b"auctionctl/curv1"
_ESCROW: Final = b"auctionctl/escr1"

_SEAL_NONCE_BYTES: Final = 24

# Twelve characters after the prefix are 60 bits of the signing key: a look-alike costs more than anybody will pay,
# while eight would fall to one machine in days.
_SHORT_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """A party, as the public halves of its keys: Ed25519 ``signing`` and Curve25519 ``transport``, 32 bytes each.

    Raises KeyTextError for other lengths. Whether they are points of the curve is found out when they are used.
    """

    signing: bytes
    transport: bytes
    _text: str = field(default="", init=False, compare=False)

    def __post_init__(self) -> None:
        for name, key in (("signing", self.signing), ("transport", self.transport)):
            if len(key) != PUBLIC_KEY_BYTES:
                raise KeyTextError(f"a public {name} key has {PUBLIC_KEY_BYTES} bytes, not {len(key)}")

    @classmethod
    def from_text(cls, text: str) -> Identity:
        """The identity written as ``auc1…`` (113 characters); raises KeyTextError (DESIGN.md section 5)."""
        data = decode(PUBLIC_PREFIX, text)
        identity = cls(data[:PUBLIC_KEY_BYTES], data[PUBLIC_KEY_BYTES:])
        object.__setattr__(identity, "_text", text)  # accepted text encodes to itself
        return identity

    @property
    def text(self) -> str:
        """``auc1…``, 113 characters; computed when first asked for."""
        if not self._text:
            object.__setattr__(self, "_text", encode(PUBLIC_PREFIX, self.signing + self.transport))
        return self._text

    @property
    def short(self) -> str:
        """For people's eyes, beside a name: ``auc1`` and twelve characters more, then ``…``. Never decoded."""
        return self.text[:_SHORT_CHARACTERS] + "…"

    def __hash__(self) -> int:
        return hash(self.signing)  # Python keeps the hash of bytes: identities are keys of hot tables

    def __repr__(self) -> str:
        return f"Identity({self.short})"


class SecretKey:
    """All secret keys of one identity, from its 32-byte ``seed``. Raises KeyTextError for another length.

    No form of print, format, copy or pickle reveals it; only ``seed``, ``seed_text`` and ``transport_secret`` do, by
    name.
    """

    __slots__ = ("_escrow_public", "_escrow_secret", "_identity", "_seed", "_signing_secret", "_transport_secret")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise KeyTextError(f"a secret key has {SEED_BYTES} bytes, not {len(seed)}")
        self._seed = seed
        # libsodium's 64-byte form, seed ‖ public key: with it a signature is one call.
        signing_public, self._signing_secret = crypto_sign_seed_keypair(_derive(seed, _SIGNING))
        self._transport_secret = _derive(seed, _TRANSPORT)
        self._identity = Identity(signing_public, crypto_scalarmult_base(self._transport_secret))
        self._escrow_secret = _derive(seed, _ESCROW)
        self._escrow_public = crypto_scalarmult_base(self._escrow_secret)

    @classmethod
    def from_text(cls, text: str) -> SecretKey:
        """The key written as ``AUC-SECRET-KEY-1…`` (74 characters); raises KeyTextError (DESIGN.md section 5)."""
        return cls(decode(SECRET_PREFIX, text))

    @property
    def identity(self) -> Identity:
        """The public halves."""
        return self._identity

    @property
    def transport_secret(self) -> bytes:
        """The raw 32-byte Curve25519 secret, for CURVE."""
        return self._transport_secret

    @property
    def escrow_public(self) -> bytes:
        """The 32-byte Curve25519 public key to seal reserves to."""
        return self._escrow_public

    @property
    def seed(self) -> bytes:
        """The 32 bytes themselves, to be locked under a passphrase and for nothing else."""
        return self._seed

    @property
    def seed_text(self) -> str:
        """``AUC-SECRET-KEY-1…``, 74 characters: the secret itself, for a key file and nothing else."""
        return encode(SECRET_PREFIX, self._seed)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature of ``message``, always the same for the same message (RFC 8032)."""
        return crypto_sign(message, self._signing_secret)[:SIGNATURE_BYTES]

    def open_escrow(self, box: bytes) -> bytes:
        """What was sealed to ``escrow_public``, 48 bytes shorter than ``box``.

        Raises NotAuthorisedError if the box was sealed to another key, or damaged: nobody can tell which.
        """
        try:
            return crypto_box_seal_open(box, self._escrow_public, self._escrow_secret)
        except CryptoError:  # a box too short included
            raise NotAuthorisedError(
                "the sealed reserve does not open with this key",
                hint="it was sealed to another house, or damaged on its way",
            ) from None

    def __repr__(self) -> str:
        return f"SecretKey({self._identity.short})"

    def __format__(self, format_spec: str) -> str:
        return format(repr(self), format_spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret key is neither copied nor pickled: write it to a key file")


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (64 bytes) over ``message`` was made with the key of ``public`` (32 bytes).

    Bytes of any length are answered, never raised upon. The whole cost is one call of libsodium (about 45 µs), which
    lets other threads run; RFC 8032, with odd keys and signatures as pinned in ``tests/vectors/keys.json``.
    """
    # libsodium is told neither length: a short key would be read past its end, and a short signature would borrow
    # the first bytes of the message.
    if len(public) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


def seal_escrow(escrow_public: bytes, plaintext: bytes, ephemeral_seed: bytes) -> bytes:
    """A box for the holder of ``escrow_public``, 48 bytes longer than ``plaintext``: libsodium's crypto_box_seal.

    ``ephemeral_seed`` is 32 random bytes, **new for each plaintext**: two boxes for one key from one seed share their
    key stream, and anybody can tell the difference of what they hold. Raises KeyTextError if a length is wrong or
    ``escrow_public`` is a point of small order, to which nothing can be sealed.
    """
    if len(escrow_public) != PUBLIC_KEY_BYTES:
        raise KeyTextError(f"an escrow key has {PUBLIC_KEY_BYTES} bytes, not {len(escrow_public)}")
    if len(ephemeral_seed) != SEED_BYTES:
        raise KeyTextError(f"an ephemeral seed has {SEED_BYTES} bytes, not {len(ephemeral_seed)}")
    ephemeral_public, ephemeral_secret = crypto_box_seed_keypair(ephemeral_seed)
    nonce = crypto_generichash_blake2b_salt_personal(ephemeral_public + escrow_public, digest_size=_SEAL_NONCE_BYTES)
    try:
        return ephemeral_public + crypto_box(plaintext, nonce, escrow_public, ephemeral_secret)
    except CryptoError:
        raise KeyTextError("nothing can be sealed to this escrow key: it is no proper point") from None


def _derive(seed: bytes, person: bytes) -> bytes:
    """The 32-byte secret of one purpose: BLAKE2b-256 of nothing, keyed with ``seed``, under ``person`` (RFC 7693)."""
    return crypto_generichash_blake2b_salt_personal(b"", digest_size=SEED_BYTES, key=seed, person=person)
