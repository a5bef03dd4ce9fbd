"""A house has one store, wherever it is, and never begins a second history in another place.

What happens with a cluster that is there: ``tests/faults/test_cluster_house.py``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from auctionctl.errors import ConfigurationError, StoreLockedError
from auctionctl.house.limits import Limits
from auctionctl.keys.signing import SecretKey
from auctionctl.net.house_store import lossy_words, open_store
from auctionctl.net.house_words import StartHouse
from auctionctl.store.cluster_mark import ClusterMark
from auctionctl.store.sqlite import SqliteStore
from auctionctl.store.state_directory import locked, make_private_directory

KEY = SecretKey(b"h" * 32)


def start_in(directory: Path, store: str | None = None) -> StartHouse:
    return StartHouse(KEY.seed_text, str(directory), "allow", Limits(1, 1), [], store=store)


def test_without_a_cluster_the_logs_are_in_the_state_directory(tmp_path: Path) -> None:
    store = open_store(start_in(tmp_path / "state"), KEY.identity)
    assert isinstance(store, SqliteStore)
    assert lossy_words(store) == ""
    store.close()


def test_a_house_with_logs_in_a_file_begins_no_second_history_in_a_cluster(tmp_path: Path) -> None:
    open_store(start_in(tmp_path / "state"), KEY.identity).close()
    with pytest.raises(ConfigurationError, match="would begin anew in a cluster") as caught:
        open_store(start_in(tmp_path / "state", "nats://a"), KEY.identity)
    assert "without --store" in caught.value.hint


def test_a_house_with_logs_in_a_cluster_begins_no_second_history_in_a_file(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "state")
    ClusterMark(tmp_path / "state").keep(7, "id")
    with pytest.raises(ConfigurationError, match="are in a cluster") as caught:
        open_store(start_in(tmp_path / "state"), KEY.identity)
    assert "--store nats://" in caught.value.hint
    assert not (tmp_path / "state" / "logs.sqlite3").exists()


def test_an_address_that_is_none_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="begins with nats://"):
        open_store(start_in(tmp_path / "state", "http://a"), KEY.identity)
    assert not (tmp_path / "state").exists()


def test_a_state_directory_is_one_processs_alone_with_a_cluster_too(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "state")
    with locked(tmp_path / "state"), pytest.raises(StoreLockedError):
        open_store(start_in(tmp_path / "state", "nats://127.0.0.1:1"), KEY.identity)


def test_more_auctions_than_a_batch_of_a_cluster_has_room_for_are_refused_before_it_is_asked(tmp_path: Path) -> None:
    start = StartHouse(KEY.seed_text, str(tmp_path / "state"), "allow", Limits(901, 1), [], store="nats://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="max_concurrent_auctions is 901") as caught:
        open_store(start, KEY.identity)
    assert "900 or less" in caught.value.hint


def test_without_the_extra_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("nats") is not None:
        monkeypatch.setitem(sys.modules, "nats", None)
    with pytest.raises(ConfigurationError, match="needs the library nats-py") as caught:
        open_store(start_in(tmp_path / "state", "nats://127.0.0.1:1"), KEY.identity)
    assert "pip install 'auctionctl[cluster]'" in caught.value.hint
    # Nothing is held by a store that was not opened.
    with locked(tmp_path / "state"):
        pass
