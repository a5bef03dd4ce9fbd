"""The page on strategies names every field that is asked and answered, every strategy, and every parameter."""

from __future__ import annotations

from auctionctl.bidding.dialogue import Answer, Question
from auctionctl.bidding.strategies import SPECS
from auctionctl.cli.manual.roff import render
from auctionctl.cli.manual.strategies_page import ANSWER, QUESTION, page


def test_every_field_of_a_question_and_an_answer_has_a_meaning() -> None:
    assert tuple(QUESTION) == Question.__struct_fields__
    assert tuple(ANSWER) == Answer.__struct_fields__


def test_every_strategy_and_parameter_is_on_the_page() -> None:
    text = render(page()).replace("\\-", "-")
    for spec in SPECS.values():
        assert spec.name in text
        for parameter in spec.parameters:
            assert parameter.name in text
