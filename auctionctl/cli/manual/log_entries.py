"""Of auctionctl-log(5): entries in their bytes: msgpack as it is used, signatures, and the body of every kind.

Rule: the arrays are drawn from the types by which the program reads them.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.terms import MAX_TERMS_BYTES
from auctionctl.cli.manual import roff
from auctionctl.cli.manual.log_bodies import BODIES, CONSENT, OF_AUCTIONS, PARTS_OF_TERMS, Body
from auctionctl.cli.manual.roff import Definitions, Heading, Paragraph, Part, Subheading
from auctionctl.cli.manual.shapes import fields_table, job_of, number_text, tag_of, words_of
from auctionctl.tlog.entry import MAX_ENTRY_BYTES, SIGNATURE_BYTES, TIME_LIMIT_NS, Entry, Kind

ENTRY: Final = {
    "kind": "What it records: see below.",
    "time_ns": f"The house's time, from 0 and below {number_text(TIME_LIMIT_NS)}.",
    "body": "What a participant signed, or what the house says: an array in msgpack, in these bytes.",
    "signature": f"{SIGNATURE_BYTES} bytes, or none.",
}


def msgpack_parts() -> tuple[Part, ...]:
    """The subset of msgpack, and its one form."""
    return (
        Heading("Msgpack"),
        Paragraph(
            "Entries and bodies are msgpack (https://msgpack.org), of which only these types occur, each value in its"
            " shortest form. Numbers after a type byte are big-endian. Every other byte in the place of a type is"
            " refused: another form of the same value, floats, booleans, maps, extensions, negative integers. Nothing"
            " follows the array. An array has all of its elements, neither fewer nor more, even where the last are"
            " nil, zero or empty."
        ),
        roff.Table(
            ("value", "bytes"),
            (
                ("nil", "C0"),
                ("uint 0..127", "one byte, the number"),
                ("uint ..2^8-1", "CC and 1 byte"),
                ("uint ..2^16-1", "CD and 2 bytes"),
                ("uint ..2^32-1", "CE and 4 bytes"),
                ("uint ..2^64-1", "CF and 8 bytes"),
                ("str 0..31", "A0 + length; then UTF-8 of so many bytes"),
                ("str ..255", "D9, length (1 byte), UTF-8"),
                ("str ..65535", "DA, length (2 bytes), UTF-8"),
                ("bin 0..255", "C4, length (1 byte), bytes"),
                ("bin ..65535", "C5, length (2 bytes), bytes"),
                ("array 0..15", "90 + number of elements; then the elements"),
                ("array ..65535", "DC, number of elements (2 bytes), the elements"),
            ),
        ),
        Paragraph(
            "In the tables below `uint 0..9` says the least and the greatest number, `bin 32` the length in bytes, `str"
            " 1..200` the length in characters (Unicode code points, not bytes), `or nil` that there may be none. An"
            " `int` has its bounds in the text. Strings are valid UTF-8, without surrogates, and otherwise may hold"
            " anything: clean them before you show them."
        ),
        Paragraph(
            "A simple way to check this: decode leniently, check types and bounds, encode in the forms above, and"
            " compare"
            " with the bytes that you had."
        ),
    )


def entry_parts() -> tuple[Part, ...]:
    """The array of an entry."""
    return (
        Heading("Entries"),
        Paragraph(
            f"An entry is an array of four elements, at most {MAX_ENTRY_BYTES} bytes long, in the form of the section"
            " before, or the word is `entry`:"
        ),
        fields_table(Entry, ENTRY),
        Paragraph(
            "The body is a `bin` that itself holds one array in the same form, whose first element is a str that says"
            " its type; whether it does is looked at where Replay says so, not with the form of the entry. Which type"
            " belongs to which kind says the table. A kind with two types holds the first of them where the signature"
            " is not empty, and the second where it is. The kinds of the registry are"
            " in good form in the log of an auction too, but no phase allows them, `phase`; any other word is `entry`."
        ),
        roff.Table(("kind", "type", "in the log of", "signed by"), tuple(map(_body_row, BODIES))),
    )


def _body_row(body: Body) -> tuple[str, str, str, str]:
    log = "an auction" if body.kind in OF_AUCTIONS else "the registry"
    signer = body.signer or "nobody: it is the word of the house"
    return f"`{body.kind}`", f'"`{tag_of(body.struct)}`"', log, signer


def signature_parts() -> tuple[Part, ...]:
    """What is signed, and which signatures hold."""
    return (
        Heading("Signatures"),
        Paragraph(
            "The signature of an entry that a participant signs is Ed25519 (RFC 8032, pure) by the key that the body"
            " names: the `seller` of `terms`, the `bidder` of a joining or bid, and the `actor` of everything else. It"
            " is over: the ASCII string `auctionctl/`‹TYPE›`/v1`, a byte 00, the body. ‹TYPE› is the first element of"
            ' the body, as in the table before: "`join`", not joined; "`reject_payment`", not payment_rejected. One'
            " that does not hold or is missing, and one that is there in an entry of the house, is `signature`. The"
            " house signs no entry of its own: the checkpoint is its word for all of them."
        ),
        Paragraph(
            "Implementations of Ed25519 differ in odd cases, and two verifiers that differ could disagree about who"
            " won."
            " What holds here is what libsodium's `crypto_sign_open` takes, for signatures R | S under a key A:"
        ),
        Definitions(
            (
                ("S", "is below the group order L = 2^252 + 27742317777372353535851937790883648493."),
                ("A", "is the canonical encoding of a point of the curve (y < 2^255 - 19), and not of small order."),
                ("R", "is not of small order: none of the encodings of the 8 points of order 1, 2, 4 and 8."),
                (
                    "equation",
                    "[S]B - [h]A, encoded, is R byte for byte, with h = SHA-512(R | A | message) mod L: the equation"
                    " without the cofactor. So R is canonical. A may have a component of small order if the equation"
                    " holds.",
                ),
            )
        ),
    )


def body_parts() -> tuple[Part, ...]:
    """A table for every type of body."""
    parts: list[Part] = [Heading("Bodies")]
    several = {each.kind for at, each in enumerate(BODIES) if any(each.kind == other.kind for other in BODIES[:at])}
    for body in BODIES:
        of_whom = f" ({'signed' if body.signer else 'of the house'})" if body.kind in several else ""
        parts += [Subheading(f"{body.kind}{of_whom}"), Paragraph(job_of(body.struct))]
        parts.append(fields_table(body.struct, body.meanings))
        if words := words_of(body.struct):
            parts.append(Paragraph(words))
        if body.kind is Kind.TERMS:
            parts += _terms_parts()
        if body.kind is Kind.KEY_ROTATED:
            parts += [Paragraph(f"`{CONSENT[0].__name__}`: {job_of(CONSENT[0])}"), fields_table(*CONSENT)]
    return tuple(parts)


def _terms_parts() -> list[Part]:
    parts: list[Part] = [Paragraph(f"The body of terms is at most {MAX_TERMS_BYTES} bytes long. Inside of it:")]
    for struct, meanings in PARTS_OF_TERMS:
        parts += [Paragraph(f"`{struct.__name__}`: {job_of(struct)}"), fields_table(struct, meanings)]
        if words := words_of(struct):
            parts.append(Paragraph(words))
    return parts
