"""Puts this directory on the path: scenes, mutations and targets are shared by several files."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
