"""The fakes are as strict as the vendors' documents: credentials, tags, limits, and faults."""

from __future__ import annotations

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from test.cdns.base import Cdn
from test.cdns.bunny import Bunny
from test.cdns.clock import Bucket, Clock
from test.cdns.cloudflare import Cloudflare
from test.cdns.fastly import Fastly

HOST = "www.example.com"


class Reply:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


def ask(cdn: Cdn, target: str, headers: dict[str, str], content: object = None, method: str = "POST") -> Reply:
    connection = http.client.HTTPConnection(urlsplit(cdn.url).netloc, timeout=0.5)
    try:
        body = b"" if content is None else json.dumps(content).encode()
        connection.request(method, target, body, {"Content-Type": "application/json", **headers})
        return Reply(connection.getresponse())
    finally:
        connection.close()


def request(cdn: Cdn) -> tuple[str, dict[str, str], object]:
    """What purges the pages with the tag "a"."""
    if isinstance(cdn, Fastly):
        return f"/service/{cdn.service}/purge", {"Fastly-Key": cdn.key, "Surrogate-Key": "a"}, None
    if isinstance(cdn, Cloudflare):
        target = f"/client/v4/zones/{cdn.zone}/purge_cache"
        return target, {"Authorization": f"Bearer {cdn.token}"}, {"tags": ["a"]}
    return f"/pullzone/{cdn.zone}/purgeCache", {"AccessKey": cdn.key}, {"CacheTag": "a"}


def purge(cdn: Cdn) -> Reply:
    return ask(cdn, *request(cdn))


def held(cdn: Cdn, *targets: str) -> str:
    return " ".join(target for target in targets if cdn.holds(HOST, target))


@pytest.fixture(params=[Fastly, Cloudflare, Bunny])
def cdn(request):
    with request.param() as cdn:
        cdn.keep(HOST, "/a", "a", b"hello")
        yield cdn


def test_a_purge_drops_the_pages_with_the_tag_and_no_others(cdn):
    cdn.keep(HOST, "/ab", "ab")
    cdn.keep(HOST, "/untagged")
    assert 200 <= purge(cdn).status < 300
    assert held(cdn, "/a", "/ab", "/untagged") == "/ab /untagged"


def test_a_page_is_its_host_path_and_query(cdn):
    assert cdn.holds("WWW.example.com", "/a")
    assert cdn.page(HOST, "/a").body == b"hello"
    for host, target in [("example.com", "/a"), (HOST, "/a?"), (HOST, "/a?b"), (HOST, "/A"), (HOST, "/a/")]:
        assert not cdn.holds(host, target)


@pytest.mark.parametrize("wrong", [None, "", "wrong", "Bearer wrong"])
def test_without_its_credentials_nothing_is_purged(cdn, wrong):
    target, headers, content = request(cdn)
    del headers[next(iter(headers))]
    if wrong is not None:
        headers |= {"Fastly-Key": wrong, "Authorization": wrong, "AccessKey": wrong}
    assert ask(cdn, target, headers, content).status in (400, 401, 403)
    assert cdn.holds(HOST, "/a")


def test_another_zone_is_not_found(cdn):
    target, headers, content = request(cdn)
    own = str(cdn.service if isinstance(cdn, Fastly) else cdn.zone)
    assert ask(cdn, target.replace(own, "another"), headers, content).status == 404
    assert cdn.holds(HOST, "/a")


def test_other_methods_purge_nothing(cdn):
    assert ask(cdn, *request(cdn), method="GET").status == 405
    assert cdn.holds(HOST, "/a")


def test_calls_are_logged(cdn):
    purge(cdn)
    assert [(call.method, call.path.count("purge")) for call in cdn.calls] == [("POST", 1)]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_status_is_answered_as_often_as_was_asked_for_and_nothing_is_done(cdn, status):
    cdn.fail_next(status, 2)
    assert [purge(cdn).status, purge(cdn).status] == [status, status]
    assert cdn.holds(HOST, "/a")
    assert purge(cdn).status < 300
    assert not cdn.holds(HOST, "/a")


def test_429_says_when_to_try_again_as_the_vendor_does(cdn):
    cdn.fail_next(429)
    headers = purge(cdn).headers
    if isinstance(cdn, Fastly):
        assert int(headers["Fastly-RateLimit-Reset"]) == cdn.clock.now() + 60
        assert "Retry-After" not in headers
    else:
        assert headers["Retry-After"] == "60"


@pytest.mark.parametrize(
    ("kind", "error", "done"),
    [
        ("timeout", TimeoutError, False),
        ("drop", http.client.RemoteDisconnected, False),
        ("lost", http.client.RemoteDisconnected, True),
    ],
)
def test_no_answer_comes(cdn, kind, error, done):
    cdn.fail_next(kind)
    with pytest.raises(error):
        purge(cdn)
    assert cdn.holds(HOST, "/a") is not done
    assert purge(cdn).status < 300


def test_garbage_is_a_200_with_nothing_done(cdn):
    cdn.fail_next("garbage")
    reply = purge(cdn)
    assert reply.status == 200
    with pytest.raises(ValueError, match="Expecting value"):
        _ = reply.json
    assert cdn.holds(HOST, "/a")


def test_only_cloudflare_is_unsuccessful_with_a_200(cdn):
    if isinstance(cdn, Cloudflare):
        cdn.fail_next("unsuccessful")
        reply = purge(cdn)
        assert (reply.status, reply.json["success"]) == (200, False)
        assert reply.json["errors"][0].keys() == {"code", "message"}
        assert cdn.holds(HOST, "/a")
    else:
        with pytest.raises(ValueError, match="knows no fault 'unsuccessful'"):
            cdn.fail_next("unsuccessful")


def test_it_closes_with_connections_open_and_calls_unanswered():
    with Fastly() as cdn:
        idle = http.client.HTTPConnection(urlsplit(cdn.url).netloc, timeout=5)
        idle.request("GET", "/")
        idle.getresponse().read()
        cdn.fail_next("timeout")
        with pytest.raises(TimeoutError):
            purge(cdn)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert idle.sock.recv(1) == b""
    idle.close()


def test_a_fake_that_crashes_fails_the_test():
    cdn = Bunny()
    cdn.answer = lambda call: 1 / 0
    with pytest.raises(RuntimeError, match="Bunny has crashed"), cdn, pytest.raises(http.client.RemoteDisconnected):
        purge(cdn)


def test_a_bucket_gives_all_or_nothing_and_refills_with_the_clock_alone():
    clock = Clock()
    bucket = Bucket(clock, 10, 0.5)
    assert bucket.take(8) == 0
    assert bucket.take(3) == pytest.approx(2)
    clock.advance(1.9)
    assert bucket.take(3) == pytest.approx(0.1)
    clock.advance(0.1)
    assert bucket.take(3) == 0
    clock.advance(3600)
    assert bucket.take(11) > 0
    assert bucket.take(10) == 0
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)
