"""A former key is opened only where a log names it and the registry says that ours took its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.former_keys import find_former, former_key
from auctionctl.cli.options import AtHouse
from auctionctl.cli.output import Form
from auctionctl.cli.succession_files import former_path
from auctionctl.client.paths import Paths
from auctionctl.errors import NotFoundError
from auctionctl.keys.keyfile import write_key
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import Admitted, Registry, rotation

HOUSE, OLD, NEW, BEN = (SecretKey(name * 32) for name in (b"h", b"o", b"n", b"b"))


@pytest.fixture
def at(tmp_path: Path) -> AtHouse:
    paths = Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")
    return AtHouse(paths, Form.PLAIN, None, None, None)


@pytest.fixture
def registry() -> Registry:
    found = Registry(HOUSE.identity.signing)
    for key, name in ((OLD, "ann"), (BEN, "ben")):
        found.apply(Admitted(key.identity.signing, key.identity.transport, name, "bidder"), 1)
    found.apply(rotation(OLD.identity.signing, NEW, HOUSE.identity.signing), 2)
    return found


def test_it_signs_where_the_log_names_it(at: AtHouse, registry: Registry, capsys: Any) -> None:
    write_key(former_path(at.paths.keys, OLD.identity.signing), OLD, created="2026-01-31T12:00:00Z")
    found = former_key(at, NEW, registry, OLD.identity.signing)
    assert found is not None
    assert found.identity == OLD.identity
    assert f"signed with your former key {OLD.identity.short}" in capsys.readouterr().err


@pytest.mark.parametrize(("mine", "named"), [(NEW, None), (NEW, NEW), (NEW, BEN), (BEN, OLD), (OLD, NEW), (OLD, OLD)])
def test_nothing_is_opened_where_our_own_key_will_do_or_another_holder_s_is_named(
    at: AtHouse, registry: Registry, mine: SecretKey, named: SecretKey | None
) -> None:
    assert former_key(at, mine, registry, None if named is None else named.identity.signing) is None


def test_a_former_key_that_is_gone_is_asked_for_by_its_file(at: AtHouse, registry: Registry) -> None:
    with pytest.raises(NotFoundError, match="the log names your former key") as raised:
        former_key(at, NEW, registry, OLD.identity.signing)
    assert "no other key can sign for it" in raised.value.hint


def test_where_no_former_key_is_kept_no_house_is_asked(at: AtHouse) -> None:
    assert find_former(at, NEW, "any", lambda _: OLD.identity.signing) is None
