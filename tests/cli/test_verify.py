from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auctionctl.keys.signing import SecretKey

OTHER = SecretKey(bytes([99]) * 32).identity.text


def test_a_true_log_verifies_and_its_end_is_told(sold: Any, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.auction"
    path.write_bytes(sold.data)
    done = run("verify", path)
    assert done.status == 0
    assert "completed" in done.out
    assert "120.00EUR" in done.out
    assert sold.house.bidders[1].identity.short in done.out
    assert "as the file claims" in done.out
    assert "\x1b" not in done.out
    known = run("verify", path, "--house", f"auction://{sold.house.key.identity.text}@localhost")
    assert known.status == 0
    assert "as the file claims" not in known.out


def test_json_gives_programs_the_same(sold: Any, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.auction"
    path.write_bytes(sold.data)
    record = json.loads(run("verify", path, "--json", "--house", sold.house.key.identity.text).out)
    assert record["schema"] == "auctionctl.verify/1"
    assert record["verified"] is True
    assert record["house_is_claimed"] is False
    assert record["price"] == {"minor": 12_000, "currency": "EUR"}
    assert record["winner"] == sold.house.bidders[1].identity.signing.hex()
    assert (record["bids"], record["contested"], record["is_finished"]) == (2, [], True)


def test_a_log_from_stdin_verifies_too(sold: Any, program: Any) -> None:
    assert program("verify", "-", input_bytes=sold.data).status == 0


def test_a_true_beginning_is_unfinished_and_not_wrong(sold: Any, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.auction"
    path.write_bytes(sold.house.export(sold.auction, 5))
    done = run("verify", path)
    assert done.status == 0
    assert "unfinished" in done.out
    assert "best bid" in done.out


def test_a_bid_that_claims_another_history_is_a_warning(memory_house: Any, sold: Any, run: Any, tmp_path: Path) -> None:
    house = memory_house
    auction = house.announce(_lot())
    for bidder in (0, 1):
        house.join(bidder, auction)
    house.wait(1)
    house.bid(0, auction, 20_000, (2, bytes(32)))
    house.wait(6)
    path = tmp_path / "x.auction"
    path.write_bytes(house.export(auction))
    done = run("verify", path)
    assert done.status == 0
    assert "warning: bid 4 claims to have seen another history" in done.err


def _lot() -> Any:
    from auctionctl.auction.terms import SECOND_NS
    from auctionctl.wire.listing import LotDescription

    return LotDescription("other", "Other", "EUR", 100, duration_ns=5 * SECOND_NS, min_bidders=2)


def test_a_lot_that_nobody_wanted_has_neither_winner_nor_price(memory_house: Any, run: Any, tmp_path: Path) -> None:
    auction = memory_house.announce(_lot())
    memory_house.wait(601)
    path = tmp_path / "x.auction"
    path.write_bytes(memory_house.export(auction))
    done = run("verify", path)
    assert done.status == 0
    assert "cancelled" in done.out
    assert "price" not in done.out


@pytest.mark.parametrize("line", [2, 3, 5, 7, 8])
def test_one_changed_bit_is_found_and_named(sold: Any, run: Any, tmp_path: Path, line: int) -> None:
    lines = sold.data.split(b"\n")
    entry = bytearray(base64.b64decode(lines[line]))
    entry[-1 - 70 * (len(entry) > 80)] ^= 1
    lines[line] = base64.b64encode(bytes(entry))
    path = tmp_path / "x.auction"
    path.write_bytes(b"\n".join(lines))
    done = run("verify", path)
    assert done.status == 7
    assert done.out == ""
    assert f"entry {line - 2}: " in done.err or "log: " in done.err
    error = json.loads(run("verify", path, "--json").err)["error"]
    assert error["code"] == "verification_failed"


def test_a_log_of_another_house_than_the_one_known_fails(sold: Any, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.auction"
    path.write_bytes(sold.data)
    done = run("verify", path, "--house", OTHER)
    assert done.status == 7
    assert "another house" in done.err


@pytest.mark.parametrize("data", [b"", b"\n\n", b"hello", b"\xff\xfe" * 100, b"auctionctl-log/v1\n0\n\n", bytes(5000)])
def test_what_is_no_log_fails_without_a_traceback(run: Any, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    done = run("verify", path)
    assert done.status == 7
    assert done.err.startswith("auctionctl: ")
    assert "Traceback" not in done.err


def test_a_file_that_cannot_be_read_is_named(run: Any, tmp_path: Path) -> None:
    missing = run("verify", tmp_path / "missing")
    assert missing.status == 3
    assert str(tmp_path / "missing") in missing.err
    assert run("verify", tmp_path).status == 78
    assert run("verify", tmp_path, "--house", "auc1nonsense").status == 2


def test_a_receipt_verifies_by_itself(sold: Any, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.tlog-proof"
    path.write_text(sold.house.receipts[sold.commands[0]])
    done = run("verify", path)
    assert done.status == 0
    assert "entry 4 is in the log" in done.out
    assert "bid 100.00EUR" in done.out
    assert sold.house.bidders[0].identity.short in done.out
    record = json.loads(run("verify", path, "--json").out)
    assert (record["kind"], record["entry"], record["index"]) == ("receipt", "bid", 4)


def test_a_receipt_of_a_joining_verifies_too(sold: Any, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.tlog-proof"
    path.write_text(next(text for command, text in sold.house.receipts.items() if command not in sold.commands))
    done = run("verify", path)
    assert done.status == 0
    assert "joined" in done.out


def _proof(sold: Any) -> Any:
    from auctionctl.tlog.proof import decode_receipt

    return decode_receipt(sold.house.receipts[sold.commands[0]])


def _with_extra(sold: Any, index: int, extra: bytes) -> str:
    """A receipt of the house's own making for any entry of the log."""
    from auctionctl.tlog.proof import TlogProof, encode_proof

    log = sold.house.house.log(sold.auction)
    return encode_proof(TlogProof(index, log.tree.inclusion(index), log.checkpoint, extra))


def test_a_receipt_whose_entry_is_another_one_fails(sold: Any, run: Any, tmp_path: Path) -> None:
    entries = sold.house.entries[f"auction/{sold.auction.hex()}"]
    path = tmp_path / "x.tlog-proof"
    for text, rule in [
        (_with_extra(sold, 4, entries[5]), "inclusion"),
        (_with_extra(sold, 4, b""), "does not hold its entry"),
        (_with_extra(sold, 3, entries[3]), "not for opened"),
        (_with_extra(sold, 4, b"junk"), "inclusion"),
        (sold.house.receipts[sold.commands[0]].replace("index 4", "index 04"), "format"),
        ("c2sp.org/tlog-proof@v1\n", "format"),
    ]:
        path.write_text(text)
        done = run("verify", path)
        assert done.status == 7, text
        assert rule in done.err


def test_a_receipt_of_terms_verifies_too(sold: Any, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.tlog-proof"
    path.write_text(sold.house.terms_receipt(sold.auction))
    done = run("verify", path)
    assert done.status == 0, done.err
    assert "entry      terms Gold watch\n" in done.out
    record = json.loads(run("verify", path, "--json").out)
    assert (record["entry"], record["id"], record["index"]) == ("terms", sold.auction.hex(), 0)
    assert record["seller"] == sold.house.key.identity.signing.hex()
    assert "bidder" not in record


def test_a_receipt_of_another_house_fails(sold: Any, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.tlog-proof"
    path.write_text(sold.house.receipts[sold.commands[0]])
    done = run("verify", path, "--house", OTHER)
    assert done.status == 7
    assert "another house" in done.err


def test_an_entry_that_a_lying_house_logged_is_no_command_of_its_bidder(sold: Any, run: Any, tmp_path: Path) -> None:
    """In the tree and under a true checkpoint, and yet not signed by the bidder, or meant for another auction."""
    from auctionctl.auction.bid import decode_bid, encode_bid
    from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
    from auctionctl.tlog.entry import Entry, Kind, decode, encode
    from auctionctl.tlog.merkle import Tree, leaf_hash
    from auctionctl.tlog.proof import TlogProof, encode_proof
    from auctionctl.wire.frames import sign_body

    house = sold.house
    entry = decode(house.entries[f"auction/{sold.auction.hex()}"][4])
    bid = decode_bid(entry.body)
    elsewhere = sign_body(house.bidders[0], encode_bid(_moved(bid)))
    lies = [
        (Entry(Kind.BID, entry.time_ns, entry.body, bytes(64)), "signature"),
        (Entry(Kind.BID, entry.time_ns, *elsewhere), "wrong_auction"),
        (Entry(Kind.BID, entry.time_ns, b"junk", bytes(64)), "entry"),
    ]
    for lie, rule in lies:
        data, tree = encode(lie), Tree()
        tree.append(leaf_hash(data))
        note = CheckpointSigner(origin_of(house.key.identity.text, f"auction/{sold.auction.hex()}"), house.key).sign(
            1, tree.root()
        )
        path = tmp_path / "x.tlog-proof"
        path.write_text(encode_proof(TlogProof(0, b"", note, data)))
        done = run("verify", path)
        assert done.status == 7
        assert f"entry 0: {rule}: " in done.err


def _moved(bid: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(bid, auction=bytes(32))


def test_an_auction_of_a_house_is_fetched_and_verified_like_its_file(fair: Any, tmp_path: Path) -> None:
    path = tmp_path / "quick.auction"
    assert fair.run("export", "quick", "-o", path, "--key", "alice").status == 0
    of_file = json.loads(fair.run("verify", path, "--house", fair.address, "--json").out)
    of_house = json.loads(fair.run("verify", "quick", "--key", "alice", "--json").out)
    assert of_house == of_file
    assert not of_house["house_is_claimed"]
    assert fair.run("verify", of_house["id"][:8], "--key", "alice").status == 0
    assert fair.run("verify", "quik", "--key", "alice").status == 3


def test_what_looks_like_a_file_is_looked_for_as_one(run: Any, tmp_path: Path) -> None:
    for name in ("missing.auction", "receipt.tlog-proof", tmp_path / "x"):
        done = run("verify", name)
        assert done.status == 3
        assert "there is no file" in done.err


def test_a_log_is_held_against_a_copy_of_the_registry(sold: Any, run: Any, tmp_path: Path) -> None:
    log, registry, shorter = tmp_path / "x.auction", tmp_path / "registry.auction", tmp_path / "shorter.auction"
    log.write_bytes(sold.data)
    registry.write_bytes(sold.house.registry_export())
    done = run("verify", log, "--registry", registry, "--json")
    assert done.status == 0, done.err
    assert json.loads(done.out)["registry_checked"] is True
    assert json.loads(run("verify", log, "--json").out)["registry_checked"] is False
    index = sold.house.house.registry.state.auctions[sold.auction].entry_index
    assert f"announces it, in entry {index}" in run("verify", log, "--registry", registry).out
    shorter.write_bytes(_registry_file(sold.house, sold.house.entries["registry"][:index]))
    done = run("verify", log, "--registry", shorter)
    assert (done.status, "take a newer copy" in done.err) == (7, True)
    for lines in (["verify", registry, "--registry", registry], ["verify", "-", "--registry", "-"]):
        assert run(*lines).status == 2


def test_a_log_that_another_registry_announced_fails(sold: Any, run: Any, tmp_path: Path) -> None:
    from auctionctl.replica.registry import decode_registry_event, encode_registry_event
    from auctionctl.tlog.entry import Kind, decode, encode

    log, registry = tmp_path / "x.auction", tmp_path / "registry.auction"
    log.write_bytes(sold.data)
    others = []
    for data in sold.house.entries["registry"]:
        entry = decode(data)
        event = decode_registry_event(entry.kind, entry.body)
        if entry.kind is Kind.ADMITTED:
            event = msgspec.structs.replace(event, name="other")
        others.append(encode(msgspec.structs.replace(entry, body=encode_registry_event(event))))
    registry.write_bytes(_registry_file(sold.house, others))
    assert run("verify", registry).status == 0, "each verifies by itself"
    done = run("verify", log, "--registry", registry)
    assert (done.status, "announced in another registry than this" in done.err) == (7, True)
    registry.write_bytes(_registry_file(type(sold.house)(key=sold.house.bidders[0]), others[:1]))
    assert run("verify", log, "--registry", registry).status == 7


def _registry_file(house: Any, entries: list[bytes]) -> bytes:
    from auctionctl.replica.export import encode_export
    from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
    from auctionctl.tlog.merkle import Tree, leaf_hash

    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    signer = CheckpointSigner(origin_of(house.key.identity.text, "registry"), house.key)
    return encode_export(entries, signer.sign(tree.size, tree.root()))
