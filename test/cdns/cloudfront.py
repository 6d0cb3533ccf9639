"""CloudFront: invalidations by path, and by tag where a distribution has them.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from test.cdns.base import Answer, Call, Cdn, Page, Url
from test.cdns.clock import Clock
from test.cdns.sigv4 import refusal

XMLNS = "http://cloudfront.amazonaws.com/doc/2020-05-31/"
PATHS_IN_PROGRESS = 3000
WILDCARDS_IN_PROGRESS = 15
PATH_CHARACTERS = 4000
TAG_CHARACTERS = 256
TAGS_A_PAGE = 50

#: A path has all unsafe characters of RFC 1738 encoded; a tag is visible ASCII without commas.
PATH = re.compile(r"/(?:%[0-9A-Fa-f]{2}|[!$&-;=?-Z_a-z])*")
TAG = re.compile(r"#[!-+\--~]+")
UNSAFE = re.compile(r"[^!$%&-;=?-Z_a-z]")


@dataclass(frozen=True)
class Batch:
    reference: str
    paths: tuple[str, ...]

    @property
    def wildcards(self) -> int:
        return sum(path.endswith("*") and not path.startswith("#") for path in self.paths)

    @property
    def files(self) -> int:
        return len(self.paths) - self.wildcards


@dataclass(frozen=True)
class Invalidation:
    id: str
    batch: Batch
    created: float
    completed: float  # when it will be
    condemned: frozenset[Page]  # what was kept when it was created; what is fetched anew is fresh

    def xml(self, now: float) -> bytes:
        status = "Completed" if now >= self.completed else "InProgress"
        created = datetime.fromtimestamp(self.created, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        paths = "".join(f"<Path>{escape(path)}</Path>" for path in self.batch.paths)
        return (
            f'<?xml version="1.0"?>\n<Invalidation xmlns="{XMLNS}"><Id>{self.id}</Id><Status>{status}</Status>'
            f"<CreateTime>{created}</CreateTime><InvalidationBatch><Paths><Quantity>{len(self.batch.paths)}</Quantity>"
            f"<Items>{paths}</Items></Paths><CallerReference>{escape(self.batch.reference)}</CallerReference>"
            "</InvalidationBatch></Invalidation>"
        ).encode()


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.message = message


class CloudFront(Cdn):
    """An invalidation takes ``seconds``, and only then its pages are gone.

    Tags count only ``with_tags``: a distribution has them if its CacheTagConfig names a header field.
    """

    tag_header = "Cache-Tag"

    def __init__(
        self,
        distribution: str = "EDFDVBD6EXAMPLE",
        access_key: str = "AKIDEXAMPLE",
        secret_key: str = "cloudfront-secret",
        seconds: float = 30,
        with_tags: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock)
        self.distribution = distribution
        self.access_key = access_key
        self.secret_key = secret_key
        self.seconds = seconds
        self.with_tags = with_tags
        self.invalidations: dict[str, Invalidation] = {}  # by the caller's reference

    def tags(self, value: str) -> frozenset[str]:
        """Case makes no difference. Of more than 50, the others are ignored."""
        if not self.with_tags:
            return frozenset()
        return frozenset([tag for tag in (tag.strip().lower() for tag in value.split(",")) if tag][:TAGS_A_PAGE])

    def page(self, host: str, target: str) -> Page | None:
        with self._lock:
            self._complete()
            return super().page(host, target)

    def refuse(self, status: int) -> Answer:
        """Here, a client that asks too often is told so with a 400."""
        if status == 429:
            return _error(400, "Throttling", "Rate exceeded")
        return _error(status, "InternalError" if status == 500 else "ServiceUnavailable", "")

    def answer(self, call: Call) -> Answer:
        self._complete()
        try:
            found = self._create(call)
        except Refused as refused:
            return _error(refused.status, str(refused), refused.message)
        location = f"{self.url}{call.path}/{found.id}"
        return Answer(201, found.xml(self.clock.now()), {"Content-Type": "text/xml", "Location": location})

    def _create(self, call: Call) -> Invalidation:
        if code := refusal(call, self.access_key, self.secret_key, "cloudfront"):
            raise Refused(403, code)
        collection = "/2020-05-31/distribution/"
        if call.method != "POST" or not re.fullmatch(re.escape(collection) + r"\w+/invalidation", call.path):
            raise Refused(404, "UnknownOperationException")
        if call.path != f"{collection}{self.distribution}/invalidation":
            raise Refused(404, "NoSuchDistribution", "The specified distribution does not exist.")
        batch = _parse(call.body)
        if (known := self.invalidations.get(batch.reference)) is not None:
            if known.batch != batch:
                raise Refused(400, "InvalidationBatchAlreadyExists", "The reference belongs to another batch.")
            return known
        self._check_limits(batch)
        now = self.clock.now()
        condemned = frozenset(page for url, page in self._pages.items() if _condemned(batch, url, page))
        created = Invalidation(f"I{len(self.invalidations):013}", batch, now, now + self.seconds, condemned)
        self.invalidations[batch.reference] = created
        self._complete()
        return created

    def _check_limits(self, batch: Batch) -> None:
        now = self.clock.now()
        running = [one.batch for one in self.invalidations.values() if one.completed > now]
        for kind, limit in (("files", PATHS_IN_PROGRESS), ("wildcards", WILDCARDS_IN_PROGRESS)):
            if sum(getattr(one, kind) for one in [batch, *running]) > limit:
                message = f"Processing your request will cause you to exceed the maximum number of in-progress {kind}."
                raise Refused(400, "TooManyInvalidationsInProgress", message)

    def _complete(self) -> None:
        now = self.clock.now()
        done = [one.condemned for one in self.invalidations.values() if one.completed <= now]
        condemned = frozenset().union(*done)
        self.drop(lambda url, page: page in condemned)


def _parse(body: bytes) -> Batch:
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise Refused(400, "MissingBody", "This operation requires a body.") from None
    names = {"": XMLNS}
    reference = root.findtext("CallerReference", "", names)
    paths = tuple(path.text or "" for path in root.iterfind("Paths/Items/Path", names))
    if root.tag != f"{{{XMLNS}}}InvalidationBatch" or not reference or not paths:
        raise Refused(400, "InvalidArgument", "An argument is invalid.")
    if root.findtext("Paths/Quantity", "", names) != str(len(paths)):
        raise Refused(400, "InconsistentQuantities", "The value of Quantity and the size of Items don't match.")
    if not all(map(_is_valid, paths)):
        raise Refused(400, "InvalidArgument", "Your request contains one or more invalid invalidation paths.")
    return Batch(reference, paths)


def _is_valid(path: str) -> bool:
    if path.startswith("#"):
        return TAG.fullmatch(path) is not None and len(path) <= 1 + TAG_CHARACTERS
    return PATH.fullmatch(path) is not None and len(path) <= PATH_CHARACTERS


def _condemned(batch: Batch, url: Url, page: Page) -> bool:
    return any(_names(path, url, page) for path in batch.paths)


def _names(path: str, url: Url, page: Page) -> bool:
    """Whether a path, a path with a wildcard at its end, or a tag stands for the page."""
    if path.startswith("#"):
        return path[1:].lower() in page.tags
    target = UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), url.target)
    return target.startswith(path[:-1]) if path.endswith("*") else target == path


def _error(status: int, code: str, message: str) -> Answer:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f'<?xml version="1.0"?>\n<ErrorResponse xmlns="{XMLNS}">{error}<RequestId>1</RequestId></ErrorResponse>'
    return Answer(status, body.encode(), {"Content-Type": "text/xml"})
