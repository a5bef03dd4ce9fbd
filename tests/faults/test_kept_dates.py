"""A log that contradicts a clock head which somebody kept is found out, whatever entry it is that does."""

from __future__ import annotations

from pathlib import Path

import pytest
from house_process import HOUSE_KEY
from kept_dates import KeptDates, hold

from auctionctl.auction.events import Gap, GapCause, Takeover, encode_event, kind_of
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import NoteError
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.cosignature import Cosigner
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import Tree, leaf_hash

ORIGIN = origin_of(HOUSE_KEY.identity.text, "auction/" + "0f" * 32)
BEGUN_S = 1_000
TAKEOVER = Takeover("north", 2)


def entry(second: float, event: Gap | Takeover | None = None) -> bytes:
    """An entry dated so many seconds after the first: a bid, for all that is asked here, or ``event`` of the house."""
    time_ns = BEGUN_S * SECOND_NS + round(second * SECOND_NS)
    if event is None:
        return encode(Entry(Kind.BID, time_ns, b"%d" % time_ns, b""))
    return encode(Entry(Kind(kind_of(event)), time_ns, encode_event(event), b""))


def gap(since: float, until: float) -> Gap:
    return Gap(*(BEGUN_S * SECOND_NS + round(each * SECOND_NS) for each in (since, until)), GapCause.TAKEOVER)


def stamp(entries: list[bytes], second: int) -> bytes:
    """What the house signs so many seconds after the first entry, when it has ``entries``."""
    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    note = CheckpointSigner(ORIGIN, HOUSE_KEY).sign(tree.size, tree.root())
    return Cosigner(HOUSE_KEY.identity.text, HOUSE_KEY).stamp(note, BEGUN_S + second)


def wrong(entries: list[bytes], *notes: bytes) -> list[str]:
    return hold(ORIGIN, HOUSE_KEY.identity, entries, notes).wrong


def test_a_log_that_keeps_to_its_dates_has_nothing_against_it() -> None:
    log = [entry(0), entry(4.5), entry(8.25, TAKEOVER), entry(8.25, gap(4.5, 9.25)), entry(9)]
    notes = [stamp(log[:1], 3), stamp(log[:2], 5), stamp(log, 9)]
    held = hold(ORIGIN, HOUSE_KEY.identity, log, notes)
    assert (held.heads, held.takeovers_between, held.wrong) == (3, 1, [])
    assert hold(ORIGIN, HOUSE_KEY.identity, log, notes[:2]).takeovers_between == 0
    assert hold(ORIGIN, HOUSE_KEY.identity, log, ()).wrong == []


@pytest.mark.parametrize("late", [entry(4.9), entry(4.9, TAKEOVER), entry(4.9, gap(4, 5))])
def test_what_is_dated_before_the_house_signed_that_its_log_was_without_it_is_found(late: bytes) -> None:
    log = [entry(0), entry(2)]
    (words,) = wrong([*log, late, entry(6)], stamp(log, 5))
    assert words.startswith("clock head of 1005 s over 2 entries: entry 2, ")
    assert words.endswith("before that")


def test_what_is_dated_after_the_house_signed_that_its_log_was_with_it_is_found() -> None:
    log = [entry(0), entry(6, TAKEOVER)]
    (words,) = wrong(log, stamp(log, 4), stamp(log, 6))
    assert words == "clock head of 1004 s over 2 entries: entry 1, takeover, is dated 1006000000000, after that"


def test_a_gap_over_a_time_at_which_the_house_signed_is_found() -> None:
    log = [entry(0), entry(2)]
    assert wrong([*log, entry(9, TAKEOVER), entry(9, gap(3.5, 10))], stamp(log, 5)) == []
    (words,) = wrong([*log, entry(9, TAKEOVER), entry(9, gap(3.49, 10))], stamp(log, 5))
    assert "entry 3, gap" in words


def test_another_history_than_the_one_that_was_signed_is_found() -> None:
    log = [entry(0), entry(2)]
    assert "they were others" in wrong([entry(0), entry(3)], stamp(log, 3))[0]
    assert "the log has 1" in wrong(log[:1], stamp(log, 3))[0]


def test_what_is_no_clock_head_of_the_house_counts_for_nothing() -> None:
    log = [entry(0)]
    with pytest.raises(NoteError):
        wrong(log, stamp(log, 1).replace(b"\n1\n", b"\n2\n"))


def test_every_clock_head_that_a_bidder_has_kept_for_a_while_is_remembered(tmp_path: Path) -> None:
    log, kept = [entry(0), entry(2)], KeptDates(tmp_path)
    kept.look()
    assert kept.of(ORIGIN) == []
    (tmp_path / "vase-0f0f").mkdir()
    notes = [stamp(log[:1], 1), stamp(log, 2), stamp(log, 3)]
    for note in (notes[0], notes[1], notes[1], notes[2]):
        (tmp_path / "vase-0f0f/clock-head.note").write_bytes(note)
        kept.look()
    assert kept.of(ORIGIN) == notes
    assert kept.of("another") == []
