"""What a visitor, a middleware or a view does must not make a cache in front keep the wrong thing."""

import pytest
from django.http import HttpResponse
from django.views.decorators.cache import cache_control

import dumper
from dumper.conf import settings
from dumper.rules.surrogates import surrogate_key
from dumper.rules.tags import named_tag
from test.middleware.edges import LIFETIME, by_key, by_url, plain, with_fields
from test.middleware.stacks import DJANGO, FETCH, LOCALE, UPDATE
from test.middleware.visits import Visitor, is_hit, site


@pytest.mark.parametrize(
    "name",
    ["SCRIPT_NAME", "PATH_INFO", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Protocol", "X-Forwarded-Ssl"],
)
def test_what_servers_make_urls_of_is_named_in_vary(name):
    field = "HTTP_" + name.upper().replace("-", "_")
    with site(plain, DUMPER_UPSTREAMS={"varnish": by_key(), "squid": by_url(vary=["Accept-Encoding"])}):
        usual = Visitor().get("/", RAW_URI="/")
        forged = Visitor().get("/", RAW_URI="/", **{field: "x"})
    assert "Vary" not in usual or name not in usual["Vary"]
    assert name in forged["Vary"]
    assert "s-maxage" in usual["Cache-Control"]
    assert forged["Cache-Control"] == "private"


def test_a_language_that_a_cookie_may_have_chosen_varies_in_cookies():
    stack = [UPDATE, *DJANGO, LOCALE, FETCH]
    with site(plain, DUMPER_UPSTREAMS={"edge": by_key()}, MIDDLEWARE=stack):
        for _ in range(2):
            vary = Visitor().get("/", headers={"accept-language": "de"})["Vary"]
            assert {"Accept-Language", "Cookie"} <= set(vary.split(", "))


class Breaking:
    """Answers with an error whatever comes, while it is told to."""

    is_broken = False

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        return HttpResponse("broken", status=500) if Breaking.is_broken else response


def test_an_error_in_the_place_of_a_hit_is_not_kept(monkeypatch):
    stack = [UPDATE, f"{__name__}.Breaking", *DJANGO, FETCH]
    with site(plain, DUMPER_UPSTREAMS={"edge": by_key()}, MIDDLEWARE=stack):
        assert Visitor().get("/")["Surrogate-Control"] == f"max-age={LIFETIME}"
        monkeypatch.setattr(Breaking, "is_broken", True)
        error = Visitor().get("/")
        assert error.status_code == 500
        assert error["Surrogate-Control"] == "no-store"


def greeting(request):
    return HttpResponse(f"hello {request.session.get('name')}")


def with_cookie(request):
    response = HttpResponse("a")
    response.set_cookie("a", "b")
    return response


@pytest.mark.parametrize("view", [greeting, with_cookie], ids=lambda view: view.__name__)
def test_a_lifetime_for_browsers_lets_no_edge_keep_what_is_one_visitors(view):
    view = cache_control(max_age=600)(view)
    with site(view, DUMPER_UPSTREAMS={"edge": by_key(vary=["Accept-Encoding"], control="Cache-Control")}):
        response = Visitor(session={"name": "Alice"}).get("/")
    assert response["Cache-Control"] == "private, max-age=600"


def test_what_goes_past_the_store_says_on_what_it_depends_all_the_same():
    def view(request):
        dumper.depends_on("menu")
        return HttpResponse("a", headers={"Cache-Control": "max-age=600"})

    with site(view, DUMPER_UPSTREAMS={"edge": by_key()}):
        response = Visitor().get("/", headers={"x-http-method-override": "x"})
    assert "bypass" in response["Cache-Status"]
    assert surrogate_key(named_tag("menu"), settings().key_prefix) in response["xkey"]


SAID = [
    ("Surrogate-Control", "no-store", "no-store"),
    ("Surrogate-Control", "private", "no-store"),
    ("Surrogate-Control", "max-age=0", "no-store"),
    ("Surrogate-Control", "max-age=60", "max-age=60"),
    ("Surrogate-Control", "max-age=6000", f"max-age={LIFETIME}"),
    ("CDN-Cache-Control", "no-store", "no-store"),
    ("CDN-Cache-Control", "private, max-age=60", "no-store"),
    ("X-Accel-Expires", "0", "0"),
    ("X-Accel-Expires", "60", "60"),
]


@pytest.mark.parametrize(("field", "said", "expected"), SAID)
def test_what_a_view_says_to_the_edge_itself_is_never_widened(field, said, expected):
    view = with_fields(**{field.replace("-", "_"): said})
    with site(view, DUMPER_UPSTREAMS={"edge": by_key(control=field)}):
        stored, hit = Visitor().get("/"), Visitor().get("/")
    assert is_hit(hit)
    assert stored[field] == hit[field] == expected


def test_nor_is_a_lifetime_of_none_for_shared_caches():
    view = with_fields(Cache_Control="s-maxage=0", Dumper_Cache_Control="max-age=600")
    with site(view, DUMPER_UPSTREAMS={"edge": by_key()}):
        assert Visitor().get("/")["Surrogate-Control"] == "no-store"
