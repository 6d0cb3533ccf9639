"""The near cache: what this process remembers of what the store has answered with.

A request is known again by its signature, so that nothing is decided twice; what is remembered is served only if it is
still true. With DUMPER_NEAR_CACHE = "checked" the store is asked whether the generations stand, in one round trip; with
"pushed" it tells this process of every change (see :mod:`dumper.near.feed`), and is asked once for each copy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.core.signals import setting_changed

from dumper import stores
from dumper.conf import Settings, settings
from dumper.exceptions import StoreError
from dumper.near.copies import Answered, Copies, Copy, Signature
from dumper.near.signatures import variables
from dumper.rules.dimensions import variables as variables_of
from dumper.rules.messages import Unreadable
from dumper.rules.tags import Tag
from dumper.search import Found
from dumper.steps import Call, Steps
from dumper.stores.base import Proof
from dumper.stores.guard import Guard, withheld

if TYPE_CHECKING:
    from dumper.near.feed import Feed

__all__ = ["Answered", "Near", "Signature", "current"]

#: How a variable of a request is looked up by its CGI name; None where it is absent.
Get = Callable[[str], Any]


class Near:
    """The copies in this process, and whether they are true."""

    def __init__(self, settings: Settings, guard: Guard) -> None:
        self.variables = variables()
        self.copies = Copies(0 if settings.near_cache == "off" else settings.near_cache_size)
        self._store = guard.store
        #: goes up whenever nobody knows what has changed
        self._reign = 0
        self._feed = self._listening(settings.near_cache_staleness) if settings.near_cache == "pushed" else None
        if self._feed:
            guard.on_change = self.changed

    def _listening(self, bound: float) -> Feed | None:
        if (listener := self._store.listener()) is None:
            return None
        from dumper.near.feed import Feed

        return Feed(*listener, bound, self.forget)

    def recall(self, signature: Signature | None, get: Get) -> Answered | None:
        """What requests of ``signature`` were answered with last, if it is remembered; it may not be true any more."""
        if signature is None:
            return None
        try:
            answered = self.copies.answers.get(signature)
            if isinstance(answered, tuple):
                answered = self.copies.answers.get((*signature, *map(get, answered)))
        except TypeError:  # one of the variables is an object of some other application's
            return None
        return answered if isinstance(answered, Answered) else None

    def remember(self, signature: Signature | None, found: Found, get: Get) -> Answered | None:
        """Answer requests of ``signature`` with what was found for one; None where it is not to be remembered."""
        if signature is None or found.stored.slots is not None or not self.copies.most:
            return None  # where there are slots, each visitor has a token of their own
        copy = self._copy(found)
        more = variables_of(found.dimensions)
        environ = {name: value for name in (*self.variables, *more) if (value := get(name)) is not None}
        request = replace(found.request, environ=environ, parameters=_gone, cookies=_gone)
        kept = found._replace(
            request=request, stored=copy.stored, identities=copy.proof.identities, entries=copy.entries
        )
        answered = Answered(kept, copy)
        if more:
            self.copies.remember(signature, more, copy)
            signature = (*signature, *map(get, more))
        self.copies.remember(signature, answered, copy)
        return answered

    def _copy(self, found: Found) -> Copy:
        proof = Proof(found.stored.generations, found.identities)
        key = next(key for key in found.identities if key.fingerprint == found.stored.fingerprint)
        copy = self.copies.of(key)
        if copy is None or copy.proof != proof:
            names = self._store.names(proof.generations, proof.identities) if self._feed else ()
            copy = Copy(key, found, proof, names)
            self.copies.add(copy)
        return copy

    def knows(self, copy: Copy) -> bool:
        """Whether ``copy`` is true, as far as this process can tell without asking the store."""
        return (
            self._feed is not None
            and self._feed.is_current()
            and copy.trusted == (self._reign, copy.changes)
            and not withheld
            and not (withheld.source and withheld.source.is_due())
        )

    def prove(self, copy: Copy) -> Steps[bool]:
        """Whether ``copy`` is true, by what the store says where that has to be asked."""
        if self.knows(copy):
            return True
        # Who listens first and asks then misses nothing.
        mark = (self._reign, copy.changes) if self._feed and self._feed.is_current() else None
        try:
            confirmed: bool = yield Call("confirm", (copy.proof,))
        except StoreError:
            return False
        if confirmed:
            copy.trusted = mark
        return confirmed

    def changed(self, tags: Collection[Tag]) -> None:
        """This process has changed ``tags``: it does not wait to be told."""
        self.forget(self._store.names(tags, ()))

    def forget(self, names: Collection[bytes] | None) -> None:
        """What the store keeps under ``names`` has changed; None is anything."""
        if names is None:
            self._reign += 1
            return
        for copy in self.copies.named(names):
            copy.changes += 1

    def close(self) -> None:
        if self._feed:
            self._feed.close()


def _gone() -> Mapping[str, Any]:
    raise Unreadable("the request is not there any more")


_current: Near | None = None
#: Of two at once, only one would be told what this process changes itself.
_making = Lock()


def current() -> Near:
    """The near cache of this process."""
    global _current
    found = _current
    if found is None:
        with _making:
            found = _current = _current or Near(settings(), stores.current())
    return found


def _forget(**kwargs: Any) -> None:
    global _current
    if _current:  # by which settings it was answered, nobody knows
        _current.close()
        _current = None


def _after_fork() -> None:
    """The child listens for itself."""
    global _current, _making
    _current, _making = None, Lock()


setting_changed.connect(_forget, dispatch_uid="dumper.near")
os.register_at_fork(after_in_child=_after_fork)
