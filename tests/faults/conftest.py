"""Real houses and sessions, of the making of ``tests/faults``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "conformance"))

from house_fixtures import bidder_of, machine_stalls, raw_session_of, stack, start_house

__all__ = ["bidder_of", "machine_stalls", "raw_session_of", "stack", "start_house"]
