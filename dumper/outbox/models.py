"""One row for each upstream that has still to be told of a change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import quote, unquote

from django.db import models
from django.utils import timezone

from dumper.rules.tags import Tag

#: The target that is the store of this site itself.
STORE = ""


class Delivery(models.Model):
    """What one upstream is to forget. A row is leased by moving ``due_at`` on: so a killed process loses nothing."""

    target = models.CharField(max_length=100, blank=True, help_text="The upstream's name; none for the store.")
    lines = models.TextField(help_text="The tags, one a line, percent-encoded.")
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    owner = models.CharField(max_length=40, blank=True, help_text="Who delivers it just now.")
    done = models.PositiveSmallIntegerField(default=0, help_text="How often it has been delivered.")
    attempts = models.PositiveIntegerField(default=0, help_text="How often it could not be delivered.")
    error = models.TextField(blank=True)
    is_dead = models.BooleanField(default=False, help_text="Nobody tries any more.")

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = (models.Index(fields=["target", "is_dead", "due_at"], name="dumper_outbox_due"),)

    def __str__(self) -> str:
        return f"{self.target or 'store'}: {len(self.lines.splitlines())} tags"

    @property
    def tags(self) -> frozenset[Tag]:
        return frozenset(Tag(unquote(line)) for line in self.lines.split("\n") if line)


def living(using: str) -> models.QuerySet[Delivery]:
    """The rows that are still to be delivered."""
    return Delivery.objects.using(using).filter(is_dead=False)


def dead(using: str) -> models.QuerySet[Delivery]:
    """Those that were given up on, and wait for somebody to look at them."""
    return Delivery.objects.using(using).filter(is_dead=True)


def retry(rows: models.QuerySet[Delivery]) -> int:
    """Have those of ``rows`` tried now that failed or were given up on; return how many."""
    now = timezone.now()
    failed = rows.filter(is_dead=False, attempts__gt=0).update(due_at=now)
    return failed + rows.filter(is_dead=True).update(is_dead=False, attempts=0, done=0, created_at=now, due_at=now)


def tags_of(rows: Iterable[Delivery]) -> frozenset[Tag]:
    """All that ``rows`` name."""
    return frozenset[Tag]().union(*(row.tags for row in rows))


def lines_of(tags: Collection[Tag]) -> str:
    """``tags`` in ASCII, one a line: every database takes that, whatever a path holds."""
    return "\n".join(quote(tag, safe="/: ") for tag in sorted(tags))
