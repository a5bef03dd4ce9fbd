"""What was not answered is asked for again; what was put off, when it was said, and not everything at once."""

from __future__ import annotations

from auctionctl.replica.pending_reads import LONGEST_WAIT_NS, RETRY_NS, SPACING_NS, PendingReads

A, B, C = (bytes([number]) * 32 for number in range(3))
NOW_NS = 1_000 * RETRY_NS


def test_an_unanswered_read_is_due_again_after_a_while_and_an_answered_one_is_not() -> None:
    reads = PendingReads()
    assert reads.next_ns() is None
    reads.asked(A, NOW_NS)
    reads.asked(B, NOW_NS + 1)
    assert (A in reads, C in reads, list(reads)) == (True, False, [A, B])
    assert reads.next_ns() == NOW_NS + RETRY_NS
    assert (reads.due(NOW_NS + RETRY_NS - 1), reads.due(NOW_NS + RETRY_NS)) == ([], [A])
    assert (reads.answered(A), reads.answered(A)) == (True, False)
    assert reads.due(NOW_NS + 2 * RETRY_NS) == [B]
    reads.forget_all()
    assert reads.next_ns() is None


def test_many_that_are_put_off_come_back_one_after_the_other() -> None:
    reads = PendingReads()
    logs = [number.to_bytes(32, "big") for number in range(1_000)]
    for log in logs:
        reads.asked(log, NOW_NS)
    for log in logs:
        reads.put_off(log, 5 * SPACING_NS, NOW_NS)
    first_ns = NOW_NS + 5 * SPACING_NS
    assert reads.due(first_ns - 1) == []
    assert [reads.due(first_ns + number * SPACING_NS) for number in (0, 2)] == [logs[:1], logs[:3]]
    assert reads.due(first_ns + 999 * SPACING_NS) == logs


def test_one_that_is_not_pending_cannot_be_put_off_and_none_for_ever() -> None:
    reads = PendingReads()
    reads.put_off(A, 1, NOW_NS)
    assert A not in reads
    reads.asked(A, NOW_NS)
    reads.put_off(A, 100 * LONGEST_WAIT_NS, NOW_NS)
    assert reads.next_ns() == NOW_NS + LONGEST_WAIT_NS
