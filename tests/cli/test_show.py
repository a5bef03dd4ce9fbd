from __future__ import annotations

import json
from typing import Any


def facts(text: str) -> dict[str, str]:
    return dict(line.split("\t")[:2] for line in text.splitlines())


def test_terms_state_and_bids_are_shown_newest_first(fair: Any) -> None:
    done = fair.run("show", "quick", "--key", "alice", "--bids", "2")
    assert done.status == 0, done.err
    shown = facts(done.out)
    assert shown["item"] == "Quick [31mlot"
    assert shown["starting price"] == "100.00EUR"
    assert shown["increment"] == "5.00EUR"
    assert shown["duration"] == "1s500ms"
    assert shown["reserve"] == "none"
    assert shown["phase"] == "closed"
    assert shown["result"].startswith("sold to bob at ")
    assert shown["leader"] == "bob"
    assert len(shown["root"]) == 64
    lines = done.out.splitlines()
    assert lines[-3] == "entry\ttime\tbidder\tbid"
    newest, older = (line.split("\t") for line in lines[-2:])
    assert newest[2:] == ["bob", shown["price"]]
    assert int(newest[0]) > int(older[0])


def test_what_still_waits_shows_its_deadline_and_the_next_minimum(fair: Any) -> None:
    shown = facts(fair.run("show", "waiting-lot", "--key", "alice").out)
    assert shown["phase"] == "announced"
    assert " left" in shown["starts by"]
    assert shown["minimum"] == "10JPY"
    assert shown["opens"] == "once 3 bidders have joined, within 1h"
    assert "result" not in shown


def test_json_has_the_terms_every_bid_and_the_signed_head(fair: Any) -> None:
    done = fair.run("show", "quick", "--key", "bob", "--json")
    record = json.loads(done.out)
    assert record["schema"] == "auctionctl.show/1"
    assert record["terms"]["increment"] == {"fixed": {"minor": 500, "currency": "EUR"}}
    assert record["terms"]["reserve_commitment"] is None
    assert len(record["bid_entries"]) == record["bids"]
    assert record["bid_entries"][0]["amount"] == record["price"]
    assert record["bid_entries"][0]["bidder"] == record["winner"]
    assert record["head"]["size"] == record["log_size"]
    assert len(json.loads(fair.run("show", "quick", "--key", "bob", "--json", "--bids", "1").out)["bid_entries"]) == 1


def test_no_bids_are_shown_where_none_are_asked_for(fair: Any) -> None:
    assert "entry\ttime" not in fair.run("show", "quick", "--key", "alice", "--bids", "0").out


def test_an_auction_that_there_is_not_is_not_found(fair: Any) -> None:
    done = fair.run("show", "quik", "--key", "alice")
    assert done.status == 3
    assert "did you mean quick?" in done.err
