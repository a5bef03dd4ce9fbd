"""Puts this directory on the path: the arithmetic of :mod:`edwards` is shared by tests and by the maker of vectors."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
