"""auctionctl-log(5): an exported log to the byte, and the algorithm by which anybody verifies it.

Rule: from this page alone, without the source, another implementation can be written. Tables come from the types and
the data that the program itself goes by; the example is made by the real code.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.rejection import Code
from auctionctl.cli.manual import roff
from auctionctl.cli.manual.log_bodies import BODIES, OF_AUCTIONS
from auctionctl.cli.manual.log_clock import CLOCK_WORDS, clock_head_parts
from auctionctl.cli.manual.log_commands import command_parts
from auctionctl.cli.manual.log_entries import body_parts, entry_parts, msgpack_parts, signature_parts
from auctionctl.cli.manual.log_example import build_example
from auctionctl.cli.manual.log_example_parts import example_parts
from auctionctl.cli.manual.log_form import (
    announcement_parts,
    checkpoint_parts,
    file_parts,
    identity_parts,
    receipt_parts,
    tree_parts,
)
from auctionctl.cli.manual.log_house import OPERATOR, house_parts, registry_parts
from auctionctl.cli.manual.log_pauses import pause_parts
from auctionctl.cli.manual.log_rules import bidder_parts, phase_parts, terms_parts
from auctionctl.cli.manual.log_settlement import finish_parts, sale_parts
from auctionctl.cli.manual.roff import Definitions, Heading, Page, Paragraph, Part, Subheading
from auctionctl.replica.announcement import RULE as ANNOUNCEMENT

WORDS: Final = (
    ("format", "the file has another form (index: that of the entry whose line is not strict base64; else none)"),
    ("checkpoint", "the house in the origin, its signature, the note's form, or the number of entries"),
    ("entry", "an entry or a body that is not canonical or out of its bounds, or terms that cannot be"),
    ("time", "an entry dated before the one below it"),
    ("phase", "a kind that is not allowed there; a log that does not begin with terms"),
    ("terms", "terms of another auction or house"),
    ("signature", "one that does not hold, is missing, or should not be there"),
    ("wrong_auction", "a joining, bid or command for another auction"),
    ("root", "the entries have another root than the checkpoint"),
    (ANNOUNCEMENT, "the proof that the registry announced this auction"),
    (OPERATOR, "somebody acted as an operator who was none, by a copy of the registry"),
    ("inclusion", "of a receipt: its proof"),
    *CLOCK_WORDS,
)


def page() -> Page:
    """The page."""
    return Page(
        name="auctionctl-log",
        section=5,
        title="the exported log of an auction, and how it is verified",
        parts=(
            *_description(),
            *file_parts(),
            *identity_parts(),
            *msgpack_parts(),
            *entry_parts(),
            *signature_parts(),
            *tree_parts(),
            *checkpoint_parts(),
            *announcement_parts(),
            *body_parts(),
            *terms_parts(),
            *phase_parts(),
            *bidder_parts(),
            *house_parts(),
            *pause_parts(),
            *command_parts(),
            *sale_parts(),
            *finish_parts(),
            *registry_parts(),
            *receipt_parts(),
            *clock_head_parts(),
            *_word_parts(),
            *example_parts(build_example()),
        ),
        see_also=("auctionctl(1)", "auctionctl-export(1)", "auctionctl-verify(1)"),
    )


def _description() -> tuple[Part, ...]:
    return (
        Heading("Description"),
        Paragraph(
            "`auctionctl export` writes the log of one auction to a file, and `auctionctl verify` checks it, offline,"
            " with"
            " nothing but the file and the identity of the house. This page says everything that is checked, so that"
            " another program can do the same: same bytes in, same verdict, same winner and price."
        ),
        Paragraph(
            "What passes is the whole truth that the house signed. Whether it is the only one that it signed takes"
            " somebody else's checkpoint to compare; that a bid was never accepted, no log can show."
        ),
        Subheading("Conventions"),
        Paragraph(
            "H is SHA-256, and | joins bytes; bytes are written in hexadecimal, as 0A. Indexes count from 0. Times are"
            " nanoseconds since 1970-01-01 00:00 UTC without leap seconds, on the house's clock; amounts are whole"
            " numbers of the smallest part of a currency. A word in bold that a check goes by is the rule by which"
            " `verify` names what does not hold, beside the index of the entry: of `format` where a line is not base64,"
            " and of whatever a replay finds. Other checks have none."
        ),
        Subheading("Order"),
        Paragraph("The first check that fails is the verdict."),
        Definitions(
            (
                ("1", "The form of the file, all of it: The file. (`format`)"),
                (
                    "2",
                    "The house: the part of the checkpoint's first line before the first `/`, an identity. It must be"
                    " the"
                    " one that the verifier knows; `verify` without `--house` takes it at its word and says so."
                    " (`checkpoint`)",
                ),
                ("3", "The checkpoint's form and signature, and that it is of the log of an auction. (`checkpoint`)"),
                ("4", "Every entry in order: form, time, phase, signature, rule: Replay. (the word of each check)"),
                ("5", "The checkpoint's size is the number of entries. (`checkpoint`)"),
                ("6", "The root of all entries is the checkpoint's: The tree. (`root`)"),
                ("7", f"The announcement. (`{ANNOUNCEMENT}`)"),
            )
        ),
    )


def _word_parts() -> tuple[Part, ...]:
    own = [f"`{body.kind}`" for body in BODIES if not body.signer and body.kind in OF_AUCTIONS]
    rows = tuple((f"`{word}`", f"{meaning}.") for word, meaning in WORDS)
    claim = "of an entry of the house: its claim is not what the rules allow"
    return (
        Heading("Rule words"),
        roff.Table(
            ("word", "what does not hold"),
            (*rows, (" ".join(own[:5]), f"{claim}."), (" ".join(own[5:]), "the same.")),
        ),
        Paragraph(
            "Besides, those of joinings, bids and commands: " + ", ".join(f"`{code}`" for code in Code) + ". Some words"
            " have two uses: `closed` is what came too late, too, `defaulted` a payment and `reverted` an offer that"
            " did; and `opened`, `paused`, `resumed` and `reverted` are an entry that stands where one of these has to."
        ),
    )
