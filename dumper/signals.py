"""Signals that dumper sends."""

from django.dispatch import Signal

#: Sent after tags were invalidated in the store; never for what was rolled back.
#: Arguments: ``tags``, a ``frozenset[str]`` in the form of :mod:`dumper.rules.tags`.
invalidated = Signal()
