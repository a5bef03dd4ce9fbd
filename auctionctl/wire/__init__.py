"""The protocol between a house and its sessions, without a socket (DESIGN.md section 8).

A message is two frames: a body (msgpack array whose first element names its type) and a signature, empty where the
authority lies inside. :mod:`frames` bounds and signs them, :mod:`messages` gives each type its shape, and
:mod:`session` greets: hello and welcome. Signatures are made and checked over the bytes as received.
"""
