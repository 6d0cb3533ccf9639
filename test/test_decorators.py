"""never_store and store(), on functions, classes and async views, with the middleware pair and without."""

import inspect
import itertools

import pytest
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

import dumper
from test.http.doors import DOORS
from test.middleware.stacks import DJANGO, STACKS

renders = itertools.count(1)


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"render {next(renders)}", headers={"Cache-Control": "max-age=100", "X-Name": "a"})


async def async_view(request: HttpRequest) -> HttpResponse:
    return view(request)


def template_view(request: HttpRequest) -> TemplateResponse:
    found = engines["django"].from_string("render {{ number }}")
    fields = {"Cache-Control": "max-age=100", "X-Name": "a"}
    return TemplateResponse(request, found, {"number": next(renders)}, headers=fields)


def on_class(decorator, name):
    @method_decorator(decorator, name=name)
    class Page(View):
        def get(self, request):
            return view(request)

    return Page.as_view()


#: each way to use a decorator
WAYS = {
    "function": lambda decorator: decorator(view),
    "async function": lambda decorator: decorator(async_view),
    "template": lambda decorator: decorator(template_view),
    "class": lambda decorator: on_class(decorator, "dispatch"),
    "method": lambda decorator: on_class(decorator, "get"),
    "as_view": lambda decorator: decorator(on_class(lambda view: view, "get")),
    "below another": lambda decorator: csrf_exempt(decorator(view)),
    "above another": lambda decorator: decorator(csrf_exempt(view)),
}
DECORATORS = {
    "never": dumper.never_store,
    "short": dumper.store(timeout=60),
    "vary": dumper.store(vary_on=["X-Name", "X-Other"]),
    "tags": dumper.store(tags=["menu", "größe"]),
    "all": dumper.store(timeout=60, vary_on=["X-Name"], tags=["menu"]),
    "nothing": dumper.store(),
    "gone": dumper.store(timeout=0),
}
urlpatterns = [
    path(f"{decorator}/{way}/", use(DECORATORS[decorator])) for decorator in DECORATORS for way, use in WAYS.items()
]


def private(request):
    return HttpResponse(f"render {next(renders)}", headers={"Cache-Control": "private"})


urlpatterns += [
    path("private/", dumper.store(timeout=60)(private)),
    path("stricter-inside/", dumper.store(timeout=60)(dumper.never_store(view))),
    path("stricter-outside/", dumper.never_store(dumper.store(timeout=60)(view))),
    path("twice/", dumper.store(timeout=60)(dumper.store(timeout=5)(view))),
]


def at(decorator, way):
    return f"/{decorator}/{way.replace(' ', '%20')}/"


@pytest.fixture(autouse=True)
def _site():
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=STACKS["in Django's place"]):
        cache.clear()
        yield
        cache.clear()


@pytest.fixture(params=DOORS)
def ask(request):
    return DOORS[request.param]


@pytest.mark.parametrize("way", WAYS)
def test_never_store_keeps_a_page_from_being_stored_and_changes_nothing_else(ask, way):
    for _ in range(2):
        answer = ask(at("never", way))
        assert (answer.status, answer.detail) == (200, "no-store")
        assert answer.headers["cache-control"] == "max-age=100"
        assert "dumper-cache-control" not in answer.headers


@pytest.mark.parametrize("way", WAYS)
def test_store_says_for_how_long(ask, way):
    first = ask(at("short", way))
    assert first.cache_status["ttl"] == 60
    assert first.headers["cache-control"] == "max-age=100"
    assert "dumper-cache-control" not in first.headers
    assert ask(at("short", way)).body == first.body


@pytest.mark.parametrize("way", WAYS)
def test_store_says_in_what_a_page_varies(ask, way):
    first = ask(at("vary", way), {"X-Name": "a"})
    assert first.headers["vary"] == "X-Name, X-Other"
    assert ask(at("vary", way), {"X-Name": "a"}).body == first.body
    assert ask(at("vary", way), {"X-Name": "b"}).body != first.body
    assert ask(at("vary", way), {"X-Name": "a", "X-Other": ""}).body != first.body


