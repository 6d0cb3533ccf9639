"""CloudFront, through boto3: pages are gone when an invalidation is complete, which is made and paid for once."""

import pytest
from django.test import override_settings

from dumper.rules.tags import SITE
from dumper.upstreams import find
from dumper.upstreams.courier import Courier
from test.cdns.cloudfront import CloudFront
from test.upstreams.helpers import HOSTS, paths
from test.upstreams.simulation import simulation, timeout_of

[HOST] = HOSTS
BACKEND = "dumper.upstreams.cloudfront.CloudFront"


@pytest.fixture
def cdn():
    with CloudFront() as cdn:
        yield cdn


@pytest.fixture(autouse=True)
def credentials(monkeypatch, cdn, tmp_path):
    """Those of the imitation, and none of this machine."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": cdn.access_key,
        "AWS_SECRET_ACCESS_KEY": cdn.secret_key,
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def site(request, monkeypatch, cdn):
    with simulation(monkeypatch, cdn, BACKEND, {"distribution": cdn.distribution}, **timeout_of(request)) as site:
        yield site


def kept(cdn, *targets):
    cdn.clock.advance(cdn.seconds)
    return [target for target in targets if cdn.holds(HOST, target)]


def keep(cdn, *targets):
    for target in targets:
        cdn.keep(HOST, target)


def references(cdn):
    return list(cdn.invalidations)


def test_pages_are_gone_on_whatever_host_and_no_others(cdn, site):
    keep(cdn, "/a/", "/b/", "/caf%C3%A9/", "/~joe/", "/100!$&'()+,;=:@/")
    cdn.keep("other.example", "/a/")
    site.put(paths("/a/", "/café/", "/~joe/", "/100!$&'()+,;=:@/"))
    site.drain()
    assert kept(cdn, "/a/", "/b/", "/caf%C3%A9/", "/~joe/", "/100!$&'()+,;=:@/") == ["/b/"]
    assert not cdn.holds("other.example", "/a/")
    assert len(cdn.calls) == 1


def test_a_path_that_is_longer_than_it_takes_is_no_obstacle_to_others(cdn, site):
    long = "/" + "a" * 5000 + "/"
    keep(cdn, "/a/", long)
    site.put(paths("/a/", long, long + "b/"))
    site.drain()
    assert not kept(cdn, "/a/", long)
    assert not site.waits


def test_the_whole_site_is_cleared_at_once(cdn, site):
    keep(cdn, "/a/", "/b/")
    site.put({SITE, *paths("/a/")})
    site.drain()
    assert not kept(cdn, "/a/", "/b/")
    [invalidation] = cdn.invalidations.values()
    assert invalidation.batch.paths == ("/*",)


def test_the_same_purge_tried_again_is_the_same_invalidation(cdn, site):
    keep(cdn, "/a/", "/b/")
    site.courier.stride = 1
    cdn.fail_next("lost", 2)
    site.put(paths("/a/"))
    site.drain()
    assert len(cdn.calls) == 3
    assert len(references(cdn)) == 1
    assert kept(cdn, "/a/", "/b/") == ["/b/"]


def test_the_same_path_changed_once_more_is_another_invalidation_also_of_another_process(cdn, site):
    for number in range(3):
        keep(cdn, "/a/")
        site.put(paths("/a/"))
        site.drain()
        site.courier = Courier("edge")  # as after a restart
        assert not kept(cdn, "/a/"), number
    assert len(set(references(cdn))) == 3


def test_each_round_of_a_purge_is_an_invalidation_of_its_own(monkeypatch, cdn):
    options = {"distribution": cdn.distribution, "again_after": 60}
    with simulation(monkeypatch, cdn, BACKEND, options) as site:
        keep(cdn, "/a/")
        site.put(paths("/a/"))
        site.step()
        assert not kept(cdn, "/a/")
        keep(cdn, "/a/")  # what was being fetched when it came
        site.drain()
        assert not kept(cdn, "/a/")


@pytest.mark.parametrize("kind", [429, 500, 503, "timeout", "drop", "lost", "garbage"])
def test_a_fault_is_seen_and_the_purge_is_not_lost(cdn, site, kind, caplog):
    keep(cdn, "/a/", "/b/")
    cdn.fail_next(kind, 2)
    site.put(paths("/a/"))
    site.drain()
    assert kept(cdn, "/a/", "/b/") == ["/b/"]
    assert len(cdn.calls) == 3
    assert len(site.waits) == 2
    first, last = (record for record in caplog.records if record.name == "dumper.upstreams")
    assert "not purged, will try again: CloudFront" in first.getMessage()
    assert first.exc_info in (None, False)
    assert "answers again" in last.getMessage()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "WRONG", "InvalidClientTokenId"),
        ("AWS_ACCESS_KEY_ID", None, "Unable to locate credentials|Partial credentials"),
    ],
)
def test_wrong_credentials_are_seen(monkeypatch, cdn, site, name, value, error, caplog):
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    keep(cdn, "/a/")
    site.put(paths("/a/"))
    site.step()
    assert kept(cdn, "/a/")
    [record] = [record for record in caplog.records if record.name == "dumper.upstreams"]
    assert any(text in record.getMessage() for text in error.split("|"))
    assert record.exc_info in (None, False)


def test_more_paths_than_may_be_in_progress_are_invalidated_one_after_another(cdn, site):
    targets = [f"/{number}/" for number in range(4500)]
    keep(cdn, *targets[::100])
    for first in range(0, 4500, 450):
        site.put(paths(*targets[first : first + 450]))
        site.step()
    site.drain()
    assert not kept(cdn, *targets[::100])
    assert not site.lost


def test_a_change_of_very_much_is_one_path_or_a_few(cdn, site):
    targets = [f"/{number}/" for number in range(3500)]
    keep(cdn, *targets[::100])
    site.put(paths(*targets))
    site.drain()
    assert not kept(cdn, *targets[::100])
    assert len(references(cdn)) < 10
    assert not site.waits


def test_it_may_keep_pages_of_every_host_and_needs_none_named():
    entry = {"BACKEND": BACKEND, "OPTIONS": {"distribution": "E1"}}
    with override_settings(ALLOWED_HOSTS=[], DUMPER_UPSTREAMS={"edge": entry}):
        upstream = find("edge")
        assert upstream.is_told_of("any.example")
        assert not list(upstream.check())
