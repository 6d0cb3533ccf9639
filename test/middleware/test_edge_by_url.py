"""What caches may keep that are told of changes URL by URL: nothing that such a purge would not reach."""

import pytest

import dumper
from test.middleware.edges import LIFETIME, by_url, plain, with_fields
from test.middleware.visits import Visitor, site


@pytest.mark.parametrize(
    ("path", "target", "is_kept"),
    [
        ("/page/", "/page/", True),
        ("/page/", "/page/?", False),
        ("/page/", "/page/?a=1", False),
        ("/page/", "/%70age/", False),
        ("/page/", "http://testserver/page/", False),
        ("/page/", "//page/", False),
        ("/caf%C3%A9/", "/caf%C3%A9/", True),
        ("/caf%C3%A9/", "/caf%c3%a9/", False),
        ("/caf%C3%A9/", "/caf\u00e9/", False),
        ("/a b/", "/a%20b/", True),
    ],
)
def test_where_purges_name_urls_only_the_spelling_that_is_purged_may_be_kept(path, target, is_kept):
    with site(plain, DUMPER_UPSTREAMS={"edge": by_url(vary="*")}):
        response = Visitor().get(path, RAW_URI=target)
    assert ("s-maxage" in response["Cache-Control"]) == is_kept


@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
def test_the_spelling_is_told_by_the_server_in_either_of_two_ways_or_nothing_is_kept(name):
    with site(plain, DUMPER_UPSTREAMS={"edge": by_url(vary="*")}):
        assert "s-maxage" in Visitor().get("/", **{name: "/"})["Cache-Control"]
        assert "s-maxage" not in Visitor().get("/")["Cache-Control"]


@pytest.mark.parametrize(
    ("view", "options"),
    [
        (with_fields(Vary="Accept-Language"), {}),
        (with_fields(Vary="Accept-Language"), {"vary": ["Accept-Encoding"]}),
        (with_fields(Vary="accept-encoding, X-Other"), {"vary": ["Accept-Encoding"]}),
    ],
)
def test_where_a_purge_drops_no_variants_what_varies_may_not_be_kept(view, options):
    with site(view, DUMPER_UPSTREAMS={"edge": by_url(**options)}):
        assert Visitor().get("/", RAW_URI="/")["Cache-Control"] == "private"


def test_but_in_what_the_cache_copes_with():
    view = with_fields(Vary="Accept-Encoding")
    with site(view, DUMPER_UPSTREAMS={"edge": by_url(vary=["Accept-Encoding"])}):
        assert "s-maxage" in Visitor().get("/", RAW_URI="/")["Cache-Control"]


def test_where_purges_name_urls_what_depends_on_more_than_paths_may_not_be_kept():
    def view(request):
        dumper.depends_on("menu")
        return plain(request)

    with site(view, DUMPER_UPSTREAMS={"edge": by_url(vary="*")}):
        for _ in range(2):
            assert Visitor().get("/", RAW_URI="/")["Cache-Control"] == "private"


def test_nor_what_was_asked_for_on_a_host_that_is_not_purged():
    entry = by_url(vary="*") | {"HOSTS": ["www.example.com"]}
    with site(plain, DUMPER_UPSTREAMS={"edge": entry}, ALLOWED_HOSTS=["*"]):
        assert "s-maxage" in Visitor().get("/", RAW_URI="/", headers={"host": "www.example.com"})["Cache-Control"]
        for host in ("testserver", "www.example.com:8000", "WWW.example.com"):
            assert Visitor().get("/", RAW_URI="/", headers={"host": host})["Cache-Control"] == "private"


def test_where_two_edges_read_one_field_the_more_careful_one_decides():
    entries = {"a": by_url(vary="*"), "b": by_url(vary=["Accept-Encoding"]), "c": by_url(vary="*")}
    entries["c"]["OPTIONS"]["lifetime"] = 5
    with site(with_fields(Vary="Accept-Language"), DUMPER_UPSTREAMS=entries):
        assert Visitor().get("/", RAW_URI="/")["Cache-Control"] == "private"
    with site(plain, DUMPER_UPSTREAMS=entries):
        assert Visitor().get("/", RAW_URI="/")["Cache-Control"] == "max-age=0, s-maxage=5"


def test_nginx_is_told_in_its_own_field():
    with site(plain, DUMPER_UPSTREAMS={"edge": by_url(control="X-Accel-Expires", vary="*")}):
        assert Visitor().get("/", RAW_URI="/")["X-Accel-Expires"] == str(LIFETIME)
        assert Visitor().get("/?a=1", RAW_URI="/?a=1")["X-Accel-Expires"] == "0"
