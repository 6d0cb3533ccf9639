"""Where the outbox is connected: to changes, to the couriers, and to the guard of the store."""

from __future__ import annotations

from dumper import upstreams
from dumper.outbox.delivery import deliver_to
from dumper.outbox.own_store import own_store
from dumper.outbox.patrol import patrol
from dumper.outbox.pending import pending
from dumper.outbox.records import record
from dumper.signals import committing
from dumper.stores.guard import withheld
from dumper.upstreams.courier import mailboxes


def connect() -> None:
    """Write down changes from now on, deliver them, and trust the store with none that it was not told of."""
    committing.connect(record, dispatch_uid="dumper.outbox")
    upstreams.others[own_store.name] = own_store
    if deliver_to not in mailboxes:
        mailboxes.append(deliver_to)
    withheld.source = pending


def disconnect() -> None:
    """Undo connect(): for tests."""
    committing.disconnect(dispatch_uid="dumper.outbox")
    upstreams.others.pop(own_store.name, None)
    if deliver_to in mailboxes:
        mailboxes.remove(deliver_to)
    withheld.source = None
    patrol.stop()
    withheld.remove(pending)
