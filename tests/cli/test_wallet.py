from __future__ import annotations

import json
from typing import Any

from auctionctl.cli.manual.json_fields import FIELDS


def test_what_was_won_is_committed_and_the_rest_is_free(fair: Any) -> None:
    done = fair.run("wallet", "--key", "bob", "--json")
    assert done.status == 0, done.err
    shown = json.loads(done.out)
    assert set(shown) - {"schema"} == set(FIELDS["wallet"][shown["schema"]])
    (account,) = shown["accounts"]
    summary = json.loads(fair.outputs["bob"].out.splitlines()[-1])
    assert account["budget"] == {"minor": 50_000, "currency": "EUR"}
    assert account["committed"] == summary["spent"]
    assert account["free"] == summary["saved"]
    (lot,) = account["auctions"]
    assert (lot["listing"], lot["result"], lot["won"], lot["leading"]["minor"]) == ("quick", "won", summary["spent"], 0)


def test_people_get_a_table_and_what_is_free(fair: Any) -> None:
    done = fair.run("wallet", "--key", "bob", "--house", fair.address)
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "lot\tauction\tleading\tunanswered\twon\tpaid\tcap\tcommitted\tresult"
    assert lines[1].startswith("quick\t")
    assert "budget     500.00EUR" in lines
    assert "bidder     does not run" in lines


def test_a_key_that_never_bid_within_a_budget_has_no_account(fair: Any) -> None:
    done = fair.run("wallet", "--key", "mallory")
    assert done.status == 0
    assert done.out == ""
    assert "no bidder has run here under this key within a budget" in done.err
