"""One cluster for all tests of a session that want one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "faults"))

from nats_cluster import Cluster, require_cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    require_cluster()
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.stop()
