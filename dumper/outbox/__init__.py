"""The outbox: purges written down in the project's own database, in the transaction of the change, until they are done.

Put ``"dumper.outbox"`` into INSTALLED_APPS and migrate. ``deliver()`` is what any task runner may call.
"""

from __future__ import annotations

__all__ = ["deliver"]


def deliver() -> int:
    """Deliver all that is due, once; return how many rows of the outbox were dealt with.

    What fails stays for the next time. It may be called by any process, and by several at once.
    """
    from dumper.outbox.delivery import deliver_all

    return deliver_all()
