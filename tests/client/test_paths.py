from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from auctionctl.client.paths import find_paths


def test_one_variable_puts_everything_under_one_directory(tmp_path: Path) -> None:
    paths = find_paths({"AUCTIONCTL_HOME": str(tmp_path)})
    assert (paths.config, paths.state, paths.run) == (tmp_path / "config", tmp_path / "state", tmp_path / "run")
    assert paths.keys == tmp_path / "config/keys"
    assert paths.allow_list == tmp_path / "config/allow"
    assert paths.receipts == tmp_path / "state/receipts"
    assert paths.house_state("h") == tmp_path / "state/house-h"
    assert paths.address_file("h") == tmp_path / "run/h.address"


def test_a_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_paths({"AUCTIONCTL_HOME": "x"}).config == tmp_path / "x/config"


def test_without_it_the_places_of_the_platform_hold(tmp_path: Path) -> None:
    paths = find_paths({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert paths.config == platformdirs.user_config_path("auctionctl")
    assert paths.state == platformdirs.user_state_path("auctionctl")
    assert paths.run == tmp_path / "auctionctl"


@pytest.mark.parametrize("runtime", [{}, {"XDG_RUNTIME_DIR": ""}, {"XDG_RUNTIME_DIR": "/nonexistent-directory"}])
def test_without_a_runtime_directory_the_state_directory_serves(runtime: dict[str, str]) -> None:
    paths = find_paths(runtime)
    assert paths.run == paths.state / "run"
