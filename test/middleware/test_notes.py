"""Who reads makes a difference: what Django's own middleware asks on every request does not count."""

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.middleware import RemoteUserMiddleware
from django.http import HttpResponse
from django.test import override_settings
from django.utils.cache import get_conditional_response

from test.middleware.stacks import DJANGO, FETCH, LOCALE, STACKS, UPDATE
from test.middleware.visits import Visitor, is_hit, is_stored, showing, shown, site, status

STORAGES = ["session.SessionStorage", "cookie.CookieStorage", "fallback.FallbackStorage"]


@pytest.mark.parametrize("saves", [False, True], ids=["saved when changed", "saved every time"])
@pytest.mark.parametrize("secret", [False, True], ids=["secret in a cookie", "secret in the session"])
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(("kind", "storage"), [*(("sync", storage) for storage in STORAGES), ("async", STORAGES[2])])
def test_a_page_that_read_nothing_personal_is_one_for_all(kind, storage, stack, secret, saves):
    settings = {
        "MIDDLEWARE": STACKS[stack],
        "CSRF_USE_SESSIONS": secret and DJANGO[1] in STACKS[stack],
        "SESSION_SAVE_EVERY_REQUEST": saves,
        "MESSAGE_STORAGE": f"django.contrib.messages.storage.{storage}",
    }
    with site(showing(lambda request: request.path), **settings):
        first = Visitor(kind, session={"name": "Ada"}, theme="dark").get(headers={"user-agent": "one"})
        assert is_stored(first)
        for other in (
            Visitor(kind),
            Visitor(kind, session={"name": "Grace"}, csrftoken="a" * 32, messages="x"),
            Visitor(kind, sessionid="unknown", theme="light"),
            Visitor(kind, junk="\xe9"),
        ):
            answer = other.get("/?utm=1", headers={"user-agent": "two", "referer": "http://example.com/"})
            assert is_hit(answer)
            assert answer.content == first.content


def eager(reads):
    """A middleware that reads something of each request, and lets the view use it."""

    def middleware(get_response):
        def handle(request):
            request.found = reads(request)
            return get_response(request)

        return handle

    return middleware


reads_cookie = eager(lambda request: request.COOKIES.get("theme"))
reads_header = eager(lambda request: request.headers.get("X-One"))
reads_meta = eager(lambda request: request.META.get("HTTP_X_ONE"))
reads_session = eager(lambda request: request.session.get("name"))
reads_key = eager(lambda request: request.session.session_key)
keeps_session = eager(lambda request: request.session)
keeps_cookies = eager(lambda request: request.COOKIES)
reads_address = eager(lambda request: request.META["REMOTE_ADDR"])
HERE = "test.middleware.test_notes."
EAGER = ["reads_cookie", "reads_header", "reads_meta", "reads_session", "reads_key", "reads_address"]
PAIR = [
    {"theme": "dark", "session": {"name": "Ada"}},
    {"theme": "light", "session": {"name": "Grace"}},
]


def answers(kind, view, stack):
    """What two visitors get, who differ in all that may be read."""
    with site(showing(view), MIDDLEWARE=stack):
        return [
            shown(Visitor(kind, **facts).get(headers={"x-one": facts["theme"]}, **address(kind, facts["theme"])))
            for facts in PAIR
        ]


def address(kind, theme):
    return {"REMOTE_ADDR": f"192.0.2.{len(theme)}"} if kind == "sync" else {}


@pytest.mark.parametrize("place", ["between", "below"])
@pytest.mark.parametrize("name", EAGER)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_another_middleware_reads_for_the_view_is_noticed(kind, name, place):
    middle = [HERE + name, FETCH] if place == "between" else [FETCH, HERE + name]
    found = answers(kind, lambda request: request.found, [UPDATE, *DJANGO, *middle])
    assert found[0] != found[1] or (name == "reads_address" and kind == "async")


@pytest.mark.parametrize(
    ("name", "shows"),
    [
        ("keeps_session", lambda request: request.found.get("name")),
        ("keeps_session", lambda request: request.found["name"]),
    ],
)
@pytest.mark.parametrize("place", ["above", "between", "below"])
@pytest.mark.parametrize("secret", [False, True], ids=["secret in a cookie", "secret in the session"])
def test_a_session_that_a_middleware_has_kept_for_the_view_is_noticed(name, shows, place, secret):
    mine = HERE + name
    stack = {
        "above": [*DJANGO, mine, UPDATE, FETCH],
        "between": [UPDATE, *DJANGO, mine, FETCH],
        "below": [UPDATE, FETCH, *DJANGO, mine],
    }[place]
    with override_settings(CSRF_USE_SESSIONS=secret):
        assert answers("sync", shows, stack) == ["Ada", "Grace"]


@pytest.mark.parametrize("storage", STORAGES)
def test_a_session_that_was_read_above_still_says_so_to_the_middleware_there(storage):
    with site(showing(lambda request: "page"), MIDDLEWARE=[*DJANGO, HERE + "reads_session", UPDATE, FETCH]):
        for answer in (Visitor().get(), Visitor().get()):
            assert "Cookie" in answer["Vary"]
    assert is_hit(answer)


