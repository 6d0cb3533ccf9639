"""The Django app: its system checks, and its upstreams."""

from django.apps import AppConfig


class DumperConfig(AppConfig):
    name = "dumper"
    verbose_name = "django-dumper"

    def ready(self) -> None:
        """Register the system checks, and have the caches in front of the site told of what is invalidated."""
        from django.core import checks

        from dumper.checks import CHECKS, check_outbox
        from dumper.signals import invalidated
        from dumper.upstreams.dispatch import dispatch

        for check in CHECKS:
            checks.register(check)
        checks.register(check_outbox, deploy=True)
        invalidated.connect(dispatch, dispatch_uid="dumper.upstreams")
