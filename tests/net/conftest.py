"""Real houses and sessions, of the making of ``tests/faults``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "faults")]

from daemon_run import prepare, run
from gateway_run import connect, serve, served
from house_fixtures import bidder_of, raw_session_of, stack, start_house

__all__ = ["bidder_of", "connect", "prepare", "raw_session_of", "run", "serve", "served", "stack", "start_house"]
