"""Amazon CloudFront, purged by path through boto3 (the extra ``cloudfront``), which finds its own credentials."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from dumper.rules.keys import digest
from dumper.upstreams import options
from dumper.upstreams.base import Config, Upstream, UpstreamError, Url
from dumper.upstreams.options import Misconfigured

#: Characters that a path may have.
MOST_BYTES = 4000


class CloudFront(Upstream):
    """A distribution. It knows paths alone, whatever the host; at most 3,000 may be in progress."""

    can = frozenset({"url", "clear"})
    goes_by_host: ClassVar[bool] = False
    batch: ClassVar[int] = 1000
    most: ClassVar[int] = 500
    OPTIONS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {**Upstream.OPTIONS, "distribution": options.text}
    REQUIRED: ClassVar[Sequence[str]] = ("distribution",)
    vary = frozenset({"accept-encoding"})
    distribution: str

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        try:
            import boto3  # noqa: F401
        except ImportError:
            raise Misconfigured('needs boto3: pip install "django-dumper[cloudfront]"') from None
        self._client: Any = None

    @property
    def hosts(self) -> Sequence[str]:
        """One stands for all."""
        return ["*"]

    def is_told_of(self, host: str | None) -> bool:
        return True

    def purge_urls(self, urls: Sequence[Url], reference: str) -> None:
        # Django leaves the tilde as it is, CloudFront wants it encoded.
        paths = [url.target.replace("~", "%7E") for url in urls]
        self._invalidate(dict.fromkeys(path if len(path) <= MOST_BYTES else "/*" for path in paths), reference)

    def clear(self, reference: str) -> None:
        self._invalidate(["/*"], reference)

    def _invalidate(self, paths: Collection[str], reference: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        batch = {
            "Paths": {"Quantity": len(paths), "Items": list(paths)},
            # The same paths tried again are the same invalidation, which is paid for once.
            "CallerReference": digest(reference, *paths)[:32],
        }
        try:
            made = self._connected().create_invalidation(DistributionId=self.distribution, InvalidationBatch=batch)
        except (BotoCoreError, ClientError) as error:
            raise UpstreamError(f"CloudFront: {error}") from error
        if not made.get("Invalidation", {}).get("Id"):  # boto3 takes any XML with a status of 2xx, a proxy's page too
            raise UpstreamError("CloudFront answered, but not that it is done")

    def _connected(self) -> Any:
        if self._client is None:
            import boto3
            from botocore.config import Config as BotoConfig

            timeouts = {"connect_timeout": self.config.timeout, "read_timeout": self.config.timeout}
            # A session of its own: threads may not share the default one while clients are made.
            self._client = boto3.session.Session().client(
                "cloudfront",
                endpoint_url=next(iter(self.config.locations), None),
                region_name="us-east-1",  # where CloudFront's API is, wherever the pages are
                config=BotoConfig(**timeouts, retries={"total_max_attempts": 1}),
            )
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
