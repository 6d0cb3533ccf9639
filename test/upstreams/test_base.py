"""What a purge names: keys where an upstream knows them, else the URLs of paths, on all hosts and below the prefix."""

from itertools import chain

import pytest
from django.test import override_settings

from dumper.rules.surrogates import keys_of
from dumper.rules.tags import SITE, named_tag, row_tag
from dumper.upstreams.base import Config, Impossible, Upstream, UpstreamError, Url, batched
from test.upstreams.helpers import paths


class Recording(Upstream):
    """Writes down what a backend would be asked to do."""

    batch = 2

    def __init__(self, **config):
        super().__init__(Config(name="edge", **config))
        self.asked = []

    def purge_keys(self, keys):
        self.asked.append(keys)

    def purge_urls(self, urls, reference):
        self.asked.append([host + target for host, target in urls])


class Keyed(Recording):
    tag_header = "xkey"
    most = 5


class Clearable(Recording):
    can = frozenset({"url", "clear"})
    most = 5

    def clear(self, reference):
        self.asked.append("all")


def asked(upstream, tags):
    upstream.purge(tags, "reference")
    return upstream.asked


def test_keys_are_purged_in_batches():
    tags = {*paths("/a/", "/b/"), row_tag("app.model", 1), named_tag("name"), SITE}
    found = asked(Keyed(), tags)
    assert [len(keys) for keys in found] == [2, 2, 1]
    assert list(chain(*found)) == keys_of(tags, "dumper.cached_path.")


def test_keys_are_those_of_this_site_among_others():
    with override_settings(DUMPER_KEY_PREFIX="another."):
        other = asked(Keyed(), paths("/a/"))
    assert asked(Keyed(), paths("/a/")) != other


def test_for_too_many_keys_the_whole_site_is_purged():
    assert asked(Keyed(), paths(*map("/{}/".format, range(5)))) != [keys_of({SITE}, "dumper.cached_path.")]
    assert asked(Keyed(), paths(*map("/{}/".format, range(6)))) == [keys_of({SITE}, "dumper.cached_path.")]


def test_urls_are_purged_in_batches_on_every_host_and_other_tags_are_passed_over():
    tags = {*paths("/b/", "/a/"), row_tag("app.model", 1), named_tag("/name/")}
    assert asked(Recording(hosts=["x.example", "y.example"]), tags) == [
        ["x.example/a/", "y.example/a/"],
        ["x.example/b/", "y.example/b/"],
    ]


def test_what_no_cache_may_keep_is_purged_nowhere():
    assert asked(Recording(hosts=["a"]), paths("//x", "/a/../b", "/a%20b", "/a?b", "no-path", "/\r\n", "/ok")) == [
        ["a/ok"]
    ]


@pytest.mark.parametrize(
    ("options", "script_name", "targets"),
    [
        ({}, None, ["/a/"]),
        ({}, "/app", ["/a/", "/app/a/"]),
        ({}, "/app/", ["/a/", "/app/a/"]),
        ({"prefix": "/shop/"}, None, ["/a/", "/shop/a/"]),
        ({"prefix": "/größe"}, None, ["/a/", "/gr%C3%B6%C3%9Fe/a/"]),
        ({"prefix": "/shop"}, "/app", ["/a/", "/app/a/", "/shop/a/"]),
    ],
)
def test_a_path_is_purged_with_and_without_what_stands_before_it_in_public(options, script_name, targets):
    with override_settings(FORCE_SCRIPT_NAME=script_name):
        assert Recording(hosts=["h"], options=options).urls(paths("/a/")) == [Url("h", target) for target in targets]


def test_the_whole_site_is_cleared_where_that_can_be_done_and_no_url_besides():
    assert asked(Clearable(hosts=["h"]), {SITE, *paths("/a/")}) == ["all"]


def test_for_too_many_urls_the_whole_site_is_cleared_where_that_can_be_done():
    many = paths(*map("/{}/".format, range(6)))
    assert asked(Clearable(hosts=["h"]), many) == ["all"]
    assert len(asked(Clearable(hosts=["h"]), sorted(many)[:5])) == 3
    recording = Recording(hosts=["h"])
    recording.most = 5
    assert len(asked(recording, many)) == 3


def test_where_it_cannot_be_done_the_urls_are_purged_and_the_rest_is_impossible():
    upstream = Recording(hosts=["h"])
    with pytest.raises(Impossible, match="cannot be cleared: clear it by hand"):
        upstream.purge({SITE, *paths("/a/")}, "reference")
    assert upstream.asked == [["h/a/"]]


def test_a_class_that_does_nothing_of_its_own_says_so():
    plain = Upstream(Config(name="edge", hosts=["h"]))
    with pytest.raises(Impossible, match="edge knows no URLs"):
        plain.purge(paths("/a/"), "reference")
    plain.tag_header = "xkey"
    with pytest.raises(Impossible, match="edge knows no keys"):
        plain.purge(paths("/a/"), "reference")
    plain.close()


@pytest.mark.parametrize(
    ("allowed", "hosts"),
    [
        (["www.example.com", "[::1]", "127.0.0.1"], ["www.example.com", "[::1]", "127.0.0.1"]),
        ([".example.com", "*", "a.example"], ["a.example"]),
        ([], []),
    ],
)
def test_without_hosts_of_its_own_it_has_the_names_in_allowed_hosts(allowed, hosts):
    with override_settings(ALLOWED_HOSTS=allowed):
        upstream = Recording()
        assert list(upstream.hosts) == hosts
        assert [host for host in ["a.example", "www.example.com", None, "*"] if upstream.is_told_of(host)] == [
            host for host in ["a.example", "www.example.com"] if host in hosts
        ]


def test_hosts_of_its_own_count_more():
    with override_settings(ALLOWED_HOSTS=["a.example"]):
        upstream = Recording(hosts=["b.example"])
        assert upstream.hosts == ["b.example"]
        assert upstream.is_told_of("b.example")
        assert not upstream.is_told_of("a.example")


def test_an_error_is_one_printable_line():
    error = UpstreamError("answered\r\n\x00\x1b[31m\u2028é", retry_after=5)
    assert (str(error), error.retry_after) == ("answered    [31m é", 5)


def test_batches_are_complete():
    assert list(batched("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(batched("", 2)) == []
