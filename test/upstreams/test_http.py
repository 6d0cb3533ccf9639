"""A PURGE of each URL, with the public Host, at every location; confirmed by 2xx, or where there was nothing."""

import pytest

from dumper.rules.tags import SITE
from dumper.upstreams.base import Config, Impossible, UpstreamError
from dumper.upstreams.http import Http, wait_of
from test.upstreams.helpers import HOSTS, paths
from test.upstreams.peers import DROP, Peer, answer


@pytest.fixture
def peer():
    with Peer() as peer:
        yield peer


@pytest.fixture
def upstream():
    """Makes an upstream, and closes it in the end."""
    closing = []

    def upstream(*peers, **config):
        closing.append(Http(Config(name="edge", locations=[peer.url for peer in peers], **{"hosts": HOSTS, **config})))
        return closing[-1]

    yield upstream
    for one in closing:
        one.close()


def test_each_url_is_purged_with_the_public_host_on_one_connection(peer, upstream):
    upstream(peer, hosts=["a.example", "b.example:8000"]).purge(paths("/", "/café/"), "reference")
    assert [(asked.method, asked["host"], asked.target) for asked in peer.requests] == [
        ("PURGE", "a.example", "/"),
        ("PURGE", "b.example:8000", "/"),
        ("PURGE", "a.example", "/caf%C3%A9/"),
        ("PURGE", "b.example:8000", "/caf%C3%A9/"),
    ]
    assert peer.connections == 1
    assert not any(asked.body for asked in peer.requests)


def test_every_location_is_told_with_the_secret(upstream):
    with Peer() as first, Peer() as second:
        upstream(first, second, headers={"X-Purge-Token": "secret"}).purge(paths("/a/"), "reference")
        for peer in (first, second):
            [asked] = peer.requests
            assert (asked.target, asked["x-purge-token"]) == ("/a/", "secret")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299, 404, 412])
def test_it_is_confirmed_by_2xx_or_where_there_was_nothing(status, upstream):
    with Peer(answer(status, Content_Length=None if status == 204 else 0)) as peer:
        upstream(peer).purge(paths("/a/", "/b/"), "reference")
        assert peer.targets == ["/a/", "/b/"]


@pytest.mark.parametrize(
    "status", [300, 301, 302, 304, 400, 401, 403, 405, 408, 410, 421, 429, 500, 501, 502, 503, 504]
)
def test_it_is_not_confirmed_by_anything_else(status, upstream):
    with Peer(answer(status, b"" if status == 304 else b"go \r\naway")) as peer:
        with pytest.raises(UpstreamError, match=f"^{peer.url} answered {status}") as caught:
            upstream(peer).purge(paths("/a/", "/b/"), "reference")
        assert not isinstance(caught.value, Impossible)
        assert str(caught.value).isprintable()
        assert peer.targets == ["/a/"]


@pytest.mark.parametrize("failing", [0, 1])
def test_one_location_that_fails_is_a_failure(failing, upstream):
    with Peer() as good, Peer(then=DROP) as bad:
        peers = [good, bad]
        with pytest.raises(UpstreamError, match=bad.url):
            upstream(*(peers if failing else reversed(peers))).purge(paths("/a/"), "reference")


def test_a_purge_that_django_has_answered_is_a_failure_that_says_so(upstream):
    with Peer(answer(200, Cache_Status="dumper; fwd=method")) as peer, pytest.raises(UpstreamError) as caught:
        upstream(peer).purge(paths("/a/"), "reference")
    assert "has let PURGE through to Django" in str(caught.value)


def test_it_cannot_be_cleared_and_says_what_is_to_be_done(peer, upstream):
    with pytest.raises(Impossible, match="cannot be cleared: clear it by hand"):
        upstream(peer).purge({SITE, *paths("/a/")}, "reference")
    assert peer.targets == ["/a/"]


def test_without_any_host_it_has_that_of_its_location(peer, upstream, settings):
    settings.ALLOWED_HOSTS = []
    upstream(peer, hosts=()).purge(paths("/a/"), "reference")
    assert peer.requests[0]["host"] == f"127.0.0.1:{peer.port}"


def test_by_default_no_variant_may_be_kept_because_a_purge_may_not_reach_them_all(peer, upstream):
    assert upstream(peer).vary == frozenset()


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "120"}, 120),
        ({"retry-after": " 120 "}, 120),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "1.5"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "nan"}, 0),
        ({"retry-after": "²"}, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "9" * 400}, float("inf")),
        ({"fastly-ratelimit-reset": "1"}, 0),
        ({"fastly-ratelimit-reset": "x"}, 0),
    ],
)
def test_whatever_stands_in_retry_after_is_a_time(fields, seconds):
    assert wait_of(fields) == seconds


def test_a_failure_has_the_time_that_the_answer_asks_for(upstream):
    with Peer(answer(503, Retry_After=7)) as peer, pytest.raises(UpstreamError) as caught:
        upstream(peer).purge(paths("/a/"), "reference")
    assert caught.value.retry_after == 7
