from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import Entry, Kind, encode


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_verified_entry_is_an_object_a_line(fair: Any) -> None:
    done = fair.run("events", "quick", "--key", "alice")
    assert done.status == 0, done.err
    told = records(done.out)
    assert [each["index"] for each in told] == list(range(len(told)))
    assert {each["schema"] for each in told} == {"auctionctl.entry/1"}
    assert (told[0]["kind"], told[-1]["kind"]) == ("terms", "closed")
    assert told[-1]["price"] == [each for each in told if each["kind"] == "bid"][-1]["amount"]
    assert fair.run("events", "quick", "--key", "alice", "--json", "--follow").out == done.out


def test_one_may_begin_later(fair: Any) -> None:
    told = records(fair.run("events", "quick", "--since", "3", "--key", "alice").out)
    assert told[0]["index"] == 3


def test_raw_entries_are_enough_to_replay_the_log_elsewhere(fair: Any) -> None:
    told = records(fair.run("events", "quick", "--raw", "--key", "alice").out)
    shown = json.loads(fair.run("show", "quick", "--json", "--key", "alice").out)
    replay = Replay(bytes.fromhex(shown["terms"]["house"]), bytes.fromhex(shown["id"]))
    for each in told:
        body, signature = bytes.fromhex(each["body"]), bytes.fromhex(each["signature"])
        replay.apply(encode(Entry(Kind(each["kind"]), each["time_ns"], body, signature)))
    assert replay.tree.root().hex() == shown["head"]["root"]


def test_people_get_words(fair: Any) -> None:
    for form in ("table", "plain"):
        lines = fair.run("events", "quick", "-o", form, "--key", "alice").out.splitlines()
        assert lines[0].split("\t")[4] == "terms"
        assert any("\tbob\t" in line for line in lines)


def test_two_forms_at_once_and_raw_words_are_refused(fair: Any) -> None:
    assert fair.run("events", "quick", "--raw", "-o", "table").status == 2
    assert fair.run("events", "quick", "--json", "-o", "table").status == 2


def test_a_reader_who_goes_ends_it_without_a_word(fair: Any) -> None:
    following = fair.start("events", "waiting-lot", "--follow", "--key", "alice")
    # The first line comes at once, although nothing more will for an hour.
    assert json.loads(following.stdout.readline())["kind"] == "terms"
    following.kill()
    following.communicate()
    whole = fair.start("events", "quick", "--key", "alice")
    head = subprocess.run(
        [sys.executable, "-c", "input()"], stdin=whole.stdout, stderr=subprocess.PIPE, timeout=60, check=False
    )
    whole.stdout.close()
    assert head.returncode == 0
    assert whole.stderr.read() == b""
    whole.wait(60)
    whole.stderr.close()
