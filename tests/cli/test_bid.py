from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_who_wins_a_lot_exits_with_0_and_who_wins_none_with_6(fair: Any) -> None:
    assert fair.outputs["bob"].status == 0, fair.outputs["bob"].err
    assert fair.outputs["alice"].status == 6, fair.outputs["alice"].err


def test_every_event_is_a_line_for_programs(fair: Any) -> None:
    told = events(fair.outputs["bob"].out)
    kinds = [event["event"] for event in told]
    assert kinds[0] == "joined"
    assert kinds[-2:] == ["ended", "summary"]
    assert "placed" in kinds
    assert told[-1]["auctions"][0]["result"] == "won"
    accepted = [event for event in told if event["event"] == "accepted"]
    assert accepted[-1]["amount"] == told[-1]["auctions"][0]["price"]
    assert all(event["listing"] == "quick" for event in told[:-1])


def test_every_event_is_a_line_for_people_and_a_table_ends_it(fair: Any) -> None:
    lines = fair.outputs["alice"].out.splitlines()
    assert any(line.startswith("accepted\tquick\t") for line in lines)
    assert not any(line.startswith(("joined\t", "placed\t")) for line in lines), "that is for -v"
    assert any(line.startswith("outbid\tquick\t") for line in lines)
    assert any(line.startswith("ended\tquick\tlost\tcompleted\t") for line in lines)
    assert lines[-3] == "lot\tauction\tresult\tprice\tmy bids\tend\twinner"
    assert lines[-2].startswith("Quick [31mlot\t")
    assert lines[-2].endswith("\tbob")
    assert lines[-1].startswith("total\twon 0\tlost 1\tspent 0.00EUR\tsaved ")


def test_every_acceptance_left_a_private_receipt_that_verifies(fair: Any) -> None:
    accepted = [event for event in events(fair.outputs["bob"].out) if event["event"] == "accepted"]
    path = Path(accepted[-1]["receipt"])
    assert path.parent.parent == fair.home / "state/receipts"
    assert path.parent.name == f"quick-{accepted[-1]['auction'][:12]}"
    amount = accepted[-1]["amount"]["minor"]
    assert path.name.startswith(f"{accepted[-1]['seq']}-{amount // 100}.{amount % 100:02}EUR-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    done = fair.run("verify", path, "--house", fair.address, "--json")
    assert done.status == 0, done.err
    assert json.loads(done.out)["index"] == accepted[-1]["index"]
    assert not list(path.parent.glob("*.new"))


def test_an_auction_that_there_is_not_is_answered_with_those_that_there_are(fair: Any) -> None:
    done = fair.run("bid", "quik", "--strategy", "smart", "--budget", "1EUR", "--key", "alice")
    assert done.status == 3
    assert "(quick)" in done.err
    assert "did you mean quick?" in done.err


def test_a_budget_in_another_currency_is_refused_before_anything_is_joined(fair: Any) -> None:
    done = fair.run("bid", "waiting-lot", "--strategy", "smart", "--budget", "1EUR", "--key", "alice")
    assert done.status == 2
    assert "--budget: it is in EUR, and the auction waiting-lot is in JPY" in done.err


def test_a_key_that_is_not_on_the_list_is_told_who_can_help(fair: Any) -> None:
    done = fair.run("bid", "--all", "--strategy", "smart", "--budget", "1EUR", "--key", "mallory")
    assert done.status == 4, done.err
    assert "auctionctl allow add" in done.err


def test_bidding_in_all_skips_what_is_in_another_currency(fair: Any) -> None:
    done = fair.run("bid", "--all", "--strategy", "smart", "--budget", "100EUR", "--key", "alice")
    assert done.status == 6, done.err
    assert "skipped\twaiting-lot\t" in done.out
    assert "ended\tquick\tlost\tcompleted\t" in done.out


def test_what_fits_a_pattern_is_bid_in_and_what_is_not_for_us_is_left_out(fair: Any) -> None:
    done = fair.run("bid", "--match", "*", "--strategy", "smart", "--budget", "100EUR", "--key", "alice", "-v")
    assert done.status == 6, done.err
    assert "waiting-lot" not in done.out
    assert "ended\tquick\tlost\tcompleted\t" in done.out
    done = fair.run("bid", "--match", "gpu-*", "--strategy", "smart", "--budget", "100EUR", "--key", "alice")
    assert done.status == 3
    assert "no auction fits 'gpu-*'; there are: " in done.err
    done = fair.run("bid", "--match", "waiting*", "--strategy", "smart", "--budget", "100EUR", "--key", "alice")
    assert done.status == 2
    assert "--match: what fits is in another currency than EUR" in done.err
    watched = fair.run("watch", "--match", "q*", "--key", "alice")
    assert {line.split("\t")[2] for line in watched.out.splitlines()} == {"quick"}, watched.err
    listed = fair.run("ls", "--match", "q*", "--key", "alice", "--json")
    assert [auction["listing"] for auction in json.loads(listed.out)["auctions"]] == ["quick"]


def test_a_cap_in_another_currency_than_the_budget_is_a_slip_of_the_hand(fair: Any) -> None:
    plan = ("--strategy", "smart", "--budget", "100EUR", "--key", "alice")
    done = fair.run("bid", "--all", *plan, "--max-per-auction", "10JPY")
    assert done.status == 2
    assert "--max-per-auction: " in done.err
    done = fair.run("bid", "quick", "--amount", "10EUR", "--max-per-auction", "10JPY", "--key", "alice")
    assert done.status == 2
    assert "--max-per-auction: " in done.err


def test_a_house_that_is_not_there_is_unreachable_by_name(fair: Any) -> None:
    address = fair.address.rpartition(":")[0] + ":1"
    done = fair.run("bid", "--all", "--strategy", "smart", "--budget", "1EUR", "--key", "alice", "--house", address)
    assert done.status == 5
    assert "127.0.0.1:1" in done.err


def test_an_address_with_another_house_s_key_is_not_answered(fair: Any) -> None:
    from auctionctl.keys.signing import SecretKey

    address = f"auction://{SecretKey(bytes(32)).identity.text}@{fair.address.rpartition('@')[2]}"
    assert fair.run("ls", "--key", "alice", "--house", address).status == 5
