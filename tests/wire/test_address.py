"""An address says who the house is and where it listens, and reads back as what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import ConfigurationError
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.address import DEFAULT_PORT, MAX_PLACES, HouseAddress, Place, parse_address, place_of

IDENTITY = SecretKey(b"h" * 32).identity
TEXT = IDENTITY.text


@given(
    st.sampled_from(["localhost", "auction.example.org", "192.0.2.7", "[::1]", "[2001:db8::7]"]),
    st.integers(1, 65_535),
)
def test_an_address_reads_back_as_itself(host: str, port: int) -> None:
    address = HouseAddress(IDENTITY, host, port)
    assert parse_address(address.text) == address
    assert parse_address(f"  {address.text}\n") == address
    assert address.endpoint == f"tcp://{host}:{port}"


def test_without_a_port_the_usual_one_is_meant() -> None:
    address = parse_address(f"auction://{TEXT}@localhost")
    assert (address.identity, address.host, address.port) == (IDENTITY, "localhost", DEFAULT_PORT)
    assert address.text == f"auction://{TEXT}@localhost:8888"


HOSTS = st.sampled_from(["localhost", "auction.example.org", "192.0.2.7", "[::1]", "[2001:db8::7]"])
PLACES = st.lists(st.builds(Place, HOSTS, st.integers(1, 65_535)), min_size=1, max_size=MAX_PLACES, unique=True)


@given(PLACES)
def test_an_address_of_several_places_reads_back_as_itself_in_their_order(places: list[Place]) -> None:
    address = HouseAddress(IDENTITY, *places[0], tuple(places[1:]))
    assert parse_address(address.text) == address
    assert list(address.places) == places
    assert address.endpoint == places[0].endpoint
    assert [each.places for each in address.each()] == [(place,) for place in places]
    assert [place_of(place.text) for place in places] == places


def test_each_of_several_places_may_leave_out_the_usual_port() -> None:
    address = parse_address(f"auction://{TEXT}@a.example,b.example:9,[::1]")
    assert address.places == (Place("a.example", 8888), Place("b.example", 9), Place("[::1]", 8888))
    assert address.text == f"auction://{TEXT}@a.example:8888,b.example:9,[::1]:8888"
    assert address.where == "a.example:8888, b.example:9, [::1]:8888"


@pytest.mark.parametrize("places", ["a:1,a:1", "a,b,a:8888", "A.example:1,a.EXAMPLE:1", "[::f]:1,[::F]:1"])
def test_no_place_is_named_twice(places: str) -> None:
    with pytest.raises(ConfigurationError, match="twice") as raised:
        parse_address(f"auction://{TEXT}@{places}")
    assert raised.value.hint


def test_an_address_has_so_many_places_and_no_more() -> None:
    places = [f"h{number}:{number}" for number in range(1, MAX_PLACES + 2)]
    assert len(parse_address(f"auction://{TEXT}@{','.join(places[:-1])}").places) == MAX_PLACES
    with pytest.raises(ConfigurationError, match="names 17 places"):
        parse_address(f"auction://{TEXT}@{','.join(places)}")


def test_a_port_that_there_is_not_is_refused_wherever_it_stands() -> None:
    with pytest.raises(ConfigurationError, match="there is no port 65536"):
        parse_address(f"auction://{TEXT}@localhost:1,localhost:65536")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:8888",
        f"tcp://{TEXT}@localhost",
        f"auction://{TEXT}",
        f"auction://{TEXT}@",
        f"auction://@{TEXT}",
        f"auction://{TEXT}@localhost:",
        f"auction://{TEXT}@localhost:-1",
        f"auction://{TEXT}@localhost:123456",
        f"auction://{TEXT}@localhost:88/",
        f"auction://{TEXT}@local host",
        f"auction://{TEXT}@::1",
        f"auction://{TEXT}@localhost:٨٨",
        f"auction://{TEXT}@localhost,",
        f"auction://{TEXT}@,localhost",
        f"auction://{TEXT}@a,,b",
        f"auction://{TEXT}@a, b",
        f"auction://{TEXT}@a;b",
        f"auction://{TEXT}@a,{TEXT}@b",
        f"auction://{TEXT.upper()}@localhost",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not the address of a house") as raised:
        parse_address(text)
    assert "auction://auc1…@host:8888" in raised.value.hint


def test_a_long_text_is_quoted_in_part() -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_address("x" * 1_000)
    assert len(str(raised.value)) < 120


def test_a_damaged_identity_is_refused_with_the_reason() -> None:
    damaged = TEXT[:-1] + ("q" if TEXT[-1] != "q" else "p")
    with pytest.raises(ConfigurationError, match="identity in the address is damaged: ") as raised:
        parse_address(f"auction://{damaged}@localhost")
    assert raised.value.hint


@pytest.mark.parametrize("port", [0, 65_536, 99_999])
def test_a_port_that_there_is_not_is_refused(port: int) -> None:
    with pytest.raises(ConfigurationError, match=f"there is no port {port}"):
        parse_address(f"auction://{TEXT}@localhost:{port}")


@pytest.mark.parametrize("text", ["{}", "auction://{}@localhost", "{}@localhost:1"])
def test_a_secret_that_was_pasted_is_not_repeated(text: str) -> None:
    secret = SecretKey(bytes(range(32))).seed_text
    with pytest.raises(ConfigurationError) as raised:
        parse_address(text.format(secret))
    assert secret[20:40] not in str(raised.value) + raised.value.hint
    assert "secret key" in str(raised.value)
