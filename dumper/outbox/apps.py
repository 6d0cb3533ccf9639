"""The Django app of the outbox: it listens to changes, and couriers deliver its rows."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "dumper.outbox"
    label = "dumper_outbox"
    verbose_name = "django-dumper: outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the outbox, and register its checks."""
        from django.core import checks

        from dumper.outbox.checks import check_app, check_deliveries
        from dumper.outbox.wiring import connect

        connect()
        checks.register(check_app)
        checks.register(check_deliveries, checks.Tags.database)
