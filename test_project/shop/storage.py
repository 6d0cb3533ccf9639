import time

from django.conf import settings
from django.core.files.storage import FileSystemStorage


class SlowStorage(FileSystemStorage):
    """Imitates a remote bucket: each open costs a round trip."""

    def _open(self, name, mode="rb"):
        time.sleep(settings.DEMO_SLOWNESS / 1000)
        return super()._open(name, mode)
