"""What responses say to the caches in front: the keys of their tags, and whether they may be kept."""

import pytest
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.test import override_settings

import dumper
from dumper import transactions
from dumper.backlog import release
from dumper.conf import settings
from dumper.rules.surrogates import keys_of, surrogate_key
from dumper.rules.tags import SITE, named_tag, path_tag
from dumper.stores.guard import withheld
from test.middleware.edges import LIFETIME, by_key, by_url, plain, renders, upstream, with_fields
from test.middleware.visits import Visitor, is_hit, site


@pytest.fixture(params=["sync", "async"])
def visitor(request):
    return Visitor(request.param)


@pytest.fixture
def visit(visitor):
    """Ask a site that has these upstreams twice for a path, as the target that the server has read."""

    def visit(view, *upstreams, path="/"):
        entries = {f"edge-{number}": entry for number, entry in enumerate(upstreams)}
        with site(view, DUMPER_UPSTREAMS=entries):
            more = {} if visitor.is_async else {"RAW_URI": path}
            return [visitor.get(path, **more) for _ in range(2)]

    return visit


def test_without_upstreams_nothing_is_said(visit):
    for response in visit(plain):
        assert not {"xkey", "Surrogate-Control", "Cache-Control"} & set(response.headers)


def test_what_is_stored_and_what_is_served_from_the_store_may_be_kept_while_browsers_ask_each_time(visit):
    stored, hit = visit(plain, by_key())
    assert is_hit(hit)
    for response in (stored, hit):
        assert response["Surrogate-Control"] == f"max-age={LIFETIME}"
        assert response["Cache-Control"] == "no-cache"
        assert response["ETag"]


def test_an_edge_that_reads_nothing_but_cache_control_is_told_there(visit, visitor):
    path = "/" if not visitor.is_async else "/page/"
    for response in visit(plain, by_url(vary="*"), path=path):
        expected = (
            "private" if visitor.is_async else f"max-age=0, s-maxage={LIFETIME}"
        )  # the test client has no raw_path
        assert response["Cache-Control"] == expected


def test_without_a_lifetime_the_word_is_with_the_view(visit):
    entry = upstream("dumper.upstreams.varnish.Varnish")
    for response in visit(plain, entry):
        assert "Surrogate-Control" not in response
        assert "Cache-Control" not in response


def test_it_is_kept_no_longer_than_the_page_stays_fresh(visit):
    for response in visit(with_fields(Cache_Control="max-age=60"), by_key()):
        assert response["Surrogate-Control"] in ("max-age=60", "max-age=59")
        assert response["Cache-Control"] == "max-age=60"


def test_the_keys_are_those_of_all_that_the_page_depends_on_and_tell_nothing(visit):
    def view(request):
        dumper.depends_on("secret-menu")
        return plain(request)

    tags = [SITE, path_tag("/page/"), named_tag("secret-menu")]
    for response in visit(view, by_key(), path="/page/"):
        assert response["xkey"].split() == keys_of(tags, settings().key_prefix)
        assert "menu" not in response["xkey"]
        assert "page" not in response["xkey"]


def test_keys_are_cache_groups_as_well_where_that_is_wished_for_and_they_are_not_too_many(visit):
    def view(request):
        dumper.depends_on(*(f"tag-{number}" for number in range(int(request.GET["tags"]))))
        return plain(request)

    (response, _) = visit(view, by_key(groups=True), path="/?tags=3")
    assert response["Cache-Groups"] == ", ".join(f'"{key}"' for key in response["xkey"].split())
    (response, _) = visit(view, by_key(groups=True), path="/?tags=31")
    assert "Cache-Groups" not in response


def test_also_what_is_not_stored_says_on_what_it_depends(visit):
    for response in visit(lambda request: StreamingHttpResponse(["a"]), by_key(), path="/page/"):
        assert surrogate_key(path_tag("/page/"), settings().key_prefix) in response["xkey"]


def test_a_response_whose_keys_do_not_fit_may_not_be_kept_and_they_are_not_cut_short(visit):
    def view(request):
        dumper.depends_on(*(f"tag-{number}" for number in range(600)))
        return plain(request)

    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}}
    with override_settings(CACHES={"default": place}):
        stored, hit = visit(view, by_key())
    assert is_hit(hit)
    for response in (stored, hit):
        assert "xkey" not in response
        assert response["Surrogate-Control"] == "no-store"


def streaming(request):
    return StreamingHttpResponse(["a"])


def token(request):
    return HttpResponse(get_token(request))


def cookie(request):
    response = plain(request)
    response.set_cookie("a", "b")
    return response


def session(request):
    request.session["a"] = "b"
    return plain(request)


@pytest.mark.parametrize(
    "view", [streaming, token, cookie, session, dumper.never_store(plain)], ids=lambda view: view.__name__
)
def test_what_is_not_stored_or_is_a_visitors_own_may_not_be_kept(visit, view):
    for response in visit(view, by_key(), by_url(vary="*")):
        assert response["Surrogate-Control"] == "no-store"
        assert "private" in response["Cache-Control"]


@pytest.mark.parametrize("status", [301, 404, 500])
def test_nor_may_an_error_or_a_redirect(visit, status):
    for response in visit(lambda request: HttpResponse(status=status), by_key()):
        assert response["Surrogate-Control"] == "no-store"


