"""What Django's tests ask of its own cache middleware, asked of this one, with a prefix for the cache and without.

Where the two differ on purpose, the test says so.
"""

import pytest
from django.conf import settings
from django.core.cache import caches
from django.http import HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.template import engines
from django.template.response import TemplateResponse
from django.test import override_settings
from django.utils import timezone, translation
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.vary import vary_on_cookie, vary_on_headers

import dumper
from test.http.urls import page
from test.middleware.stacks import STACKS


@pytest.fixture(autouse=True, params=["", "cacheprefix"], ids=["plain", "prefixed"])
def _prefix(request, site):
    """As in Django's PrefixedCacheUtils and PrefixedCacheI18nTest."""
    with override_settings(CACHES={"default": {**settings.CACHES["default"], "KEY_PREFIX": request.param}}):
        yield


def is_shared(ask, one, other):
    """Whether two calls of ``ask`` get the same page; each gets its own again."""
    first, second = ask(*one), ask(*other)
    assert ask(*one).body == first.body
    assert ask(*other).body == second.body
    return first.body == second.body


class TestCacheMiddleware:
    def test_repeating_a_request_is_a_hit(self, ask, site):
        site["/view/"] = page()
        first = ask("/view/")
        assert ask("/view/").body == first.body

    def test_the_same_request_with_another_prefix_is_not(self, ask, site):
        site["/view/"] = page()
        first = ask("/view/")
        with override_settings(DUMPER_KEY_PREFIX="prefix1."):
            assert ask("/view/").body != first.body
        assert ask("/view/").body == first.body

    def test_the_same_request_with_another_timeout_is(self, ask, site):
        site["/view/"] = page()
        first = ask("/view/")
        with override_settings(DUMPER_TIMEOUT=1):
            assert ask("/view/").body == first.body

    def test_another_alias_is_another_cache(self, ask, site):
        place = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.http.other"}
        site["/view/"] = page()
        first = ask("/view/")
        with override_settings(CACHES={**settings.CACHES, "other": place}, DUMPER_CACHE_ALIAS="other"):
            assert ask("/view/").body != first.body
            assert caches["other"]._cache
            caches["other"].clear()
        assert ask("/view/").body == first.body

    @pytest.mark.parametrize(("max_age", "timeout"), [(100, 300), (300, 100)])
    def test_the_timeout_of_a_page_takes_precedence_over_max_age(self, ask, site, later, max_age, timeout):
        site["/view/"] = dumper.store(timeout=timeout)(cache_control(max_age=max_age)(page()))
        first = ask("/view/")
        later(200)
        assert (ask("/view/").body == first.body) == (timeout > max_age)

    @pytest.mark.parametrize("directive", ["private", "no_cache", "no_store"])
    def test_cache_control_keeps_a_page_from_being_stored(self, ask, site, directive):
        site["/view/"] = cache_control(**{directive: True})(page())
        assert ask("/view/").body != ask("/view/").body

    def test_never_cache_does_too(self, ask, site):
        site["/view/"] = never_cache(page())
        assert ask("/view/").body != ask("/view/").body

    def test_a_page_with_a_csrf_cookie_is_stored_without_it(self, ask, site):
        """Django does not store it at all. Here each visitor gets a cookie and a token of their own."""
        site["/view/"] = lambda request: HttpResponse(f"token {get_token(request)}")
        first, second = ask("/view/"), ask("/view/")
        assert second.is_hit
        assert first.body != second.body
        assert settings.CSRF_COOKIE_NAME in second.headers["set-cookie"]

    def test_a_304_of_the_view_is_not_stored(self, ask, site):
        site["/view/"] = lambda request: HttpResponseNotModified(headers={"ETag": '"x"'})
        for _ in range(2):
            answer = ask("/view/", {"If-None-Match": '"x"'})
            assert (answer.status, answer.detail) == (304, "status 304")

    def test_no_cache_control_is_made_up(self, ask, site):
        """Django tells browsers to keep a page as long as itself; then no invalidation would reach them."""
        site["/view/"] = page()
        with override_settings(DUMPER_TIMEOUT=60):
            for answer in (ask("/view/"), ask("/view/")):
                assert not {"cache-control", "expires"} & answer.headers.keys()


class TestWithTemplateResponse:
    @pytest.fixture(autouse=True)
    def _page(self, site):
        self.renders = []
        self.called_back = []

        def view(request):
            found = engines["django"].from_string("{{ shown }} {{ note }}")
            note = lambda: self.renders.append(1) or len(self.renders)  # noqa: E731
            response = TemplateResponse(request, found, {"shown": request.GET.get("a", "page"), "note": note})
            response.add_post_render_callback(self.called_back.append)
            return response

        site["/view/"] = view

    def test_it_is_stored_once_it_is_rendered(self, ask):
        first, second = ask("/view/"), ask("/view/")
        assert first.is_stored
        assert second.body == first.body == b"page 1"
        assert (len(self.renders), len(self.called_back)) == (1, 1)

    def test_its_query_string_counts(self, ask):
        assert not is_shared(ask, ["/view/?a=x"], ["/view/?a=y"])


