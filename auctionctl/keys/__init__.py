"""Keys, identities, and who may come in (DESIGN.md section 5).

``encoding`` turns key bytes into text and back, ``signing`` is what keys do, ``keyfile`` keeps a secret on disk, and
``allowlist`` says whom a house knows. Only ``signing`` and ``keyfile`` may import ``nacl``, and only ``keyfile``
touches files or randomness; the rest is pure.
"""
