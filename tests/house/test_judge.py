"""What becomes of a command about an auction before and after the rules are asked."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from auctionctl.errors import RemoteProtocolError
from auctionctl.house.effects import Commit
from auctionctl.house.intake import Request

SESSION = 1


def test_a_bid_is_answered_with_its_batch_and_not_before(stage: Any) -> None:
    auction = stage.opened()
    judge, registry = stage.house._judge, stage.house.registry
    assert judge.bid(stage.bid(SESSION, auction, 1_000), registry, stage.now_ns) is None
    assert [log.id for log in stage.house._held.dirty] == [auction]
    assert stage.log(auction).auction.standing.price_minor == 1_000


def test_what_is_no_bid_is_said_to_be_none_and_enters_nothing(stage: Any) -> None:
    auction = stage.opened()
    size = stage.log(auction).tree.size
    request = stage.bid(SESSION, auction, 1_000)
    with pytest.raises(RemoteProtocolError):
        stage.house._judge.bid(request._replace(body=request.body[:-1]), stage.house.registry, stage.now_ns)
    assert stage.log(auction).tree.size == size


def test_a_bid_signed_by_another_than_it_names_is_not_judged(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    request = stage.bid(SESSION, auction, 1_000)
    forged = Request(request.session, staging.key_of("ben").identity.signing, request.body, request.signature)
    (answer,) = staging.replies(effects := stage.handle(forged), SESSION)
    assert (answer.code, any(isinstance(each, Commit) for each in effects)) == ("not_authorised", False)


def test_one_bid_twice_in_one_batch_is_one_entry_with_two_receipts_of_it(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    size = stage.log(auction).tree.size
    request = stage.bid(SESSION, auction, 1_000)
    (answer,) = staging.replies(stage.handle(request, request), SESSION)
    assert [receipt.index for log in answer.logs for receipt in log.receipts] == [size, size]
    assert stage.log(auction).tree.size == size + 1
