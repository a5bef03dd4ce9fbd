"""What is shared by the tests of a house that several instances share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def sharing(staging: ModuleType) -> ModuleType:
    """The module of the cluster in memory; it stands on the stage, which is therefore loaded before it."""
    assert staging.Stage
    name = "auctionctl_tests_sharing"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "sharing.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
