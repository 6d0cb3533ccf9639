"""The Django app: its system checks."""

from django.apps import AppConfig


class DumperConfig(AppConfig):
    name = "dumper"
    verbose_name = "django-dumper"

    def ready(self) -> None:
        """Register the system checks."""
        from django.core import checks

        from dumper.checks import CHECKS

        for check in CHECKS:
            checks.register(check)
