"""Of auctionctl-log(5): entries in their bytes: msgpack as it is used, signatures, and the body of every kind.

Rule: the arrays are drawn from the types by which the program reads them.
"""

from __future__ import annotations

from typing import Final

import msgspec

from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.events import Cancelled, Closed, Gap, Left, Opened
from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.auction.phase import TRANSITIONS
from auctionctl.auction.rules import Reserve, Rules
from auctionctl.auction.terms import MAX_TERMS_BYTES, Lot, ReserveOpening, Terms
from auctionctl.cli.manual import roff
from auctionctl.cli.manual.roff import Definitions, Heading, Paragraph, Part, Subheading
from auctionctl.cli.manual.shapes import fields_table, job_of, number_text, tag_of
from auctionctl.replica.registry import Admitted, Announced, RoleChanged
from auctionctl.tlog.entry import MAX_ENTRY_BYTES, SIGNATURE_BYTES, TIME_LIMIT_NS, Entry, Kind

HOUSE: Final = "Signing key of the house."

ENTRY: Final = {
    "kind": "What it records: see below.",
    "time_ns": f"The house's time, from 0 and below {number_text(TIME_LIMIT_NS)}.",
    "body": "What a participant signed, or what the house says: an array in msgpack, in these bytes.",
    "signature": f"{SIGNATURE_BYTES} bytes, or none.",
}

BODIES: Final[dict[Kind, tuple[type[msgspec.Struct], str, dict[str, str]]]] = {
    Kind.TERMS: (
        Terms,
        "the seller",
        {
            "house": HOUSE,
            "seller": "Signing key of the seller.",
            "nonce": "Random: no two terms are the same.",
            "listing": "The seller's name for the auction.",
            "lot": "What is sold: an array, below.",
            "rules": "How it is sold: an array, below.",
        },
    ),
    Kind.JOINED: (
        Join,
        "the bidder",
        {
            "house": HOUSE,
            "auction": "Id of the auction.",
            "bidder": "Signing key of the bidder.",
            "nonce": "Makes each joining another.",
            "placed_at_ns": "The bidder's claim; not judged.",
            "not_after_ns": "Accepted until then at most.",
        },
    ),
    Kind.BID: (
        Bid,
        "the bidder",
        {
            "house": HOUSE,
            "auction": "Id of the auction.",
            "bidder": "Signing key of the bidder.",
            "seq": "Rises among a bidder's bids.",
            "amount_minor": "What is offered.",
            "currency": "As in the terms.",
            "placed_at_ns": "The bidder's claim; not judged.",
            "not_after_ns": "Accepted until then at most.",
            "head_size": "Size of the head that it had seen, or 0.",
            "head_root": "Root of that head: 32 bytes, and empty if and only if head_size is 0.",
        },
    ),
    Kind.OPENED: (Opened, "", {}),
    Kind.LEFT: (Left, "", {"bidder": "Signing key of the bidder."}),
    Kind.GAP: (
        Gap,
        "",
        {"since_ns": "Since when nobody could bid.", "until_ns": "Until when.", "cause": "Not judged."},
    ),
    Kind.CANCELLED: (Cancelled, "", {"reason": "Why there is no sale."}),
    Kind.CLOSED: (
        Closed,
        "",
        {
            "end_reason": "Why it ended.",
            "winner": "Signing key, or nil without a sale.",
            "price_minor": "What the winner pays, or nil.",
            "bid_index": "Index of the winning bid, or nil.",
            "reserve": "Opens the reserve of the terms: nil if and only if they hold none.",
        },
    ),
    Kind.ANNOUNCED: (
        Announced,
        "",
        {"auction": "Id of the auction.", "seller": "Signing key of the seller.", "listing": "As in the terms."},
    ),
    Kind.ADMITTED: (
        Admitted,
        "",
        {
            "signing": "Keys of the identity.",
            "transport": "",
            "name": "What it is called at this house.",
            "role": "Roles, joined by `+`.",
        },
    ),
    Kind.ROLE: (
        RoleChanged,
        "",
        {
            "signing": "Signing key of an identity.",
            "name": "What it is called from now on.",
            "role": "Roles, joined by `+`; empty for one that is let in no more.",
        },
    ),
}
"""Kind → the type of its body, who signs it (nobody: the house's own), field → meaning."""

