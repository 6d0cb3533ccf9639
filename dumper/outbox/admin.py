"""What waits and what was given up on, in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from dumper.outbox.models import Delivery, retry


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("target_name", "first_line", "created_at", "due_at", "done", "attempts", "is_dead", "error")
    list_filter = ("is_dead", "target")
    actions = ("deliver_again",)
    readonly_fields = [field.name for field in Delivery._meta.fields]

    @admin.display(description="target", ordering="target")
    def target_name(self, row: Delivery) -> str:
        return row.target or "store"

    @admin.display(description="tags")
    def first_line(self, row: Delivery) -> str:
        first, *more = row.lines.split("\n")
        return f"{first} and {len(more)} more" if more else first

    @admin.action(description="Deliver once more what was given up on", permissions=["change"])
    def deliver_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self.message_user(request, f"{retry(queryset)} will be delivered once more.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
