"""The journal of security events holds what happened, within bounds, whatever floods it and whatever the disk does."""

from __future__ import annotations

from pathlib import Path

from auctionctl.house.security import MAX_NAMED, OTHERS, SecurityEvent, SecurityKind, security_event
from auctionctl.net.security_journal import (
    DIRECTORY,
    MAX_FILE_BYTES,
    WINDOW_S,
    SecurityJournal,
    SecurityReader,
    older_of,
    path_of,
)

REFUSED, RESTART = SecurityKind.REFUSED_KEY, SecurityKind.RESTART


def event(who: str, now_ns: int, kind: SecurityKind = REFUSED, words: str = "no") -> SecurityEvent:
    return security_event(kind, who, words, now_ns)


def size_bytes(state: Path) -> int:
    return sum(path.stat().st_size for path in (state / DIRECTORY).iterdir())


def test_the_first_is_there_at_once_and_what_follows_as_one_line_after_a_while(tmp_path: Path) -> None:
    journal, reader = SecurityJournal(tmp_path), SecurityReader(tmp_path)
    assert journal.next_s is None
    for now_ns in range(1, 101):
        journal.note([event("eve", now_ns)], 10.0)
    assert [each.count for each in reader.read()] == [1]
    assert journal.next_s == 10.0 + WINDOW_S
    journal.settle(10.0 + WINDOW_S - 0.1)
    assert reader.read() == []
    journal.settle(10.0 + WINDOW_S)
    assert reader.read() == [SecurityEvent(REFUSED, "eve", 99, "no", 2, 100)]
    journal.settle(10.0 + 2 * WINDOW_S)
    assert journal.next_s is None, "nothing has happened since"


def test_what_was_counted_is_written_at_the_end_and_all_is_read_in_the_order_of_time(tmp_path: Path) -> None:
    journal = SecurityJournal(tmp_path)
    journal.note([event("eve", 1), event("gateway", 2, RESTART), event("eve", 3)], 0.0)
    journal.close()
    found = [(each.kind, each.last_ns) for each in SecurityReader(tmp_path).read()]
    assert found == [(REFUSED, 1), (RESTART, 2), (REFUSED, 3)]


def test_a_flood_of_100_000_keys_stays_small_and_washes_nothing_away(tmp_path: Path) -> None:
    journal = SecurityJournal(tmp_path)
    journal.note([event("gateway", 1, RESTART)], 0.0)
    for number in range(100_000):
        now_s = number / 100
        journal.note([event(f"{number:064x}", number, words="w" * 200)], now_s)
        if number % 1_000 == 0:
            journal.settle(now_s)
    journal.close()
    names = sorted(path.name for path in (tmp_path / DIRECTORY).iterdir())
    assert set(names) <= {"refused_key.jsonl", "refused_key.1.jsonl", "restart.jsonl"}
    assert size_bytes(tmp_path) <= 2 * MAX_FILE_BYTES + 1_024
    found = SecurityReader(tmp_path).read()
    assert [each.who for each in found if each.kind is RESTART] == ["gateway"]
    others = sum(each.count for each in found if each.who == OTHERS)
    assert others > 100_000 / 2, "they are counted, not forgotten"
    assert len({each.who for each in found}) > MAX_NAMED, "later ones are named, too"


def test_a_full_file_is_set_aside_and_the_one_before_makes_room(tmp_path: Path) -> None:
    journal, reader = SecurityJournal(tmp_path), SecurityReader(tmp_path)
    seen = 0
    for number in range(3_000):
        journal.note([event("eve", number, words="w" * 200)], now_s := number * 2 * WINDOW_S)
        journal.settle(now_s + WINDOW_S)
        if number % 100 == 99:
            seen += len(reader.read())
    path = path_of(tmp_path, REFUSED)
    assert MAX_FILE_BYTES - 1_024 < older_of(path).stat().st_size <= MAX_FILE_BYTES
    assert path.stat().st_size <= MAX_FILE_BYTES
    assert len(list(path.parent.iterdir())) == 2
    assert seen == 3_000, "who reads on misses nothing and sees nothing twice"
    assert SecurityReader(tmp_path).read()[-1].last_ns == 2_999


def test_a_line_that_was_cut_or_is_none_is_passed_over_and_one_under_way_waited_for(tmp_path: Path) -> None:
    journal, reader = SecurityJournal(tmp_path), SecurityReader(tmp_path)
    journal.note([event("ann", 1)], 0.0)
    path = path_of(tmp_path, REFUSED)
    line = path.read_bytes()
    path.write_bytes(
        line + line[:40] + b"\n" + b'{"kind":"magic"}\n' + b"\xff\n" + line.replace(b"ann", b"ben") + line[:9]
    )
    assert [each.who for each in reader.read()] == ["ann", "ben"]
    with path.open("ab") as file:
        file.write(line[9:])
    assert [each.who for each in reader.read()] == ["ann"]


def test_a_house_without_a_state_and_a_disk_that_takes_nothing_raise_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    SecurityJournal(nowhere).note([event("ann", 1)], 0.0)
    assert not nowhere.exists()
    assert SecurityReader(nowhere).read() == []
    (tmp_path / DIRECTORY).write_text("in the way")
    journal = SecurityJournal(tmp_path)
    journal.note([event("ann", 1)], 0.0)
    (tmp_path / DIRECTORY).unlink()
    journal.settle(WINDOW_S)
    assert [each.who for each in SecurityReader(tmp_path).read()] == ["ann"], "it is tried again"


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    SecurityJournal(tmp_path).note([event("ann", 1)], 0.0)
    path = path_of(tmp_path, REFUSED)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