@pytest.mark.parametrize("tag", ["menu", "größe"])
@pytest.mark.parametrize("way", WAYS)
def test_store_says_by_which_tags_a_page_is_invalidated(ask, way, tag):
    first = ask(at("tags", way))
    dumper.invalidate("other")
    assert ask(at("tags", way)).body == first.body
    dumper.invalidate(tag)
    second = ask(at("tags", way))
    assert second.body != first.body
    assert ask(at("tags", way)).body == second.body


def test_store_says_all_of_it_at_once(ask):
    first = ask("/all/function/")
    assert (first.cache_status["ttl"], first.headers["vary"]) == (60, "X-Name")
    dumper.invalidate("menu")
    assert ask("/all/function/").body != first.body


def test_store_without_a_word_changes_nothing(ask):
    first = ask("/nothing/function/")
    assert first.cache_status["ttl"] == 100
    assert "vary" not in first.headers


def test_a_timeout_of_0_is_not_stored(ask):
    assert [ask("/gone/function/").detail for _ in range(2)] == ["expired", "expired"]


def test_a_timeout_counts_more_than_what_the_view_says_to_browsers(ask):
    """RFC 9213 §2.2."""
    first, second = ask("/private/"), ask("/private/")
    assert second.is_hit
    assert first.headers["cache-control"] == second.headers["cache-control"] == "private"


@pytest.mark.parametrize("path", ["/stricter-inside/", "/stricter-outside/"])
def test_of_both_never_store_counts(ask, path):
    assert [ask(path).detail for _ in range(2)] == ["no-store", "no-store"]


def test_of_two_timeouts_the_inner_one_counts(ask):
    assert ask("/twice/").cache_status["ttl"] == 5


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("decorator", ["never", "short", "vary", "tags"])
def test_without_the_middleware_pair_they_are_in_nobodys_way(ask, decorator, way):
    with override_settings(MIDDLEWARE=DJANGO):
        first, second = ask(at(decorator, way)), ask(at(decorator, way))
    assert first.status == 200
    assert first.body.startswith(b"render")
    assert second.body != first.body
    assert first.headers["cache-control"] == "max-age=100"
    assert first.headers.get("vary") == ("X-Name, X-Other" if decorator == "vary" else None)


@pytest.mark.parametrize("original", [view, async_view])
@pytest.mark.parametrize("decorator", [dumper.never_store, dumper.store(timeout=5)])
def test_a_decorated_view_is_known_as_what_it_was(decorator, original):
    decorated = decorator(csrf_exempt(original))
    assert decorated.__name__ == original.__name__
    assert decorated.csrf_exempt
    assert inspect.iscoroutinefunction(decorated) == inspect.iscoroutinefunction(original)


@pytest.mark.parametrize("wrong", [{"vary_on": "Cookie"}, {"tags": "menu"}])
def test_a_text_instead_of_a_list_is_told_at_once(wrong):
    with pytest.raises(TypeError, match="a list of names"):
        dumper.store(**wrong)


def test_a_timeout_below_0_is_told_at_once():
    with pytest.raises(ValueError, match="0 or more"):
        dumper.store(timeout=-1)


@override_settings(DUMPER_STATUSES={200: None, 404: 600})
def test_never_store_holds_for_what_is_made_of_an_exception_too(client):
    @dumper.never_store
    def view(request):
        raise Http404

    with override_settings(
        ROOT_URLCONF=type("urls", (), {"urlpatterns": [path("gone/", view)]}), MIDDLEWARE=STACKS["alone"]
    ):
        for _ in range(2):
            assert client.get("/gone/")["Cache-Status"] == 'dumper; fwd=bypass; detail="never_store"'
