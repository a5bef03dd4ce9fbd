"""Completing command lines, from what this machine knows: no connection, no error, nothing left behind."""