class TestCacheUtils:
    def test_pages_differ_by_url_not_by_path(self, ask, site):
        site["/view/"] = page()
        assert not is_shared(ask, ["/view/", {"Host": "sub-1.example"}], ["/view/", {"Host": "sub-2.example"}])

    def test_pages_differ_by_scheme(self, ask, site):
        site["/view/"] = page()
        assert ask("/view/").body != ask("/view/", secure=True).body
        assert ask("/view/", secure=True).is_hit

    def test_a_query_string_counts_where_it_is_read(self, ask, site):
        """In Django it always does."""
        site["/view/"] = page(shows=lambda request: request.GET.get("test"))
        assert not is_shared(ask, ["/view/"], ["/view/?test=1"])

    @pytest.mark.parametrize("query", ["exact", "observed"])
    def test_a_query_string_that_is_not_read_counts_as_the_site_wants(self, ask, site, query):
        site["/view/"] = page()
        with override_settings(DUMPER_QUERY=query):
            assert is_shared(ask, ["/view/?foo=bar"], ["/view/?foo=bar&other=true"]) == (query == "observed")

    def test_vary_counts(self, ask, site):
        site["/view/"] = vary_on_headers("Pony")(page())
        assert not is_shared(ask, ["/view/", {"Pony": "a"}], ["/view/", {"Pony": "b"}])

    def test_vary_asterisk_is_not_stored(self, ask, site):
        site["/view/"] = vary_on_headers("*")(page())
        assert ask("/view/").body != ask("/view/").body

    def test_vary_cookie_is_for_those_without_one(self, ask, site):
        """Django stores a page for each value of the field; here those with cookies go past the store."""
        site["/view/"] = vary_on_cookie(page())
        first = ask("/view/")
        assert ask("/view/").body == first.body
        assert ask("/view/", {"Cookie": "a=b"}).body not in (first.body, ask("/view/", {"Cookie": "a=b"}).body)


class TestCacheHead:
    def test_a_head_is_not_stored(self, ask, site):
        """In Django it is."""
        site["/view/"] = page()
        for _ in range(2):
            assert not ask("/view/", method="HEAD").is_hit

    def test_a_head_is_answered_from_a_stored_get(self, ask, site):
        site["/view/"] = page()
        stored = ask("/view/")
        head = ask("/view/", method="HEAD")
        assert head.is_hit
        assert head.headers["content-length"] == str(len(stored.body))


ACCEPTED = [
    "en-us", "en-US", "en-US,en;q=0.8", "en-US,en;q=0.8,ko;q=0.6", "ko-kr,ko;q=0.8,en-us;q=0.5,en;q=0.3 ",
    "ko-KR,ko;q=0.8,en-US;q=0.6,en;q=0.4", "ko;q=1.0,en;q=0.5", "ko, en", "ko-KR, en-US",
]  # fmt: skip


class TestCacheI18n:
    @pytest.mark.parametrize("accepted", ACCEPTED)
    def test_a_language_is_one_page_however_it_was_negotiated(self, ask, site, accepted):
        site["/view/"] = page({"Vary": "accept-encoding, accept-language"})
        gzip = {"Accept-Encoding": "gzip;q=1.0, identity; q=0.5, *;q=0"}
        with override_settings(MIDDLEWARE=STACKS["with LocaleMiddleware"]):
            first = ask("/view/", {"Accept-Language": "en", **gzip})
            assert ask("/view/", {"Accept-Language": accepted, **gzip}).body == first.body
            assert ask("/view/", {"Accept-Language": "de", **gzip}).body != first.body

    @pytest.mark.parametrize(("uses", "differs"), [(True, True), (False, False)])
    def test_a_language_counts_where_there_are_translations(self, ask_the_pair, site, uses, differs):
        site["/view/"] = page()
        with override_settings(USE_I18N=uses):
            with translation.override("en"):
                first = ask_the_pair("/view/")
            with translation.override("de"):
                assert (ask_the_pair("/view/").body != first.body) == differs
            with translation.override("en"):
                assert ask_the_pair("/view/").body == first.body

    @pytest.mark.parametrize(("uses", "differs"), [(True, True), (False, False)])
    def test_a_time_zone_counts_where_there_are_time_zones(self, ask_the_pair, site, uses, differs):
        site["/view/"] = page()
        with override_settings(USE_TZ=uses):
            with timezone.override("Europe/Berlin"):
                first = ask_the_pair("/view/")
            with timezone.override("Asia/Tokyo"):
                assert (ask_the_pair("/view/").body != first.body) == differs
            with timezone.override("Europe/Berlin"):
                assert ask_the_pair("/view/").body == first.body

    def test_a_translated_page_comes_back_in_the_language_that_is_active(self, ask_the_pair, site):
        site["/view/"] = page(shows=lambda request: {"en": "Hello", "de": "Hallo"}[translation.get_language()])
        for _ in range(2):
            for language, text in (("en", b"Hello"), ("de", b"Hallo")):
                with translation.override(language):
                    assert ask_the_pair("/view/").body.startswith(text)

    @pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
    def test_a_stream_is_not_stored(self, ask, site):
        site["/view/"] = lambda request: StreamingHttpResponse(["Check for cache with streaming content."])
        for _ in range(2):
            answer = ask("/view/")
            assert (answer.detail, answer.body) == ("not complete", b"Check for cache with streaming content.")
