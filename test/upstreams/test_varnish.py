"""What Varnish is asked: keys in batches that fit into a field, bans that cannot mean anything else, or URLs."""

import re

import pytest

from dumper.conf import settings
from dumper.rules.surrogates import keys_of
from dumper.rules.tags import SITE, named_tag
from dumper.upstreams.base import Config, Impossible, UpstreamError
from dumper.upstreams.varnish import Varnish
from test.upstreams.helpers import HOSTS, paths
from test.upstreams.peers import Peer, answer

MANY = paths(*map("/{}/".format, range(450)))


def asked(tags, *replies, **options):
    """The requests that ``tags`` make."""
    with Peer(*replies) as peer:
        upstream = Varnish(Config(name="edge", locations=[peer.url], hosts=HOSTS, options=options))
        try:
            upstream.purge(tags, "reference")
        finally:
            upstream.close()
        return peer.requests


def keys(tags):
    return keys_of(tags, settings().key_prefix)


@pytest.mark.parametrize(
    ("options", "method", "field", "separator"),
    [
        ({}, "PURGEKEYS", "xkey-purge", " "),
        ({"soft": True}, "PURGEKEYS", "xkey-softpurge", " "),
        ({"method": "ban"}, "BANKEYS", "x-ban-keys", "|"),
    ],
)
def test_keys_are_named_in_fields_of_less_than_8_kb(options, method, field, separator):
    found = asked(MANY, **options)
    assert {(one.method, one.target) for one in found} == {(method, "/")}
    assert [key for one in found for key in one[field].split(separator)] == keys(MANY)
    assert len(found) == 3
    assert max(len(one[field]) for one in found) < 8000


@pytest.mark.parametrize("method", ["xkey", "ban"])
def test_whatever_a_tag_holds_a_request_has_nothing_but_hexadecimal_digits(method):
    tags = [named_tag('" || obj.http.x ~ ".*'), *paths("/a|b/", "/.*/", "/ obj.ttl > 0s", "/\r\nX: y", "/é\x00")]
    [one] = asked(tags, method=method)
    value = one["x-ban-keys" if method == "ban" else "xkey-purge"]
    assert re.fullmatch(r"[0-9a-f]{16}([| ][0-9a-f]{16})*", value)


@pytest.mark.parametrize("method", ["xkey", "ban"])
def test_the_whole_site_is_one_key(method):
    [one] = asked({SITE}, method=method)
    assert keys({SITE}) == [one["x-ban-keys" if method == "ban" else "xkey-purge"]]


def test_by_url_it_is_purged_on_its_hosts_and_has_no_field_of_keys():
    [one] = asked({named_tag("a"), *paths("/a/")}, method="purge")
    assert (one.method, one.target, one["host"]) == ("PURGE", "/a/", HOSTS[0])
    config = Config(name="edge", locations=["http://127.0.0.1:1"], options={"method": "purge"})
    assert Varnish(config).tag_header is None


def test_by_url_it_cannot_be_cleared_but_urls_are_purged():
    with Peer() as peer:
        upstream = Varnish(Config(name="edge", locations=[peer.url], hosts=HOSTS, options={"method": "purge"}))
        with pytest.raises(Impossible, match="clear it by hand"):
            upstream.purge({SITE, *paths("/a/")}, "reference")
        upstream.close()
        assert peer.targets == ["/a/"]


@pytest.mark.parametrize("method", ["xkey", "ban", "purge"])
@pytest.mark.parametrize("status", [404, 405, 503])
def test_it_answers_200_or_it_was_not_done(method, status):
    with pytest.raises(UpstreamError, match=f"answered {status}"):
        asked(paths("/a/"), answer(status), method=method)
