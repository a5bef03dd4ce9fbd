"""Of auctionctl-wire(7): keys from one seed, and the files that hold keys, allow lists and receipts."""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.roff import Code, Definitions, Heading, Paragraph, Part, Subheading, Table
from auctionctl.keys.allowlist import MAX_ENTRIES, MAX_TEXT_BYTES, OWN_LIMITS, Role
from auctionctl.keys.encoding import SECRET_PREFIX
from auctionctl.keys.keyfile import MAX_FILE_BYTES
from auctionctl.keys.locked_key import CHEAPEST, DEAREST, MODERATE
from auctionctl.tlog.proof import HEADER
from auctionctl.wire.address import DEFAULT_PORT, MAX_PLACES

PERSONS: Final = (
    ("auctionctl/sign1", "signing", "seed of the Ed25519 key (RFC 8032)"),
    ("auctionctl/curv1", "transport", "secret X25519 key (RFC 7748) for CURVE"),
    ("auctionctl/escr1", "escrow", "secret X25519 key to which reserves are sealed; a house's"),
)
"""Personalisation, purpose, what the 32 bytes are."""

KEY_FILE: Final = f"""\
# created: 2026-01-31T12:00:00Z
# public key: auc1...
{SECRET_PREFIX}1...
"""

LOCKED_KEY_FILE: Final = f"""\
auctionctl-key/v1
# created: 2026-01-31T12:00:00Z
# public key: auc1...
argon2id t={MODERATE.passes} m={MODERATE.memory_kib} 000102...
404142...
"""

ALLOW_LIST: Final = """\
# who may come in
auc1... ann
auc1... gallery role=seller+bidder
"""


def key_parts() -> tuple[Part, ...]:
    """Derivation and texts."""
    return (
        Heading("Keys"),
        Paragraph(
            "All keys of a party come from one seed of 32 random bytes, each by BLAKE2b (RFC 7693) of the empty message"
            " with a digest of 32 bytes, key = the seed, salt = 16 bytes 00 and `person` = 16 ASCII bytes: libsodium's"
            " `crypto_generichash_blake2b_salt_personal`; in Python, hashlib.blake2b(b'', digest_size=32, key=seed,"
            " person=person)."
        ),
        Table(("person", "key", "what it is"), tuple((f"`{person}`", key, what) for person, key, what in PERSONS)),
        Paragraph(
            "The text of the public keys is that of auctionctl-log(5). The text of the seed is bech32m as there, of"
            " the 32"
            f" bytes, in capitals under `{SECRET_PREFIX}` (its checksum is that of the prefix in lower case):"
            f" `{SECRET_PREFIX}1`, 52 characters of data with 4 bits of padding, 6 of checksum, 74 in all."
        ),
        Paragraph(
            "A reserve is sealed by libsodium's `crypto_box_seal` to the escrow key: what is sealed is the array"
            " `ReserveOpening` of auctionctl-log(5), and the terms commit to it."
        ),
        Paragraph(
            "The address of a house is `auction://`‹IDENTITY›`@`‹HOST›`:`‹PORT›; without a port it is"
            f" {DEFAULT_PORT}. An IPv6 address is in brackets. A house of several instances has up to {MAX_PLACES} of"
            " these places, with commas between and none of them twice: begin at any, and at the next where nobody"
            " answers."
        ),
    )


def file_parts() -> tuple[Part, ...]:
    """Formats on disk."""
    roles = ", ".join(f"`{role}`" for role in Role)
    return (
        Heading("Files"),
        Subheading("Keys"),
        Code(KEY_FILE),
        Paragraph(
            f"ASCII, at most {MAX_FILE_BYTES} bytes; besides comments and empty lines exactly one line, the text of the"
            " seed. A comment `# public key:` must be true. The file has mode 0600, in a directory that nobody else may"
            " write to, or it is refused."
        ),
        Subheading("Keys under a passphrase"),
        Code(LOCKED_KEY_FILE),
        Paragraph(
            "Exactly these five lines, each ended by one newline: a mark, when the key was made, its public keys, what"
            " a try of a passphrase costs (passes, KiB of memory, 16 bytes of salt), and the box (24 bytes of nonce, 48"
            " of box), both in lower-case hexadecimal. The key of the box is BLAKE2b-256 of the first four lines, key ="
            " Argon2id (RFC 9106, version 13 hexadecimal, one lane, 32 bytes) of the passphrase, `person` ="
            " `auctionctl/lock1`, salt = 16 bytes 00; the box is libsodium's `crypto_secretbox` of the seed. Files that"
            f" ask for less than {CHEAPEST.passes} passes over {CHEAPEST.memory_kib} KiB, or more than {DEAREST.passes}"
            f" over {DEAREST.memory_kib}, are refused before anything is derived."
        ),
        Subheading("Allow lists"),
        Code(ALLOW_LIST),
        Definitions(
            (
                (
                    "a line",
                    "is an identity, a name and options, parted by spaces or tabs. `#` begins a comment at the"
                    " beginning"
                    " of a line or after a space or tab.",
                ),
                ("name", "1 to 32 of `a` to `z`, `0` to `9`, `.`, `_` and `-`, beginning with a letter or digit."),
                (
                    "`role=`‹ROLES›",
                    f"one of {roles}, or several different ones joined by `+`; without it, `{Role.BIDDER}`.",
                ),
                *(
                    (f"`{name}=`‹NUMBER›", f"{low} to {high}: for this identity instead of the house's own `{name}`.")
                    for name, (low, high) in OWN_LIMITS.items()
                ),
            )
        ),
        Paragraph(
            f"Printable ASCII and tabs, at most {MAX_ENTRIES} entries and {MAX_TEXT_BYTES} bytes. Each signing key,"
            " each"
            " transport key and each name stands once. An option that is not known is an error. A list with a mistake"
            " is refused as a whole, and the one before"
            " it stays in force."
        ),
        Subheading("Receipts"),
        Paragraph(
            f"A receipt is kept as a file ‹COMMAND›`.tlog-proof` in a directory named after the auction, both in"
            f" hexadecimal: a C2SP tlog-proof (`{HEADER}`, see auctionctl-log(5)) with the index, the proof and the"
            " checkpoint of the receipt, and the entry as its `extra`. The entry is rebuilt from one's own body and"
            " signature and the receipt's time. `auctionctl verify` checks such a file."
        ),
    )
