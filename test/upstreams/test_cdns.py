"""Fastly, Cloudflare and Bunny: pages are gone when a purge is confirmed, and whatever fails, none is lost."""

import pytest

from dumper.conf import settings
from dumper.rules.surrogates import joined, keys_of
from dumper.rules.tags import SITE, named_tag, path_tag
from dumper.upstreams import find
from test.cdns.bunny import Bunny
from test.cdns.clock import Bucket
from test.cdns.cloudflare import Cloudflare
from test.cdns.fastly import Fastly
from test.upstreams.helpers import HOSTS, paths
from test.upstreams.simulation import simulation, timeout_of

[HOST] = HOSTS
BACKENDS = {
    Fastly: ("dumper.upstreams.fastly.Fastly", lambda cdn: {"service": cdn.service, "token": cdn.key}),
    Cloudflare: ("dumper.upstreams.cloudflare.Cloudflare", lambda cdn: {"zone": cdn.zone, "token": cdn.token}),
    Bunny: ("dumper.upstreams.bunny.Bunny", lambda cdn: {"zone": str(cdn.zone), "token": cdn.key}),
}


@pytest.fixture(params=BACKENDS)
def cdn(request):
    with request.param() as cdn:
        yield cdn


@pytest.fixture
def site(request, monkeypatch, cdn):
    backend, options = BACKENDS[type(cdn)]
    with simulation(monkeypatch, cdn, backend, options(cdn), **timeout_of(request)) as site:
        yield site


def keep(cdn, *targets, tags=()):
    """Pages as responses of the site describe them."""
    for target in targets:
        keys = keys_of({SITE, path_tag(target), *tags}, settings().key_prefix)
        cdn.keep(HOST, target, joined(cdn.tag_header, keys))


def kept(cdn, *targets):
    return [target for target in targets if cdn.holds(HOST, target)]


def test_pages_are_gone_that_depend_on_what_has_changed_and_no_others(cdn, site):
    keep(cdn, "/a/", "/b/")
    keep(cdn, "/c/", tags=[named_tag("menu")])
    site.put(paths("/a/"), {named_tag("menu")})
    site.drain()
    assert kept(cdn, "/a/", "/b/", "/c/") == ["/b/"]
    assert not site.waits


def test_the_whole_site_is_cleared_by_one_key_and_no_other_site(cdn, site):
    keep(cdn, "/a/", "/b/")
    cdn.keep(HOST, "/other-site/", joined(cdn.tag_header, keys_of({SITE}, "another.")))
    site.put({SITE})
    site.drain()
    assert kept(cdn, "/a/", "/b/", "/other-site/") == ["/other-site/"]
    assert len(cdn.calls) == 1


def test_the_vendor_reads_every_key_of_a_response_that_may_be_kept(cdn, site):
    upstream = find("edge")
    tags = [path_tag(f"/{number}/") for number in range(2000)]
    most = max(n for n in range(2000) if len(joined(cdn.tag_header, keys_of(tags[:n], "x"))) <= upstream.tag_bytes)
    assert most > 50
    for number, tag in enumerate(tags[:most:7]):
        keys = keys_of(tags[:most], settings().key_prefix)
        cdn.keep(HOST, f"/{number}", joined(cdn.tag_header, keys))
        upstream.purge([tag], "reference")
        assert not cdn.holds(HOST, f"/{number}")
        cdn.clock.advance(60)


@pytest.mark.parametrize(
    ("cdn", "kind"),
    [(fake, kind) for fake in BACKENDS for kind in sorted(fake.kinds, key=str)],
    indirect=["cdn"],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_fault_is_seen_and_the_purge_is_not_lost(cdn, site, kind, caplog):
    keep(cdn, "/a/", "/b/")
    cdn.fail_next(kind, 3)
    site.put(paths("/a/"))
    site.step()
    # At the first request, that is done already whose answer was lost.
    assert cdn.holds(HOST, "/a/") == (kind != "lost")
    site.drain()
    assert kept(cdn, "/a/", "/b/") == ["/b/"]
    assert len(cdn.calls) == 4
    assert len(site.waits) == 3
    assert not site.lost
    first, last = caplog.records
    assert "The upstream 'edge' was not purged, will try again" in first.getMessage()
    assert first.getMessage().isprintable()
    assert first.exc_info in (None, False)
    assert last.getMessage() == "The upstream 'edge' answers again."


def test_a_limit_says_how_long_to_wait(cdn, site):
    cdn.fail_next(429)
    site.put(paths("/a/"))
    site.step()
    assert site.waits == [pytest.approx(60, abs=5)]
    site.drain()
    assert len(cdn.calls) == 2


def wrong(cdn):
    if isinstance(cdn, Cloudflare):
        cdn.token = "another"
    else:
        cdn.key = "another"


def test_wrong_credentials_are_seen_and_nothing_is_lost_until_they_are_right(cdn, site, caplog):
    keep(cdn, "/a/")
    right = {name: getattr(cdn, name) for name in ("key", "token") if hasattr(cdn, name)}
    wrong(cdn)
    site.put(paths("/a/"))
    for _ in range(3):
        site.step()
    assert cdn.holds(HOST, "/a/")
    [record] = caplog.records
    assert f"{cdn.url} answered 40" in record.getMessage()
    assert not any(secret in caplog.text for secret in right.values())
    vars(cdn).update(right)
    site.drain()
    assert not cdn.holds(HOST, "/a/")
    assert not site.lost


def test_limits_are_met_without_a_loss(cdn, site):
    if isinstance(cdn, Fastly):
        cdn.purges = Bucket(cdn.clock, 20, 0.5)
    targets = [f"/{number}/" for number in range(100)]
    keep(cdn, *targets)
    for target in targets:
        site.put(paths(target))
        site.courier.stride = 1  # a change at a time
        site.step()
    site.drain()
    assert not kept(cdn, *targets)
    assert not site.lost
    assert len(cdn.calls) < 400


def test_a_change_of_very_much_is_delivered_within_the_limits(cdn, site):
    targets = [f"/{number}/" for number in range(3000)]
    keep(cdn, *targets)
    site.put(paths(*targets))
    began = cdn.clock.now()
    site.drain()
    assert not kept(cdn, *targets)
    assert len(cdn.calls) <= 12
    assert cdn.clock.now() - began < 60


def test_what_the_vendor_never_takes_is_given_up_on_and_said(cdn, site, caplog):
    cdn.fail_next(500, 10_000)
    site.put(paths("/a/"))
    began = cdn.clock.now()
    site.drain()
    assert site.lost == [paths("/a/")]
    assert 86_400 < cdn.clock.now() - began < 86_400 + 2 * 300
    assert max(site.waits) <= 300
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "Gave up on 1 purges of 'edge': " in caplog.text
    assert "path:/a/" in caplog.text


def test_fastly_marks_pages_stale_where_purges_are_soft(monkeypatch):
    with Fastly() as cdn:
        options = {"service": cdn.service, "token": cdn.key, "soft": True}
        with simulation(monkeypatch, cdn, "dumper.upstreams.fastly.Fastly", options) as site:
            keep(cdn, "/a/", "/b/")
            site.put(paths("/a/"))
            site.drain()
            assert kept(cdn, "/a/", "/b/") == ["/b/"]
            assert cdn.page(HOST, "/a/").stale