def test_what_is_not_stored_may_be_kept_if_the_view_says_so_itself(visit):
    view = dumper.never_store(with_fields(Cache_Control="s-maxage=30"))
    for response in visit(view, by_key()):
        assert "Surrogate-Control" not in response
        assert response["Cache-Control"] == "s-maxage=30"


def test_what_was_changed_while_it_was_rendered_may_not_be_kept_whatever_the_view_says(visit):
    def view(request):
        release([path_tag(request.path)])
        return HttpResponse(f"render {next(renders)}", headers={"Cache-Control": "public, s-maxage=30, max-age=5"})

    for response in visit(view, by_key(), by_url(vary="*")):
        assert 'detail="changed while it was rendered"' in response["Cache-Status"]
        assert response["Surrogate-Control"] == "no-store"
        assert response["Cache-Control"] == "private, max-age=5"


class Change:
    """One that the store has not been told of."""

    tags = frozenset({path_tag("/")})


def test_nor_may_what_is_held_by_a_change(visit):
    change = Change()
    withheld.add(change)
    try:
        for response in visit(plain, by_key()):
            assert 'detail="held by a change"' in response["Cache-Status"]
            assert response["Surrogate-Control"] == "no-store"
    finally:
        withheld.remove(change)


def test_nor_may_what_a_transaction_shows_before_its_commit(transactional_db):
    with site(with_fields(Cache_Control="s-maxage=30"), DUMPER_UPSTREAMS={"edge": by_key()}), transaction.atomic():
        transactions.change({path_tag("/other/")}, "default")
        response = Visitor().get("/")
    assert 'detail="inside a transaction"' in response["Cache-Status"]
    assert response["Surrogate-Control"] == "no-store"


def test_nor_may_anything_be_kept_while_the_store_is_down(visitor):
    place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    down = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    view = with_fields(Cache_Control="s-maxage=30")
    with (
        override_settings(CACHES={"default": place, "down": down}, DUMPER_CACHE_ALIAS="down"),
        site(view, DUMPER_UPSTREAMS={"edge": by_key()}),
    ):
        assert visitor.get("/")["Surrogate-Control"] == "no-store"


def test_nothing_is_said_of_the_answer_to_a_post():
    with site(plain, DUMPER_UPSTREAMS={"edge": by_key()}):
        visitor = Visitor()
        visitor.client.handler.enforce_csrf_checks = False
        assert "Surrogate-Control" not in visitor.post("/")


def test_a_304_says_the_same_as_the_page(visitor):
    with site(plain, DUMPER_UPSTREAMS={"edge": by_key()}):
        page = visitor.get("/")
        unchanged = visitor.get("/", headers={"if-none-match": page["ETag"]})
    assert unchanged.status_code == 304
    for name in ("xkey", "Surrogate-Control", "Cache-Control"):
        assert unchanged[name] == page[name]


def test_what_is_said_is_not_stored_with_the_page():
    with site(plain, DUMPER_UPSTREAMS={"edge": by_key()}):
        Visitor().get("/")
        with override_settings(DUMPER_UPSTREAMS={}):
            hit = Visitor().get("/")
    assert is_hit(hit)
    assert not {"xkey", "Surrogate-Control", "Cache-Control"} & set(hit.headers)


REASONS = [
    (plain, by_key(), "edge-0: kept for 600 s"),
    (plain, upstream("dumper.upstreams.varnish.Varnish"), "edge-0: as the view says"),
    (dumper.never_store(plain), by_key(), "edge-0: not kept, as it is not stored"),
    (token, by_key(), "edge-0: not kept, it has a token"),
    (cookie, by_key(), "edge-0: not kept, it sets a cookie"),
    (plain, by_url() | {"HOSTS": ["www.example.com"]}, "edge-0: not kept, the host testserver is not in HOSTS"),
    (with_fields(Vary="X-A"), by_url(), "edge-0: not kept, it varies in x-a"),
    (
        with_fields(Cache_Control="private", Dumper_Cache_Control="max-age=9"),
        by_key(),
        "edge-0: not kept, as the view says",
    ),
]


@pytest.mark.parametrize(("view", "entry", "remark"), REASONS, ids=[row[-1] for row in REASONS])
def test_why_it_may_be_kept_or_not_is_told_to_those_who_may_know(visit, view, entry, remark, caplog):
    with override_settings(DUMPER_EXPLAIN=True), caplog.at_level("DEBUG", logger="dumper.upstreams"):
        for response in visit(view, entry):
            assert response["Cache-Status"].endswith(f'; edge="{remark}"')
    assert f"GET /: {remark}" in caplog.messages
    for response in visit(view, entry):
        assert "edge=" not in response["Cache-Status"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [("/?a", "its URL is not the one that is purged"), (None, "the server does not tell how its URL was spelt")],
)
def test_also_where_it_is_the_spelling(target, reason):
    more = {} if target is None else {"RAW_URI": target}
    with site(plain, DUMPER_UPSTREAMS={"edge": by_url(vary="*")}, DUMPER_EXPLAIN=True):
        assert f"not kept, {reason}" in Visitor().get("/", **more)["Cache-Status"]


def test_nothing_is_said_to_a_dummy(visit):
    for response in visit(plain, {"BACKEND": "dumper.upstreams.dummy.Dummy", "OPTIONS": {"lifetime": 60}}):
        assert not {"xkey", "Surrogate-Control", "Cache-Control"} & set(response.headers)
