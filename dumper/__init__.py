"""Full-page caching for Django: stored forever, never stale, invalidated by your models."""

from dumper.decorators import never_store, store
from dumper.dependencies import adepends_on, depends_on
from dumper.invalidation import aclear, ainvalidate, ainvalidate_paths, clear, invalidate, invalidate_paths
from dumper.site import register, unregister

__version__ = "1.0.0.dev0"
__all__ = [
    "aclear",
    "adepends_on",
    "ainvalidate",
    "ainvalidate_paths",
    "clear",
    "depends_on",
    "invalidate",
    "invalidate_paths",
    "never_store",
    "register",
    "store",
    "unregister",
]
