"""Of auctionctl-log(5): clock heads, to the byte, and what they prove."""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.log_example import START_NS, Example, key_of
from auctionctl.cli.manual.roff import Code, Definitions, Heading, Paragraph, Part
from auctionctl.replica.clock_heads import AHEAD, BACK_DATED, FORK
from auctionctl.tlog.cosignature import SECOND_NS, Cosigner

CLOCK_WORDS: Final = (
    (BACK_DATED, "an entry behind a clock head, and dated before it"),
    (AHEAD, "an entry within a clock head, and dated after it"),
)
"""Rule word → what does not hold."""

CLOCK_HEAD_FORM: Final = """\
origin
size
base64(root)

— origin base64(key ID | signature)
— HOUSE base64(key ID | time | cosignature)
"""


EXAMPLE_S: Final = 320


def clock_head_parts() -> tuple[Part, ...]:
    """The form of a clock head and what is checked with one."""
    return (
        Heading("Clock heads"),
        Paragraph(
            "A clock head is a checkpoint of an auction's log, signed alone, with one line more: a C2SP cosignature"
            " (https://c2sp.org/tlog-cosignature) by which the house itself says when this was the head of the log."
            " Houses send them to whoever follows an open auction, and `auctionctl bid` keeps the last one of each:"
        ),
        Code(CLOCK_HEAD_FORM),
        Paragraph(
            "The last line is cut off, and the rest is a note as above, in the first of its two forms. The line is"
            " U+2014, a space, the identity of the house in text, a space, strict base64 of 76 bytes, a newline: key ID"
            " (4 bytes), time (8 bytes, big-endian, below 2^63), an Ed25519 signature (64 bytes). The key ID is the"
            " first 4 bytes of H(identity of the house in text | 0A | 04 | signing key of the house). The signature is"
            " by the signing key of the house over the bytes `cosignature/v1`, 0A, `time `, the time in decimal without"
            " leading zeros, 0A, and the `text` of the checkpoint. The time is whole seconds since 1970-01-01 UTC: on"
            " the house's clock, that second had begun and not ended."
        ),
        Paragraph(
            "`auctionctl verify` checks a log, or a receipt, against clock heads that are given with `--clock-head`."
            " The origin must be that of the log, and the note one of the house (`checkpoint`). Then, for each, with T"
            " its time, in this order:"
        ),
        Definitions(
            (
                (
                    "1",
                    "If the log has `size` entries or more, the root of the first `size` is that of the note."
                    f" (`{FORK}`)",
                ),
                ("2", f"No entry of index `size` or more is dated before T. (`{BACK_DATED}`)"),
                ("3", f"No entry of index less than `size` is dated T + 1 s or later. (`{AHEAD}`)"),
            )
        ),
        Paragraph(
            "The entry that is named is the first that fails. As times never go back, 2 is a question to entry `size`"
            " alone, and 3 can only fail if it fails for the last entry before that. For a receipt, 2 and 3 are asked"
            " of its entry; that the two notes are of one history is not asked, and needs no answer: if they are not,"
            " the house has signed two."
        ),
    )


def example_note(example: Example) -> bytes:
    """The clock head of the example, :data:`EXAMPLE_S` after its first entry."""
    house = key_of("house")
    return Cosigner(house.identity.text, house).stamp(example.note, START_NS // SECOND_NS + EXAMPLE_S)