PARTS_OF_TERMS: Final[tuple[tuple[str, type[msgspec.Struct], dict[str, str]], ...]] = (
    (
        "Lot",
        Lot,
        {
            "title": "What is sold.",
            "description": "May be empty.",
            "estimate_minor": "The seller's estimate of its value.",
        },
    ),
    (
        "Rules",
        Rules,
        {
            "format": "The rule family.",
            "currency": "Of all amounts.",
            "starting_price_minor": "The least first bid.",
            "increment": "The least step: see below.",
            "duration_ns": "From the opening to the end.",
            "start_timeout_ns": "From the terms to the deadline for opening.",
            "min_bidders": "How many open it.",
            "bid_timeout_ns": "How far ahead `not_after_ns` may be.",
            "soft_close_window_ns": "A bid this near the end moves it; 0: never.",
            "max_extension_ns": "By how much it moves at most.",
            "reserve": "A hidden least price.",
        },
    ),
    ("Reserve", Reserve, {"commitment": "To amount and salt.", "sealed": "Both, for the house; not judged."}),
    ("Fixed", Fixed, {"minor": "The step."}),
    ("Percent", Percent, {"basis_points": "Hundredths of a percent of the price."}),
    ("Table", Table, {"rows": "Pairs of lower bound and step."}),
    ("ReserveOpening", ReserveOpening, {"minor": "The reserve.", "salt": "Random."}),
)
"""What stands inside of terms (and, the last, of a closed entry): name, type, field → meaning."""


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
            " belongs to which kind says the table. The other words of the list of kinds are"
            " entries in good form which no phase allows so far, `phase`; any other word is `entry`."
        ),
        roff.Table(
            ("kind", "type", "in the log of", "signed by"),
            tuple(_kind_row(kind) for kind in Kind if kind in BODIES),
        ),
        Paragraph(f"Kinds without a use so far: {', '.join(f'`{kind}`' for kind in Kind if kind not in BODIES)}."),
    )


def _kind_row(kind: Kind) -> tuple[str, str, str, str]:
    struct, signer, _ = BODIES[kind]
    log = "an auction" if any(kind == known for _, known in TRANSITIONS) else "the registry"
    return f"`{kind}`", f'"`{tag_of(struct)}`"', log, signer or "nobody: it is the word of the house"


def signature_parts() -> tuple[Part, ...]:
    """What is signed, and which signatures hold."""
    return (
        Heading("Signatures"),
        Paragraph(
            "The signature of `terms`, `joined` and `bid` is Ed25519 (RFC 8032, pure) by the key that the body names,"
            " `seller` or `bidder`, over: the ASCII string `auctionctl/`‹TYPE›`/v1`, a byte 00, the body. ‹TYPE› is the"
            ' first element of the body: "`terms`", "`join`" (not joined) or "`bid`". One that does not hold or is'
            " missing, and one that is there in an entry of the house, is `signature`. The house signs no entry of its"
            " own: the checkpoint is its word for all of them."
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
    for kind, (struct, _, meanings) in BODIES.items():
        parts += [Subheading(str(kind)), Paragraph(job_of(struct)), fields_table(struct, meanings)]
        if kind is Kind.TERMS:
            parts += _terms_parts()
    return tuple(parts)


def _terms_parts() -> list[Part]:
    parts: list[Part] = [Paragraph(f"The body of terms is at most {MAX_TERMS_BYTES} bytes long. Inside of it:")]
    for name, struct, meanings in PARTS_OF_TERMS:
        parts += [Paragraph(f"`{name}`: {job_of(struct)}"), fields_table(struct, meanings)]
    return parts
