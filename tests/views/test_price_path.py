from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.views.price_path import LANE_HEIGHT, MAX_LANES, WIDTH, Bid, PricePath, price_path_svg, swatch

START_NS = 1_700_000_000 * SECOND_NS


def at(second: float) -> int:
    return START_NS + int(second * SECOND_NS)


PATH = PricePath(
    currency="EUR",
    start_ns=START_NS,
    end_ns=at(60),
    starting_minor=10_000,
    bids=[Bid(at(1), 10_000, 0), Bid(at(30), 12_000, 1), Bid(at(55), 15_000, 0)],
    bidders=["alice", "bob"],
)


def parsed(path: PricePath) -> ElementTree.Element:
    return ElementTree.fromstring(price_path_svg(path))


def of_class(svg: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [each for each in svg.iter() if each.get("class") == name]


def texts(svg: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in svg.iter() if each.tag.endswith("}text")]


def test_every_bid_is_a_dot_in_its_bidders_colour_and_says_what_it_is() -> None:
    svg = parsed(PATH)
    dots = [each for each in svg.iter() if each.tag.endswith("}circle")]
    assert [dot.get("class") for dot in dots] == ["b0", "b1", "b0"]
    assert [dot[0].text for dot in dots] == [
        "100.00EUR, alice, at 0:01",
        "120.00EUR, bob, at 0:30",
        "150.00EUR, alice, at 0:55",
    ]
    heights = [int(dot.get("cy") or "") for dot in dots]
    assert heights == sorted(heights, reverse=True), "a higher price stands higher"


def test_the_price_holds_until_the_next_bid_and_to_the_end() -> None:
    (line,) = of_class(parsed(PATH), "price")
    steps = line.get("d") or ""
    assert steps.count("V") == 2
    assert steps.endswith(f"H{WIDTH - 24}")


def test_both_axes_have_round_marks() -> None:
    found = texts(parsed(PATH))
    assert {"100.00EUR", "110.00EUR", "150.00EUR"} <= set(found)
    assert {"0:00", "0:10", "1:00"} <= set(found)


def test_what_is_special_is_marked() -> None:
    svg = parsed(
        replace(PATH, reserve_minor=14_000, halts=[(at(5), at(10)), (at(11), at(11))], extended_ns=[at(55), at(55)])
    )
    assert len(of_class(svg, "reserve")) == 1
    first, second = of_class(svg, "halt")
    assert int(first.get("width") or "") > int(second.get("width") or "") >= 2, "what is short can still be seen"
    assert len(of_class(svg, "extension")) == 1


def test_many_bidders_share_a_last_line_and_a_last_colour() -> None:
    names = [f"bidder{number}" for number in range(30)]
    bids = [Bid(at(number), 10_000 + number, number) for number in range(30)]
    svg = parsed(replace(PATH, bids=bids, bidders=names))
    assert texts(svg)[-1] == "others"
    assert f"bidder{MAX_LANES}" not in texts(svg)
    assert of_class(svg, "bx")
    height = int((svg.get("viewBox") or "").split()[-1])
    assert all(int(each.get("y1") or 0) <= height - LANE_HEIGHT / 2 for each in svg.iter())


def test_a_million_bids_make_no_larger_a_picture_than_a_thousand() -> None:
    bids = [Bid(at(number / 1_000), 10_000 + number, number % 2) for number in range(50_000)]
    assert len(price_path_svg(replace(PATH, bids=bids))) < 400_000


@pytest.mark.parametrize("end_s", [0, 0.5, 3_600, 86_400 * 40])
@pytest.mark.parametrize("minor", [10_000, 2**53])
def test_however_short_or_long_or_dear_it_can_be_drawn(end_s: float, minor: int) -> None:
    svg = parsed(replace(PATH, bids=[Bid(at(0), minor, 0)], end_ns=at(end_s)))
    assert 2 < len(texts(svg)) < 24
    for each in svg.iter():
        assert 0 <= int(each.get("cx") or each.get("x") or 0) <= WIDTH


def test_the_name_of_a_bidder_cannot_leave_its_place() -> None:
    svg = parsed(replace(PATH, bidders=["</text><script>", '"onload="x']))
    assert "</text><script>" in texts(svg)
    assert not any(each.tag.endswith("script") or each.get("onload") for each in svg.iter())


def test_a_swatch_has_the_colour_of_its_bidder() -> None:
    assert 'class="b3"' in swatch(3)
    assert 'class="bx"' in swatch(8)
