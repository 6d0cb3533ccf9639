"""Signals that dumper sends."""

from django.dispatch import Signal

#: Sent before tags are invalidated: inside the transaction of the change, right before its commit, or, where there is
#: none, in autocommit mode. What a receiver writes to that database stands and falls with the change; what it raises
#: undoes the change. Arguments: ``tags``, a ``frozenset[str]`` in the form of :mod:`dumper.rules.tags`; ``using``, the
#: alias of the database; ``is_told``, whether the store knows already. True is answered by who has recorded the tags.
committing = Signal()

#: Sent after tags were invalidated in the store; never for what was rolled back.
#: Arguments: ``tags``, as above; ``is_recorded``, whether a receiver of ``committing`` has recorded them.
invalidated = Signal()

#: Sent when a purge was given up on. Arguments: ``upstream``, its name; ``tags``, as above; ``error``, a ``str``.
undelivered = Signal()
