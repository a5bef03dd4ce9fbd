"""A MARKET.toml is understood as a whole, or refused with the file, the key and what is allowed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from auctionctl.auction.price import MAX_MINOR
from auctionctl.cli.settings.market_file import Asked, read_market
from auctionctl.errors import ConfigurationError
from auctionctl.market.market import Market
from auctionctl.market.plan import MarketPlan, Order
from auctionctl.market.values import Affiliated, Lognormal, Recorded, Uniform

LOT = '[lot]\nitem = "Watch"\nstarting_price = "1EUR"\nincrement = "2%"\n'
VALUES = '[values]\ndistribution = "uniform"\nlow = "0EUR"\nhigh = "100"\n'
BIDDER = '[[bidder]]\nstrategy = "market-value"\n'
WHOLE = f"""
[market]
auctions = 60
lots = 3
order = "concurrent"
seed = 9
{LOT}{VALUES}
[[bidder]]
name = "keen"
strategy = "aggressive"
params = {{ factor = "1.2" }}
count = 2
budget = "150EUR"
reaction = ["50ms", "2s"]
latency = "20ms"
noise = "5"
[bidder.values]
distribution = "affiliated"
common = ["0EUR", "50EUR"]
private = ["10EUR", "20EUR"]
{BIDDER}"""


def read(directory: Path, text: str, asked: Asked | None = None) -> MarketPlan:
    (directory / "market.toml").write_text(text)
    return read_market(directory / "market.toml", asked or Asked())


def test_every_key_is_read_and_the_command_line_stands_above_the_file(tmp_path: Path) -> None:
    plan = read(tmp_path, WHOLE)
    assert (plan.auctions, plan.lots, plan.order, plan.seed, plan.bidders) == (60, 3, Order.CONCURRENT, 9, 3)
    assert plan.values == Uniform(0, 10_000)
    assert plan.terms.terms.rules.min_bidders == 1
    keen, other = plan.groups
    assert (keen.name, keen.count, keen.budget_minor, keen.noise_minor) == ("keen", 2, 15_000, 500)
    assert (keen.reaction_ns, keen.latency_ns) == ((50_000_000, 2_000_000_000), 20_000_000)
    assert keen.values == Affiliated(Uniform(0, 5_000), Uniform(1_000, 2_000))
    assert keen.make(100).factor == Fraction("1.2")  # type: ignore[attr-defined]
    assert (other.name, other.count, other.budget_minor, other.values) == ("market-value", 1, MAX_MINOR, None)
    above = read(tmp_path, WHOLE, Asked(7, 0))
    assert (above.auctions, above.seed) == (7, 0)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    plan = read(tmp_path, LOT + VALUES + BIDDER)
    assert (plan.auctions, plan.lots, plan.order, plan.seed) == (1_000, 1, Order.SEQUENTIAL, 1)
    assert plan.groups[0].reaction_ns == (100_000_000, 500_000_000)


def test_values_are_lognormal_or_recorded_in_a_file_beside_it(tmp_path: Path) -> None:
    drawn = '[values]\ndistribution = "lognormal"\nmedian = "50EUR"\nsigma = "0.5"\n'
    assert read(tmp_path, LOT + drawn + BIDDER).values == Lognormal(5_000, 0.5)
    (tmp_path / "v.csv").write_text("b,a-2,a-1\n1,2.50,3EUR\n\n4,5,6\n")
    bidders = '[[bidder]]\nstrategy = "smart"\nname = "a"\ncount = 2\n[[bidder]]\nstrategy = "smart"\nname = "b"\n'
    recorded = '[values]\ndistribution = "recorded"\nfile = "v.csv"\n'
    assert read(tmp_path, LOT + recorded + bidders).values == Recorded(((300, 250, 100), (600, 500, 400)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (VALUES + BIDDER, "top level: lot is missing"),
        (LOT + BIDDER, "[values]: distribution is missing"),
        (LOT + VALUES, "there is no list of bidders"),
        ("rounds = 1\n" + LOT + VALUES + BIDDER, "top level: unknown key 'rounds'"),
        ("[market]\nauction = 1\n" + LOT + VALUES + BIDDER, "[market]: unknown key 'auction'"),
        ("[market]\nlots = 0\n" + LOT + VALUES + BIDDER, "[market]: lots: 0 is not between 1 and 1000"),
        ('[market]\norder = "mixed"\n' + LOT + VALUES + BIDDER, "[market]: order: 'mixed' is none of sequential, conc"),
        ("market = 1\n" + LOT + VALUES + BIDDER, "market is no table"),
        (LOT.replace("2%", "x") + VALUES + BIDDER, "[lot] ('Watch'): increment: not an amount"),
        (LOT + "min_bidders = 2\n" + VALUES + BIDDER, "[lot]: min_bidders: 2, of 1 bidders"),
        (LOT + VALUES.replace("uniform", "normal") + BIDDER, "[values]: distribution: 'normal' is none of uniform, lo"),
        (LOT + VALUES.replace("low", "median") + BIDDER, "[values]: low is missing"),
        (LOT + VALUES + 'sigma = "1"\n' + BIDDER, "[values]: sigma: uniform has no such key"),
        (LOT + VALUES.replace('"100"', '"100USD"') + BIDDER, "[values]: high: '100USD' is in USD"),
        (LOT + VALUES.replace('"0EUR"', '"101EUR"') + BIDDER, "[values]: high: the highest value is less"),
        (LOT + VALUES + BIDDER + "count = 0\n", "bidder 1: count: 0 is not between"),
        (LOT + VALUES + BIDDER + 'budget = "-1"\n', "bidder 1: budget: not an amount"),
        (LOT + VALUES + BIDDER + 'reaction = ["2s", "1s"]\n', "bidder 1: reaction: the longest is shorter"),
        (LOT + VALUES + BIDDER + "reaction = 5\n", "bidder 1: reaction: no time, nor two"),
        (LOT + VALUES + BIDDER + 'latency = "2h"\n', "bidder 1: latency: more than an hour"),
        (LOT + VALUES + BIDDER + 'name = "A b"\n', "bidder 1: name: 'A b' is no name"),
        (LOT + VALUES + BIDDER + "params = { value = 3 }\n", "bidder 1: strategy: value is drawn"),
        (LOT + VALUES + BIDDER + 'params = "x"\n', "bidder 1: params: no table"),
        (
            LOT + VALUES + BIDDER.replace("market-value", "exec:./x"),
            "bidder 1: strategy: 'exec:./x' has no place under",
        ),
        (LOT + VALUES + BIDDER.replace("market-value", "brave"), "bidder 1: strategy: unknown strategy 'brave'"),
        (LOT + VALUES + BIDDER + BIDDER, "bidder 2: name: two are called 'market-value'"),
        (LOT + '[values]\ndistribution = "recorded"\nfile = "v.csv"\n' + BIDDER, "line 1: these are not the bidders"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "v.csv").write_text("somebody\n1\n")
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("market-value\n", "there are no values"),
        ("market-value\nmuch\n", "line 2: market-value: not an amount: 'much'"),
        ("market-value\n1,2\n", "line 2: 2 fields, where 1 are needed"),
        ('market-value\n"1\n', "line 2: unexpected end of data"),
    ],
)
def test_what_is_wrong_with_recorded_values_is_named_by_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(ConfigurationError, match=r"v\.csv: ") as caught:
        read(tmp_path, LOT + '[values]\ndistribution = "recorded"\nfile = "v.csv"\n' + BIDDER)
    assert words in str(caught.value)


def test_the_market_in_the_readme_is_one(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    _, _, text = readme.partition("```toml\n# market.toml\n")
    plan = read(tmp_path, text.partition("```")[0])
    assert [(group.strategy, group.count) for group in plan.groups] == [("truthful", 3), ("smart", 1)]


OWN = """
from auctionctl.bidding.strategy import Offer, Wait


class Half:
    def __init__(self, value):
        self.limit_minor = round(float(value.removesuffix("EUR")) * 50)

    def decide(self, view, purse, now_ns, rng):
        return Offer(view.minimum_minor) if view.minimum_minor <= self.limit_minor else Wait()
"""


def test_a_strategy_of_ones_own_plays_and_is_told_the_value(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    plan = read(tmp_path, LOT + VALUES + BIDDER + f'[[bidder]]\nstrategy = "{tmp_path / "own.py"}:Half"\n')
    assert plan.groups[1].name == "half"
    market = Market(plan, 0)
    market.run()
    half = market.places[0][1]
    assert half.bids > 0
    assert market.held[0].price_minor is not None
    assert 0 < half.value_minor // 2 - 200 < market.held[0].price_minor < half.value_minor // 2 + 200
