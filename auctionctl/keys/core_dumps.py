"""No copy of this process's memory on disk, and none for other processes of its user: it holds secret keys.

Rule: asked for before a secret is read, and never taken back. What an operating system does not offer is left out.
Source: getrlimit(2), core(5), prctl(2).
"""

from __future__ import annotations

import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def forbid_core_files() -> None:
    """A death by a signal leaves no core file of this process or of those that it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def forbid_dumps() -> None:
    """As :func:`forbid_core_files`; on Linux, moreover, nobody but root may look into this process's memory.

    A core that is piped to a program is none of the limit's business, and is not made either.
    """
    forbid_core_files()
    if sys.platform.startswith("linux"):
        import ctypes  # noqa: PLC0415 - for whoever holds a secret key alone

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
