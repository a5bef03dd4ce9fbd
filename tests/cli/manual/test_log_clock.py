"""The page's clock head opens, by the page's own words and by the real code, and proves what it is said to."""

from __future__ import annotations

import hashlib
from base64 import b64decode

from auctionctl.cli.manual.log_clock import CLOCK_HEAD_FORM, CLOCK_WORDS, EXAMPLE_S, example_note
from auctionctl.cli.manual.log_example import START_NS, build_example, key_of
from auctionctl.cli.manual.log_example_parts import hex_lines
from auctionctl.cli.manual.log_page import page
from auctionctl.cli.manual.roff import Code
from auctionctl.keys.signing import verify
from auctionctl.replica.clock_heads import AHEAD, BACK_DATED
from auctionctl.tlog.cosignature import SECOND_NS, open_timed

EXAMPLE = build_example()
NOTE = example_note(EXAMPLE)
HOUSE = key_of("house").identity


def test_the_clock_head_of_the_page_opens() -> None:
    assert Code(hex_lines(NOTE)) in page().parts
    head = open_timed(NOTE, f"{HOUSE.text}/auction/{EXAMPLE.auction.hex()}", HOUSE.text, HOUSE.signing)
    assert (head.checkpoint.size, head.checkpoint.root) == (len(EXAMPLE.entries), EXAMPLE.root)
    assert head.time_s * SECOND_NS == START_NS + EXAMPLE_S * SECOND_NS


def test_it_has_the_form_that_the_page_says() -> None:
    assert [len(line.split(" ")) for line in CLOCK_HEAD_FORM.splitlines()[:4]] == [1, 1, 1, 1]
    lines = NOTE.decode().splitlines(keepends=True)
    assert len(lines) == len(CLOCK_HEAD_FORM.splitlines())
    dash, name, blob = lines[-1].split(" ")
    assert (dash, name) == ("\u2014", HOUSE.text)
    data = b64decode(blob)
    assert len(data) == 76
    assert data[:4] == hashlib.sha256(HOUSE.text.encode() + b"\x0a\x04" + HOUSE.signing).digest()[:4]
    seconds = int.from_bytes(data[4:12], "big")
    signed = b"cosignature/v1\x0atime " + str(seconds).encode() + b"\x0a" + "".join(lines[:3]).encode()
    assert verify(HOUSE.signing, signed, data[12:])


def test_the_words_of_the_page_are_those_that_are_said() -> None:
    assert {word for word, _ in CLOCK_WORDS} == {AHEAD, BACK_DATED}
