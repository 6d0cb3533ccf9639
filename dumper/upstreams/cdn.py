"""What the CDNs have in common: an API at an address of the vendor's, a secret, and pages that are purged by keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from dumper.upstreams import options
from dumper.upstreams.base import Config, Upstream, UpstreamError
from dumper.upstreams.client import Answer, Client
from dumper.upstreams.http import refused
from dumper.upstreams.options import Misconfigured


class Cdn(Upstream):
    """LOCATION need not be given: it is the vendor's."""

    can = frozenset({"tag", "clear"})
    API: ClassVar[str]

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        if len(config.locations) > 1:
            raise Misconfigured("has one LOCATION")
        location = (config.locations or [self.API])[0]
        self.client = Client(location, config.timeout, {**self.credentials(), **config.headers})

    def credentials(self) -> Mapping[str, str]:
        """The fields that say who asks."""
        raise NotImplementedError

    def ask(self, target: str, headers: Mapping[str, str] | None = None, content: Any = None) -> Answer:
        """POST ``content`` as JSON. Raises UpstreamError unless it is answered with 2xx."""
        fields = {"Accept": "application/json", **(headers or {})}
        if content is not None:
            fields["Content-Type"] = "application/json"
        answer = self.client.send("POST", target, fields, b"" if content is None else json.dumps(content).encode())
        if not 200 <= answer.status < 300:
            raise refused(self.client, answer)
        return answer

    def close(self) -> None:
        self.client.close()


class Zone(Cdn):
    """One that calls the site a zone. It does not go by Vary: what varies in more than its coding is not kept there."""

    OPTIONS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        **Upstream.OPTIONS,
        "zone": options.text,
        "token": options.secret,
    }
    REQUIRED: ClassVar[Sequence[str]] = ("zone", "token")
    vary = frozenset({"accept-encoding"})
    zone: str
    token: str


def confirmed(client: Client, answer: Answer, is_done: Callable[[Mapping[str, Any]], bool]) -> None:
    """Raises UpstreamError unless the JSON in ``answer`` says so: a status of 200 alone may be a proxy's on the way."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not is_done(said):
        raise unconfirmed(client, answer)


def unconfirmed(client: Client, answer: Answer) -> UpstreamError:
    """What is raised where something else has answered."""
    text = answer.body[:200].decode(errors="replace")
    return UpstreamError(f"{client.location} answered {answer.status}, but not that it is done: {text}")
