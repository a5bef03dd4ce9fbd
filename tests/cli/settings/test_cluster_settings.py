"""What one of several instances of a house cannot be is refused before anything starts, with what to do instead."""

from __future__ import annotations

import pytest

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.settings.cluster_settings import is_endpoint, reach_words
from auctionctl.cli.settings.house_file import combine, option_layer
from auctionctl.errors import ConfigurationError

EAST = {"store": "nats://a,b,c", "instance": "east"}


def test_an_instance_of_a_house_in_a_cluster_is_taken_as_it_is_said() -> None:
    section = combine([option_layer({**EAST, "advertise": "auction.example.org:8888", "bind": "0.0.0.0"})]).section
    assert (section.instance, section.advertise) == ("east", "auction.example.org:8888")
    alone = combine([]).section
    assert (alone.instance, alone.advertise) == (None, None)


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"instance": "east"}, "have their logs in a cluster", "--store nats://"),
        ({**EAST, "instance": "main"}, "main is what a house that has one instance calls it", "another name"),
        ({**EAST, "access": "open"}, "lets in no strangers", "without --open"),
        ({**EAST, "retention": "30d"}, "archives nothing", "leave out retention"),
        ({**EAST, "bind": "0.0.0.0"}, "where clients reach this one", "--advertise HOST:PORT"),
        ({"store": "nats://a", "advertise": "h:1"}, "for one of several instances", "--instance NAME"),
    ],
)
def test_what_instances_cannot_keep_between_them_is_refused(options: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        combine([option_layer(options)])
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["", "h", "h:", "h:0", "h:70000", "h:08", "tcp://h:1", "h h:1", "[::1:1", "h:1\n"])
def test_an_endpoint_is_a_host_and_a_port(text: str) -> None:
    assert not is_endpoint(text)
    with pytest.raises(ArgumentError):
        option_layer({**EAST, "advertise": text})


@pytest.mark.parametrize("bind", ["127.0.0.1", "localhost", "[::1]"])
def test_that_clients_are_sent_where_nobody_listens_is_warned_of(bind: str) -> None:
    def said(**options: str) -> str:
        return reach_words(combine([option_layer({**EAST, **options})]).section)

    words = said(bind=bind, advertise="auction.example.org:8888")
    assert f"sent to auction.example.org:8888, and this instance listens on {bind} alone" in words
    assert "--bind 0.0.0.0" in words
    assert said(bind=bind) == said(bind=bind, advertise="localhost:1") == said(bind=bind, advertise="[::1]:1") == ""
    for elsewhere in ("0.0.0.0", "10.0.0.7", "auction.example.org"):
        assert said(bind=elsewhere, advertise="auction.example.org:8888") == ""


@pytest.mark.parametrize("text", ["127.0.0.1:8888", "auction.example.org:1", "[::1]:65535"])
def test_what_clients_can_be_sent_to_is_an_endpoint(text: str) -> None:
    assert is_endpoint(text)
