"""What proves a house's breach is kept before it is told, once, and never written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.client.evidence import HINT, keeping_evidence
from auctionctl.client.paths import Paths, find_paths
from auctionctl.errors import VerificationError


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths({"AUCTIONCTL_HOME": str(tmp_path)})


def caught(paths: Paths, rule: str = "history", hint: str = "", **evidence: bytes) -> str:
    """The hint of the error, once it has been through."""
    with pytest.raises(VerificationError, match="a breach") as told, keeping_evidence(paths):
        raise VerificationError("a breach", rule=rule, hint=hint, evidence=evidence)
    return told.value.hint


def test_a_case_is_a_private_directory_and_its_path_is_told(paths: Paths) -> None:
    hint = caught(paths, before=b"a", now=b"b")
    (case,) = paths.evidence.iterdir()
    assert hint == f"the evidence is kept in {case}; {HINT}"
    assert case.name.endswith("Z-history")
    assert {path.name: path.read_bytes() for path in case.iterdir()} == {"before": b"a", "now": b"b"}
    assert {path.stat().st_mode & 0o777 for path in case.iterdir()} == {0o600}
    assert case.stat().st_mode & 0o777 == 0o700


def test_what_is_to_be_done_comes_after_the_path_if_the_error_says_so_itself(paths: Paths) -> None:
    assert caught(paths, hint="ask its operator", now=b"b").endswith("; ask its operator")
    with pytest.raises(VerificationError) as plain, keeping_evidence(paths):
        raise VerificationError("a breach", rule="time", hint="as it was")
    assert plain.value.hint == "as it was"


def test_the_same_evidence_is_kept_once_and_other_evidence_beside_it(paths: Paths) -> None:
    counts = []
    for now, rule in ((b"b", "x"), (b"b", "x"), (b"c", "x"), (b"b", "x"), (b"b", "y"), (b"", "y")):
        caught(paths, rule, before=b"a", now=now)
        counts.append(len(list(paths.evidence.iterdir())))
    assert counts == [1, 1, 2, 2, 3, 4]


def test_evidence_that_cannot_be_kept_does_not_hide_what_it_proves(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    paths = find_paths({"AUCTIONCTL_HOME": str(tmp_path)})
    with pytest.raises(VerificationError, match="back_dated") as error, keeping_evidence(paths):
        raise VerificationError("dated back", rule="back_dated", evidence={"a.note": b"a"})
    assert error.value.hint.startswith("the evidence could not be kept: ")
    with pytest.raises(VerificationError) as plain, keeping_evidence(paths):
        raise VerificationError("dated back", rule="time", hint="as it was")
    assert plain.value.hint == "as it was"
