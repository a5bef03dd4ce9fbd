"""What figures are compared with is measured here and now."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.cli.benchmarks.yardstick import KEYS, SIGNATURES, BareVerification, fdatasync_ms
from auctionctl.keys.signing import verify


def test_bare_verification_is_the_median_of_its_rounds() -> None:
    bare = BareVerification(0.01)
    rounds = [bare.measure() for _ in range(3)]
    assert bare.per_s == sorted(each.per_s for each in rounds)[1]
    assert bare.cpu_us == sorted(each.cpu_us for each in rounds)[1]
    # One core verifies no more than its time allows.
    assert all(0 < each.per_s * each.cpu_us < 1_100_000 for each in rounds)


def test_bare_verification_is_of_signatures_that_differ_and_hold_as_those_of_bids_do() -> None:
    signed = BareVerification(0.01)._signed
    assert all(verify(*each) for each in signed)
    assert len({signature for _, _, signature in signed}) == len(signed) == SIGNATURES
    assert len({public for public, _, _ in signed}) == KEYS


def test_the_disk_is_asked_where_the_house_would_write(tmp_path: Path) -> None:
    assert fdatasync_ms(tmp_path) > 0
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        fdatasync_ms(tmp_path / "nowhere")
