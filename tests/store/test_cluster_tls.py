"""What is wrong with TLS is said in words, with what mends it; with real servers: ``tests/conformance``."""

from __future__ import annotations

import ssl

import pytest

from auctionctl.errors import ConfigurationError
from auctionctl.store.cluster_access import ClusterAccess
from auctionctl.store.cluster_address import parse_cluster_address
from auctionctl.store.cluster_tls import tls_context, tls_refusal

SEALED = parse_cluster_address("tls://a.example")
OPEN = parse_cluster_address("nats://a.example")


def test_only_an_address_that_asks_for_tls_gets_it_and_then_with_names_and_authorities_checked() -> None:
    assert tls_context(OPEN) is None
    context = tls_context(SEALED)
    assert context is not None
    assert context.check_hostname
    assert not context.hostname_checks_common_name
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (9, "not valid yet"),
        (10, "expired"),
        (62, "another name"),
        (64, "another name"),
        (20, "do not know"),
        (7, "x y"),
    ],
)
def test_each_fault_of_a_certificate_has_its_words(code: int, words: str) -> None:
    error = ssl.SSLCertVerificationError(1, "failed")
    error.verify_code, error.verify_message = code, "X Y"
    refusal = tls_refusal(SEALED, error)
    assert refusal is not None
    assert words in str(refusal)
    assert refusal.hint


def test_what_is_no_matter_of_tls_is_left_to_others() -> None:
    assert tls_refusal(SEALED, ConnectionRefusedError()) is None
    assert "wants TLS" in str(tls_refusal(OPEN, ssl.SSLError(1, "x")))
    assert "does not agree on TLS" in str(tls_refusal(SEALED, ssl.SSLError(1, "x")))


@pytest.mark.parametrize(
    ("text", "access", "reason"),
    [
        ("nats://a", ClusterAccess(ca="/ca"), "/ca is for TLS"),
        ("nats://a", ClusterAccess(cert="/c", key="/k"), "/c is for TLS"),
        ("tls://a", ClusterAccess(cert="/c"), "give the other: --store-key"),
        ("tls://a", ClusterAccess(key="/k"), "give the other: --store-cert"),
    ],
)
def test_files_that_would_be_of_no_use_are_refused(text: str, access: ClusterAccess, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_cluster_address(text, access)
    assert reason in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "is_in_sight"),
    [
        ("nats://127.0.0.1,[::1],localhost:5", False),
        ("nats://127.0.0.1,a", True),
        ("nats://10.0.0.1", True),
        ("tls://10.0.0.1", False),
    ],
)
def test_a_wire_is_in_sight_that_leads_to_another_machine_without_tls(text: str, is_in_sight: bool) -> None:
    assert parse_cluster_address(text).is_in_sight is is_in_sight
