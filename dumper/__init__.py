"""Full-page caching for Django: stored forever, never stale, invalidated by your models."""

from dumper.invalidation import aclear, ainvalidate, ainvalidate_paths, clear, invalidate, invalidate_paths
from dumper.site import register, unregister

__version__ = "1.0.0.dev0"
__all__ = [
    "aclear",
    "ainvalidate",
    "ainvalidate_paths",
    "clear",
    "invalidate",
    "invalidate_paths",
    "register",
    "unregister",
]
