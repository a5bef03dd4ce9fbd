"""What a program writes on the side is told line by line, within bounds, whatever it writes."""

from __future__ import annotations

from auctionctl.net.remarks import MAX_LINE_BYTES, MAX_LINES, Remarks


def test_lines_are_told_as_they_end_however_they_come() -> None:
    told: list[str] = []
    remarks = Remarks(told.append)
    for part in (b"fir", b"st\nsecond\r\n\n", b"th", b"ird"):
        remarks.receive(part, 0.0)
    assert told == ["first", "second"]
    remarks.end(0.0)
    assert told == ["first", "second", "third"]


def test_a_flood_is_counted_and_not_told() -> None:
    told: list[str] = []
    remarks = Remarks(told.append)
    for number in range(1_000):
        remarks.receive(f"line {number}\n".encode(), 5.0 + number / 10_000)
    assert told == [f"line {number}" for number in range(MAX_LINES)]
    remarks.receive(b"later\n", 6.0)
    assert told[MAX_LINES:] == [f"({1_000 - MAX_LINES} lines more)", "later"]


def test_a_line_without_an_end_is_cut_and_kept_within_bounds() -> None:
    told: list[str] = []
    remarks = Remarks(told.append)
    for _ in range(100):
        remarks.receive(b"\xff" * 1_000, 0.0)
        assert len(remarks._partial) <= MAX_LINE_BYTES
    remarks.receive(b"\nnext\n", 0.0)
    assert [len(each) for each in told] == [MAX_LINE_BYTES, 4]
