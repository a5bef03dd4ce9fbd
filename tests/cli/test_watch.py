from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import pexpect
import pyte
import pytest

from auctionctl.cli.clock_heads import clock_words
from auctionctl.cli.output import Form
from auctionctl.cli.watch import Recent, write_clock_off
from auctionctl.replica.export import decode_export
from auctionctl.replica.replica import Replica
from auctionctl.wire.messages import Entries


def test_a_pipe_gets_every_entry_as_a_line(fair: Any) -> None:
    done = fair.outputs["watch"]
    assert done.status == 0, done.err
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert [int(line[3]) for line in lines] == list(range(len(lines)))
    kinds = [line[4] for line in lines]
    assert (kinds[0], kinds[-1]) == ("terms", "closed")
    assert kinds.count("joined") == 2
    assert lines[-1][5] == "bob"
    assert lines[-1][6].startswith("completed ")
    assert any(line[5] == "you" for line in lines)


def test_json_gives_every_entry_as_an_object(fair: Any) -> None:
    done = fair.outputs["watch-json"]
    assert done.status == 0, done.err
    records = [json.loads(line) for line in done.out.splitlines()]
    assert [record["index"] for record in records] == list(range(len(records)))
    bids = [record for record in records if record["kind"] == "bid"]
    assert records[-1]["price"] == bids[-1]["amount"]
    assert records[-1]["winner"] == bids[-1]["bidder"]


def test_an_auction_that_there_is_not_is_not_watched(fair: Any) -> None:
    assert fair.run("watch", "nothing", "--key", "alice").status == 3


def terminal(fair: Any, *arguments: str) -> Any:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    return pexpect.spawn(
        sys.executable,
        ["-P", "-m", "auctionctl", *arguments],
        env=environment | {"AUCTIONCTL_HOME": str(fair.home), "TERM": "xterm-256color", "COLUMNS": "", "LINES": ""},
        dimensions=(12, 90),
        timeout=20,
        encoding="utf-8",
    )


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_board_draws_itself_and_gives_the_terminal_back(fair: Any, number: int, status: int) -> None:
    child = terminal(fair, "watch", "--key", "alice")
    child.expect("waits [0-9]+:.*sold")
    screen = pyte.Screen(90, 12)
    pyte.Stream(screen).feed(child.before + child.after)
    text = "\n".join(screen.display)
    assert "Waiting lot" in text
    assert "Quick [31mlot" in text
    assert "sold" in text
    child.kill(number)
    child.expect(pexpect.EOF)
    # Out of the alternate screen, and the cursor is visible again.
    assert "\x1b[?1049l" in child.before
    assert "\x1b[?25h" in child.before
    child.close()
    assert child.exitstatus == status


def test_a_board_of_what_has_ended_leaves_a_table(fair: Any) -> None:
    child = terminal(fair, "watch", "quick", "--key", "alice")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    after = child.before.rpartition("\x1b[?1049l")[2]
    assert "sold to bob" in after


def replica_of(sold: Any) -> Replica:
    replica = Replica(sold.house.key.identity, sold.auction)
    export = decode_export(sold.data)
    replica.extend(Entries(sold.auction, 0, export.entries, export.checkpoint))
    return replica


def test_what_ended_long_ago_is_left_out_and_counted(sold: Any) -> None:
    replica = replica_of(sold)
    ended_ns = replica.replay.state.last_time_ns
    late = Recent(100, lambda: ended_ns + 101)
    assert late.among([replica]) == []
    assert late.words == "1 auction that ended more than an hour ago left out"
    assert Recent(None, lambda: ended_ns + 101).among([replica]) == [replica]


def test_what_was_once_shown_stays_as_time_goes_by(sold: Any) -> None:
    replica = replica_of(sold)
    now_ns = [replica.replay.state.last_time_ns + 100]
    recent = Recent(100, lambda: now_ns[0])
    assert recent.among([replica]) == [replica]
    now_ns[0] += 1_000
    assert recent.among([replica]) == [replica]
    assert recent.words == ""


def test_nothing_is_decided_about_a_log_that_is_still_coming_in(sold: Any) -> None:
    replica = Replica(sold.house.key.identity, sold.auction)
    export = decode_export(sold.data)
    replica.extend(Entries(sold.auction, 0, export.entries[:2], export.checkpoint))
    recent = Recent(100, lambda: 2**62)
    assert not recent.is_decided(replica)
    assert recent.among([replica]) == []
    assert recent.words == ""


def test_a_clock_that_is_off_is_told_to_people_and_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    write_clock_off(6_000_000_000, Form.PLAIN)
    assert capsys.readouterr() == ("", f"{clock_words(6_000_000_000)}\n")
    write_clock_off(6_000_000_000, Form.JSON)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"schema": "auctionctl.clock/1", "event": "clock_off", "ahead_ns": 6_000_000_000}
    assert "6 s ahead" in err
