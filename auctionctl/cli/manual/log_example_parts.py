"""Of auctionctl-log(5): the worked example, in real bytes.

Rule: what is said of it is computed from it, or held against it by a test.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.manual import roff
from auctionctl.cli.manual.log_clock import EXAMPLE_S, example_note
from auctionctl.cli.manual.log_example import OPENED, PARTIES, START_NS, WINNING_BID, Example, key_of
from auctionctl.cli.manual.roff import Heading, Paragraph, Part
from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import decode
from auctionctl.tlog.merkle import leaf_hash

HEX_BYTES_A_LINE: Final = 32


def example_parts(example: Example) -> tuple[Part, ...]:
    """The example, in real bytes."""
    return (
        Heading("Example"),
        Paragraph(
            "A log in real bytes. The house, the seller, the bidders ann and ben, and otto, an operator, have the seeds"
            " 32 times 01, 02, 03, 04 and 05; their signing keys, and the identity of the house:"
        ),
        roff.Code("\n".join(_keys())),
        Paragraph("The id of the auction, H(body of entry 0):"),
        roff.Code(example.auction.hex()),
        Paragraph(
            "The entries, each with its index, its kind, its time in seconds after that of entry 0, its number of"
            " bytes, the phase or stage after it, the deadline then, as its time, and the floor; and its leaf hash:"
        ),
        roff.Code("\n".join(_entry_lines(example))),
        *_story(),
        Paragraph(
            f"Entry {OPENED} in bytes: an array of 4; a str of 6; a uint of 64 bits; a bin of 8, the body; an empty"
            " bin:"
        ),
        roff.Code(hex_lines(example.entries[OPENED])),
        Paragraph(
            f"Entry {WINNING_BID}, a bid: within the body an array of 11; after the body a bin of 64, its signature,"
            f" which is over the bytes {b'auctionctl/bid/v1'.hex()} 00 and the body:"
        ),
        roff.Code(hex_lines(example.entries[WINNING_BID])),
        Paragraph(f"The root of the {len(example.entries)} entries:"),
        roff.Code(example.root.hex()),
        Paragraph(
            "The whole file, which verifies as completed and finished: ann buys at 16.00EUR, with 2 bids, 2 pauses and"
            " 1 extension, no bid contested (entry 4 names the head of 4 entries, truly); otto acted as an operator in"
            " the entries 6, 7 and 20:"
        ),
        roff.Code(hex_lines(example.file)),
        Paragraph(
            "The same checkpoint as a note that was signed together with another (count 2, index 1): with it in its"
            " place, the file verifies as well:"
        ),
        roff.Code(hex_lines(example.heads_note)),
        Paragraph(f"A clock head over all of it, {EXAMPLE_S} s after entry 0:"),
        roff.Code(hex_lines(example_note(example))),
    )


def _story() -> tuple[Part, ...]:
    return (
        Paragraph(
            "Bidding: it opens with both bidders, to end at 68 s. The gap of entry 5, of 10 s, moves the end to 78 s"
            " and the floor to 40 s, two seconds after its entry. Otto has it stand still from 44 s to 50 s, entries 6"
            " and 7: the end is 84 s. As ann leaves, one bidder of two is there, so it has to stand still at once:"
            " entries 8 and 9, up to the cap of 30 s for her. She is back after 8 s, and it has to go on at once,"
            " entries 10 and 11: the end is 92 s. Entry 12 comes 12 s before that, within the window of 20 s, and moves"
            " it to 100 s."
        ),
        Paragraph(
            "The sale: ben owes 20.00EUR until 200 s. Its payment of entry 14 is rejected 10 s later, which moves that"
            " to 210 s; then it has defaulted. The seller, who has 50 s for it, offers the lot to the next bidder: ann,"
            " by her bid of entry 4, which is not below the reserve. She accepts, owes the price for 100 s more, and"
            " pays; otto settles it."
        ),
    )


def _keys() -> list[str]:
    width = max(map(len, PARTIES))
    lines = [f"{party:{width}} {key_of(party).identity.signing.hex()}" for party in PARTIES]
    text = key_of("house").identity.text
    return [*lines, text[:64], f"  {text[64:]} (one line)"]


def _entry_lines(example: Example) -> list[str]:
    replay = Replay(example.house.identity.signing, example.auction)
    lines = []
    for index, data in enumerate(example.entries):
        entry = decode(data)
        replay.apply(data)
        auction = replay.state
        deadline_ns = auction.get_timer()
        deadline = "-" if deadline_ns is None else _seconds(deadline_ns)
        stands = f"{auction.whereabouts:15} {deadline:>3} {_seconds(auction.gap_floor_ns):>3}"
        lines.append(f"{index:2} {entry.kind:16} {_seconds(entry.time_ns):>3} {len(data):3} {stands}")
        lines.append(f"   {leaf_hash(data).hex()}")
    return lines


def _seconds(time_ns: int) -> str:
    assert (time_ns - START_NS) % SECOND_NS == 0
    return str((time_ns - START_NS) // SECOND_NS)


def hex_lines(data: bytes) -> str:
    """``data`` in lines of hexadecimal digits, nothing else in them."""
    return "\n".join(data[start : start + HEX_BYTES_A_LINE].hex() for start in range(0, len(data), HEX_BYTES_A_LINE))
