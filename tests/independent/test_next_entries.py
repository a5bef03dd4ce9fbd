"""Whatever entry is put next, honestly or not, both programs take it, or refuse it by the same word."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from auctionctl.cli.manual.log_bodies import BODIES, OF_AUCTIONS
from auctionctl.cli.manual.log_commands import OF_OPERATORS, OF_THE_SALE, operator_refusals, sale_refusals
from auctionctl.cli.manual.log_rules import BID_REFUSALS, BY_PHASE, JOIN_REFUSALS


def put_everything(table: Any) -> Counter[str]:
    """Every candidate as the next entry; how often each word was said."""
    words: Counter[str] = Counter()
    for data in table.entries():
        before = table.pair.entries
        word = table.pair.put(data)
        words[word or "taken"] += 1
        if not word:
            table.pair = table.pair.with_entries(before)
            table.state = table.pair.first.state
    return words


@pytest.fixture(scope="module")
def words(staging: Any, plays: Any, candidates: Any, *, states: Any, rules: Any) -> Iterator[Counter[str]]:
    """Behind every beginning of every play everything was tried; how often each word was said, by both."""
    said: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        # The same entries are replayed again and again: what depends on their bytes alone is remembered.
        for name in ("read_bytes", "signed"):
            patch.setattr(rules, name, functools.lru_cache(maxsize=10_000)(getattr(rules, name)))
        for play in (*plays.PAUSES.values(), *plays.SALES.values()):
            stage = staging.Stage()
            auction = plays.perform(stage, staging, play)
            entries, house = tuple(stage.data(auction)), stage.key.identity.signing
            # What is before the opening is the same in all of them.
            for size in range(5 if said else 1, len(entries) + 1):
                table = candidates.Candidates(staging, plays, house, states.Pair(house, auction, rules, entries[:size]))
                table.reserve_minor = play.rules.get("reserve_minor", 0)
                said += put_everything(table)
        yield said


def test_whatever_comes_next_both_say_the_same(words: Counter[str]) -> None:
    """That they do is held with each entry; here, that there was much to say."""
    assert sum(words.values()) > 30_000
    assert words["taken"] > 5_000


def test_every_word_was_said_that_a_log_can_bring_about(words: Counter[str]) -> None:
    tables = [JOIN_REFUSALS, BID_REFUSALS, *map(operator_refusals, OF_OPERATORS), *map(sale_refusals, OF_THE_SALE)]
    codes = {str(code) for table in tables for code, when in table if BY_PHASE not in when}
    claims = {str(body.kind) for body in BODIES if not body.signer and body.kind in OF_AUCTIONS}
    # Of prices there are tests of their own; and whoever bids in another currency is refused as elsewhere.
    prices = {"wrong_currency", "below_starting_price", "below_increment"}
    assert set(words) == (codes | claims | {"taken", "time", "phase", "entry", "signature", "wrong_auction"}) - prices
