"""What the manual says of JSON is what commands write: no field is missing, and none is invented."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from auctionctl.auction.phase import SETTLEMENT, TRANSITIONS, Stage
from auctionctl.cli import bid_events, bid_once, demo, records, watch
from auctionctl.cli.manual.commands import program, schemas_of, walk, writes_json
from auctionctl.cli.manual.json_fields import AUCTION, ENTRY, FIELDS
from auctionctl.cli.records import auction_record
from auctionctl.replica.audit import audit

from ..conftest import Run, Sold

ADDRESS_OF = "auction://{}@127.0.0.1:8888"


def keys_in(function: Callable[..., object]) -> set[str]:
    """Every text that is a key of a dict, or the name of a field, written in the source of ``function``."""
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function)))
    dicts = [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    return {key.value for each in dicts for key in each.keys if isinstance(key, ast.Constant)}


def fields(document: dict[str, Any], *lists: str) -> set[str]:
    """The fields of a document and of what its lists hold, but for the name of its schema."""
    found = set(document) - {"schema"}
    for name in lists:
        assert document[name]
        found |= {field for each in document[name] for field in each}
    return found


def said(command: str) -> set[str]:
    return {field for schema in FIELDS[command].values() for field in schema}


def test_every_schema_belongs_to_a_command_that_writes_json() -> None:
    writing = {"-".join(entry.words) for entry in walk(program()) if writes_json(entry)}
    assert set(FIELDS) <= writing


def test_an_auction_and_its_entries_have_the_fields_that_are_said(sold: Sold) -> None:
    auction = audit(sold.data, sold.house.key.identity).auction
    assert list(auction_record(auction)) == list(AUCTION)
    assert keys_in(records.fact_record) | keys_in(records.entry_record) == set(ENTRY)


def test_keys_allow_list_and_contexts_have_the_fields_that_are_said(run: Run) -> None:
    made = json.loads(run("keygen", "alice", "--json").out)
    assert fields(made) == said("keygen")
    assert fields(json.loads(run("key", "show", "--json").out)) == said("key-show")
    assert fields(json.loads(run("key", "ls", "--json").out), "keys") == said("key-ls")
    assert fields(json.loads(run("key", "export", "alice", "--json").out)) == said("key-export")
    file = Path(made["path"])
    assert fields(json.loads(run("key", "import", file, "copy", "--json").out)) == said("key-import")
    assert fields(json.loads(run("key", "rm", "copy", "--yes", "--json").out)) == said("key-rm")
    added = json.loads(run("allow", "add", made["public_key"], "alice", "--json").out)
    assert fields(added) == said("allow-add")
    assert fields(json.loads(run("allow", "ls", "--json").out), "entries") == said("allow-ls")
    assert fields(json.loads(run("allow", "rm", "alice", "--json").out)) == said("allow-rm")
    address = ADDRESS_OF.format(made["public_key"])
    for words in (("add", "fair", address), ("use", "fair"), ("rm", "fair")):
        document = json.loads(run("context", *words, "--json").out)
        assert document["schema"] in FIELDS[f"context-{words[0]}"]
        assert fields(document) == said(f"context-{words[0]}")
    run("context", "add", "fair", address)
    assert fields(json.loads(run("context", "ls", "--json").out), "contexts") == said("context-ls")


def test_settings_and_findings_have_the_fields_that_are_said(run: Run) -> None:
    assert fields(json.loads(run("init", "--json").out)) == said("init")
    assert fields(json.loads(run("config", "path", "--json").out)) == said("config-path")
    assert fields(json.loads(run("config", "show", "--json").out), "settings") == said("config-show")
    assert fields(json.loads(run("config", "check", "--json").out), "findings") == said("config-check")
    assert fields(json.loads(run("doctor", "--json").out), "findings") == said("doctor")


def test_what_comes_of_a_house_has_the_fields_that_are_said(fair: Any, tmp_path: Path) -> None:
    listed = json.loads(fair.run("ls", "--key", "alice", "--json").out)
    assert fields(listed, "auctions") == said("ls")
    file = tmp_path / "quick.auction"
    assert fields(json.loads(fair.run("export", "quick", "-o", file, "--key", "alice", "--json").out)) == said("export")
    for command in ("show", "result"):
        assert fields(json.loads(fair.run(command, "quick", "--key", "alice", "--json").out)) == said(command)
    raw = [json.loads(line) for line in fair.run("events", "quick", "--raw", "--key", "alice").out.splitlines()]
    assert {"body", "signature"} <= set().union(*map(fields, raw)) <= said("events")
    lines = fair.run("watch", "quick", "--key", "alice", "--json").out.splitlines()
    entries = [json.loads(line) for line in lines]
    of_entries, of_clock = FIELDS["watch"]
    assert {entry["schema"] for entry in entries} == {of_entries}
    assert set().union(*map(fields, entries)) <= set(FIELDS["watch"][of_entries])
    assert keys_in(watch.write_clock_off) == set(FIELDS["watch"][of_clock])


def test_what_is_verified_has_the_fields_that_are_said(run: Run, sold: Sold, tmp_path: Path) -> None:
    log, receipt = tmp_path / "a.auction", tmp_path / "b.tlog-proof"
    log.write_bytes(sold.data)
    receipt.write_text(sold.house.receipts[sold.commands[1]])
    of_log = fields(json.loads(run("verify", log, "--json").out))
    of_receipt = fields(json.loads(run("verify", receipt, "--json").out))
    receipt.write_text(sold.house.terms_receipt(sold.auction))
    of_terms = fields(json.loads(run("verify", receipt, "--json").out))
    log.write_bytes(sold.house.registry_export())
    of_registry = fields(json.loads(run("verify", log, "--json").out))
    assert of_log | of_receipt | of_terms | of_registry == said("verify")


def test_a_demo_has_the_fields_that_its_source_writes() -> None:
    written = set().union(*(keys_in(inspect.unwrap(each)) for each in (demo._write_results, demo._verdict)))
    assert written <= said("demo")
    assert said("demo") <= written | set(AUCTION) | {"receipts_verified"}


def test_what_comes_of_bids_has_the_fields_that_are_said() -> None:
    once = (bid_once.judge_once, bid_once._refused, bid_once._answer, bid_once._accepted, bid_once._write)
    assert set().union(*map(keys_in, (bid_events.BidEvents, bid_events._totals_record, *once))) == set(
        FIELDS["bid"]["auctionctl.bid/1"]
    )


def test_every_kind_of_entry_is_among_the_kinds_that_are_said() -> None:
    assert set(re.findall(r"`(\w+)`", ENTRY["kind"])) == {kind for _, kind in (*TRANSITIONS, *SETTLEMENT)}


def test_every_field_and_stage_of_a_settlement_is_among_those_that_are_said() -> None:
    assert keys_in(records.settlement_record) | set(Stage) == set(re.findall(r"`(\w+)`", AUCTION["settlement"]))


def test_commands_of_which_nothing_is_said_are_few_and_known() -> None:
    entries = list(walk(program()))
    silent = {"-".join(entry.words) for entry in entries if writes_json(entry) and not schemas_of(entry, entries)}
    assert silent <= {"serve"}, "say what their JSON holds, in auctionctl/cli/manual/json_fields.py"
