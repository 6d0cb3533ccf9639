"""What is too much is not stored, and says why; it is answered all the same."""

import pytest
from django.core.cache import caches
from django.http import HttpResponse

from test.middleware.stacks import STACKS
from test.middleware.visits import Visitor, is_hit, is_stored, showing, shown, site, status

PLACE = STACKS["in Django's place"]


def of_size(body=0, header=0):
    def view(request):
        return HttpResponse(b"a" * body, headers={"X-Long": "b" * header} if header else {})

    return view


#: setting, its value, view, path, and the reason
LIMITS = [
    ("DUMPER_MAX_BODY_SIZE", 1000, of_size(body=1000), "/", None),
    ("DUMPER_MAX_BODY_SIZE", 1000, of_size(body=1001), "/", "body too large"),
    ("DUMPER_MAX_HEADER_SIZE", 2000, of_size(header=1500), "/", None),
    ("DUMPER_MAX_HEADER_SIZE", 2000, of_size(header=2001), "/", "header too large"),
    ("DUMPER_MAX_URL_LENGTH", 100, of_size(), "/" + "a" * 99, None),
    ("DUMPER_MAX_URL_LENGTH", 100, of_size(), "/" + "a" * 100, "url too long"),
    ("DUMPER_MAX_URL_LENGTH", 100, of_size(), "/?" + "a" * 99, None),
    ("DUMPER_MAX_URL_LENGTH", 100, of_size(), "/?" + "a" * 100, "url too long"),
]


@pytest.mark.parametrize(("name", "value", "view", "path", "reason"), LIMITS)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_is_within_a_limit_is_stored_and_what_is_beyond_is_not(kind, name, value, view, path, reason):
    with site(view, MIDDLEWARE=PLACE, **{name: value}):
        first, second = Visitor(kind).get(path), Visitor(kind).get(path)
    assert first.content == second.content
    assert is_stored(first) == is_hit(second) == (reason is None)
    if reason:
        assert f'detail="{reason}"' in status(first)


def test_a_page_that_is_compressed_is_as_large_as_its_content():
    with site(of_size(body=50_000), MIDDLEWARE=["django.middleware.gzip.GZipMiddleware"], DUMPER_MAX_BODY_SIZE=10_000):
        sent = Visitor().get(headers={"accept-encoding": "gzip"})
        assert len(sent.content) < 1000
    between = [PLACE[0], "django.middleware.gzip.GZipMiddleware", PLACE[-1]]
    with site(of_size(body=50_000), MIDDLEWARE=between, DUMPER_MAX_BODY_SIZE=10_000):
        answer = Visitor().get(headers={"accept-encoding": "gzip"})
        assert answer["Content-Encoding"] == "gzip"
        assert b"a" * 50_000 not in b"".join(caches["default"]._cache.values())


@pytest.mark.parametrize(
    "shows", [lambda r: r.GET.get("q"), lambda r: r.COOKIES.get("q"), lambda r: r.headers.get("q")]
)
def test_a_path_has_no_more_variants_than_the_limit(shows):
    with site(showing(shows), MIDDLEWARE=PLACE, DUMPER_MAX_VARIANTS=10):
        for number in range(60):
            answer = Visitor(q=str(number)).get(f"/?q={number}", headers={"q": str(number)})
            assert shown(answer) == str(number)
        everything = len(caches["default"]._cache)
        assert everything <= 10 + 10
        for number in range(60, 80):
            Visitor(q=str(number)).get(f"/?q={number}", headers={"q": str(number)})
        assert len(caches["default"]._cache) <= everything + 1
        assert is_hit(Visitor(q="79").get("/?q=79", headers={"q": "79"}))


def test_a_page_that_reads_too_many_things_is_not_stored():
    with site(showing(lambda request: [request.GET.get(str(n)) for n in range(51)]), MIDDLEWARE=PLACE):
        assert 'detail="too many dimensions"' in status(Visitor().get())
    with site(showing(lambda request: [request.GET.get(str(n)) for n in range(50)]), MIDDLEWARE=PLACE):
        assert is_stored(Visitor().get("/?utm=1"))
        assert is_hit(Visitor().get("/?utm=2"))


@pytest.mark.parametrize("name", [row[0] for row in LIMITS[::2]])
@pytest.mark.parametrize("value", [0, -1, 1.5, "1", None, True, 2**31 + 1])
def test_a_limit_that_makes_no_sense_breaks_no_page(name, value):
    with site(of_size(body=10), MIDDLEWARE=PLACE, **{name: value}):
        assert is_stored(Visitor().get())
        assert is_hit(Visitor().get())


def test_explain_tells_the_key_and_the_tags_to_those_who_look_for_them():
    with site(of_size(body=10), MIDDLEWARE=PLACE):
        for told, explain in ((False, None), (False, False), (True, True)):
            with site(of_size(body=10), MIDDLEWARE=PLACE, DUMPER_EXPLAIN=explain):
                for answer in (Visitor().get("/gr%C3%B6%C3%9Fe/"), Visitor().get("/gr%C3%B6%C3%9Fe/")):
                    assert ("key=" in status(answer)) == told
                    assert ('tags="' in status(answer)) == told
                    assert status(answer).isascii()
                if told:
                    assert "path:/gr%C3%B6%C3%9Fe/" in status(answer)
                    assert "site" in status(answer)


def test_explain_follows_debug():
    with site(of_size(body=10), MIDDLEWARE=PLACE, DEBUG=True):
        assert "key=" in status(Visitor().get())
    with site(of_size(body=10), MIDDLEWARE=PLACE, DEBUG=True, DUMPER_EXPLAIN=False):
        assert "key=" not in status(Visitor().get())
