"""Which libzmq this process has, for whoever looks into what is wrong with a machine."""

from __future__ import annotations

import zmq


def libzmq_version() -> str:
    """The version of the library, such as ``4.3.5``."""
    return zmq.zmq_version()


def has_curve() -> bool:
    """Whether it can encrypt: without CURVE no connection is made at all."""
    return bool(zmq.has("curve"))
