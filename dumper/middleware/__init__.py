"""The middleware pair; also importable from :mod:`dumper.middleware.cache`."""

from dumper.middleware.cache import FetchFromCacheMiddleware, UpdateCacheMiddleware

__all__ = ["FetchFromCacheMiddleware", "UpdateCacheMiddleware"]