@pytest.mark.parametrize("name", ["get_user", "user", "session"])
def test_a_user_that_was_asked_for_above_is_not_taken_for_nobody(name):
    shows = {
        "get_user": lambda request: get_user(request),
        "user": lambda request: request.user.is_authenticated,
        "session": lambda request: request.session.get("name"),
    }
    logs_user = HERE + "logs_user"
    with site(showing(shows[name]), MIDDLEWARE=[*DJANGO, logs_user, UPDATE, FETCH]):
        assert is_stored(Visitor().get())
        assert is_hit(Visitor(theme="dark").get())
        assert not is_hit(Visitor(session={"name": "Ada"}).get())


logs_user = eager(lambda request: request.user.is_authenticated)


class Known:
    """A user of some other system."""

    is_authenticated = True
    name = "Ada"


class Unknown:
    is_authenticated = False
    name = "nobody"


logs_in_by_cookie = eager(
    lambda request: setattr(request, "user", Known() if "member" in request.COOKIES else Unknown())
)


@pytest.mark.parametrize(
    "place", [[HERE + "logs_in_by_cookie", UPDATE, FETCH], [UPDATE, HERE + "logs_in_by_cookie", FETCH]]
)
def test_a_user_that_another_system_knows_is_not_served_the_page_of_nobody(place):
    with site(showing(lambda request: request.user.name), MIDDLEWARE=place):
        assert shown(Visitor().get()) == "nobody"
        assert shown(Visitor(member="1").get()) == "Ada"
        assert is_hit(Visitor().get())
        assert not is_stored(Visitor(member="1").get())


class ByField:
    """``RemoteUserMiddleware``, as Django's documentation has it derived for another field."""

    def __init__(self, get_response):
        made = type("Named", (RemoteUserMiddleware,), {"header": "HTTP_AUTHUSER"})
        self.inner = made(get_response)

    def __call__(self, request):
        return self.inner(request)


@pytest.mark.django_db
def test_a_user_whom_a_proxy_names_is_not_served_the_page_of_nobody():
    backends = ["django.contrib.auth.backends.RemoteUserBackend"]
    stack = [UPDATE, *DJANGO, HERE + "ByField", FETCH]
    with site(showing(lambda request: request.user), MIDDLEWARE=stack, AUTHENTICATION_BACKENDS=backends):
        assert is_stored(Visitor().get())
        assert shown(Visitor().get(headers={"authuser": "Ada"})) == "Ada"
        assert shown(Visitor().get()) == "AnonymousUser"


def test_a_server_that_may_name_users_shares_the_pages_of_those_whom_it_does_not():
    stack = [UPDATE, *DJANGO, "django.contrib.auth.middleware.RemoteUserMiddleware", FETCH]
    with site(showing(lambda request: "page"), MIDDLEWARE=stack):
        assert is_stored(Visitor().get())
        assert is_hit(Visitor(theme="dark").get())


@pytest.mark.parametrize(
    "stack", [[UPDATE, FETCH, LOCALE], [UPDATE, FETCH, *DJANGO[:2], LOCALE]], ids=["alone", "with sessions"]
)
def test_a_language_that_is_chosen_below_by_a_cookie_is_noticed(stack):
    with site(showing(lambda request: request.LANGUAGE_CODE), MIDDLEWARE=stack):
        assert shown(Visitor().get()) == "en"
        assert shown(Visitor(django_language="de").get()) == "de"
        assert shown(Visitor().get()) == "en"


def test_a_language_that_is_chosen_between_costs_no_variant():
    with site(showing(lambda request: request.LANGUAGE_CODE), MIDDLEWARE=STACKS["with LocaleMiddleware"]):
        for language in ("de", "en"):
            assert is_stored(Visitor(django_language=language).get())
            answer = Visitor(theme="x").get(headers={"accept-language": f"{language};q=0.5"})
            assert is_hit(answer)
            assert shown(answer) == language


def test_conditions_that_django_looks_at_make_no_variant():
    def view(request):
        return get_conditional_response(request, etag='"a"', response=HttpResponse("page"))

    with site(view, MIDDLEWARE=STACKS["in Django's place"]):
        assert is_stored(Visitor().get(headers={"if-none-match": '"b"'}))
        assert is_hit(Visitor().get(headers={"if-none-match": '"c"'}))


PERSONAL = [
    ("REMOTE_ADDR", "visitor's address"),
    ("REMOTE_HOST", "visitor's address"),
    ("HTTP_X_FORWARDED_FOR", "visitor's address"),
    ("HTTP_X_REAL_IP", "visitor's address"),
    ("HTTP_FORWARDED", "visitor's address"),
    ("SSL_CLIENT_S_DN", "ssl_client_s_dn"),
    ("REMOTE_IDENT", "remote_ident"),
    ("CSRF_COOKIE", "csrf secret"),
]


@pytest.mark.parametrize(("name", "reason"), PERSONAL)
def test_what_names_a_visitor_is_not_stored(name, reason):
    with site(showing(lambda request: request.META.get(name)), MIDDLEWARE=STACKS["in Django's place"]):
        assert f'detail="{reason}"' in status(Visitor().get())


def test_the_secret_of_a_visitor_is_not_stored():
    with site(showing(lambda request: request.COOKIES.get("csrftoken")), MIDDLEWARE=STACKS["in Django's place"]):
        assert 'detail="csrf secret"' in status(Visitor(csrftoken="a" * 32).get())
