"""An address of a cluster is taken literally, or refused with what to write; a login in it is told to nobody."""

from __future__ import annotations

import pytest

from auctionctl.errors import ConfigurationError
from auctionctl.store.cluster_access import ClusterAccess
from auctionctl.store.cluster_address import ClusterAddress, has_login, parse_cluster_address, without_login

LOGIN = "house:s3cret-word"


@pytest.mark.parametrize(
    ("text", "servers", "monitors"),
    [
        ("nats://a", [("a", 4222)], [8222]),
        ("nats://a:1,b,c:3", [("a", 1), ("b", 4222), ("c", 3)], [8222, 8222, 8222]),
        ("nats://a:1,b:2/?monitor=9", [("a", 1), ("b", 2)], [9, 9]),
        ("tls://a,b,c?monitor=1,2,3", [("a", 4222), ("b", 4222), ("c", 4222)], [1, 2, 3]),
        ("nats://[::1]:5,[fe80::2]", [("::1", 5), ("fe80::2", 4222)], [8222, 8222]),
    ],
)
def test_servers_and_monitoring_ports_are_those_that_stand_there(
    text: str, servers: list[tuple[str, int]], monitors: list[int]
) -> None:
    address = parse_cluster_address(text)
    assert list(address.servers) == servers
    assert list(address.monitors) == [(host, port) for (host, _), port in zip(servers, monitors, strict=True)]


def test_a_login_is_kept_apart_and_goes_into_no_text() -> None:
    address = parse_cluster_address(f"nats://{LOGIN}@a,b:7")
    assert address.login == LOGIN
    assert address.urls == ["nats://a:4222", "nats://b:7"]
    assert address.text == "nats://a:4222,b:7"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"nats://{LOGIN}@a,b?monitor=9", "nats://…@a,b?monitor=9"),
        ("nats://u:p@ss@a", "nats://…@a"),
        (f"{LOGIN}@a", "…@a"),
        ("nats://a,b", "nats://a,b"),
    ],
)
def test_an_address_is_shown_with_a_mark_for_its_login(text: str, shown: str) -> None:
    assert without_login(text) == shown
    assert has_login(text) is ("…" in shown)


def test_of_two_logins_neither_is_chosen() -> None:
    with pytest.raises(ConfigurationError, match="there are two logins") as caught:
        parse_cluster_address(f"nats://{LOGIN}@a", ClusterAccess("/file"))
    assert "s3cret" not in str(caught.value)
    assert parse_cluster_address("nats://a", ClusterAccess("/file")).access == ClusterAccess("/file")


def test_an_address_is_written_as_it_is_read() -> None:
    address = ClusterAddress("tls", (("::1", 5), ("b", 6)), (("::1", 8222), ("b", 8222)))
    assert parse_cluster_address(address.text) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "begins with nats://"),
        ("http://a", "begins with nats://"),
        ("a:4222", "begins with nats://"),
        ("nats://", "a server has no name"),
        ("nats://a,,b", "a server has no name"),
        ("nats://a:0", "'0' is no port"),
        ("nats://a:65536", "'65536' is no port"),
        ("nats://a:4222x", "'4222x' is no port"),
        ("nats://[::1]5", "is no port"),
        ("nats://[::1", "no address of a cluster"),
        ("nats://a,a:4222", "named twice"),
        ("nats://" + ",".join(f"h{n}" for n in range(17)), "17 servers are more than 16"),
        ("nats://a/path", "nothing but"),
        ("nats://a#x", "nothing but"),
        ("nats://a?x=1", "there is no option 'x'"),
        ("nats://a?monitor", "cannot be read"),
        ("nats://a?monitor=", "'' is no port"),
        ("nats://a,b,c?monitor=1,2", "2 ports for 3 servers"),
        ("nats://a b", "no address of a cluster"),
        ("nats://a\n", "no address of a cluster"),
        ("nats://" + "a" * 3000, "no address of a cluster"),
        (f"nats://{LOGIN}@a:x", "'…' is no port"),
        (f"nats://{LOGIN}@", "a server has no name"),
        (f"ftp://{LOGIN}@a", "begins with nats://"),
        ("s3cret://a@b", "begins with nats://"),
        ("nats://a:s3cret@b:4222,c:s3cret@d:4222", "one login is for all servers"),
        ("nats://a:s3cret@word@b", "more than one @"),
        ("nats://a:s3cret?word@b", "has no place for this login"),
        ("nats://a:s3cret/word@b", "has no place for this login"),
        ("nats://a:s3cret#word@b", "has no place for this login"),
        ("nats://a:pass@s3cret?word=x@b", "there is no option"),
        ("nats://a:pass@word:s3cret/@b", "nothing but"),
        ("nats://a:pass@word:s3cret?monitor=1@b", "is no port"),
    ],
)
def test_what_is_no_address_is_refused_with_a_hint_and_without_the_login(text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        parse_cluster_address(text)
    assert caught.value.hint
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"
