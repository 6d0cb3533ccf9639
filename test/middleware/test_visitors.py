"""What is one visitor's own is stored for nobody; who has nothing of the kind shares a page."""

import django
import pytest
from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.template import engines

from test.middleware.stacks import CSP, DJANGO, STACKS
from test.middleware.visits import Visitor, is_hit, is_stored, showing, shown, site, status, stored_bytes

PLACES = ["in Django's place", "side by side at the top", "side by side at the end"]

SESSION = {
    "get": lambda session: session.get("name"),
    "[]": lambda session: session["name"] if "name" in session else None,  # noqa: SIM401
    "in": lambda session: "name" in session,
    "items": lambda session: list(session.items()),
    "keys": lambda session: list(session.keys()),
    "session_key": lambda session: session.session_key,
    "is_empty": lambda session: session.is_empty(),
    "expiry": lambda session: session.get_expire_at_browser_close(),
    "store": lambda session: session.exists(session.session_key or ""),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", SESSION)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_page_that_read_the_session_is_stored_for_those_without_one(kind, name, place):
    with site(showing(lambda request: SESSION[name](request.session)), MIDDLEWARE=STACKS[place]):
        assert is_stored(Visitor(kind, theme="dark").get())
        nobody = Visitor(kind, junk="1").get()
        assert is_hit(nobody)
        for person in ("Ada", "Grace"):
            visitor = Visitor(kind, session={"name": person})
            answer = visitor.get()
            assert "bypass" in status(answer)
            assert shown(answer) != shown(nobody) or name == "expiry"
            assert visitor.client.cookies["sessionid"].value.encode() not in stored_bytes()
            assert person.encode() not in stored_bytes()
        assert is_hit(Visitor(kind).get())


@pytest.mark.parametrize("place", PLACES)
def test_those_with_a_session_who_come_first_store_nothing(place):
    with site(showing(lambda request: request.session.get("name")), MIDDLEWARE=STACKS[place]):
        for person in ("Ada", "Grace"):
            answer = Visitor(session={"name": person}).get()
            assert shown(answer) == person
            assert 'detail="session"' in status(answer)
        assert shown(Visitor().get()) == "None"


def test_a_session_that_the_view_fills_is_not_stored():
    def filled(request):
        request.session["name"] = "Ada"
        return HttpResponse("page")

    with site(filled, MIDDLEWARE=STACKS["in Django's place"]):
        for _ in range(2):
            assert 'detail="set-cookie"' in status(Visitor().get())


def test_the_cookie_of_a_session_is_as_good_as_the_session():
    with site(showing(lambda request: request.COOKIES.get("sessionid")), MIDDLEWARE=STACKS["in Django's place"]):
        answer = Visitor(session={"name": "Ada"}).get()
        assert not is_stored(answer)
        assert shown(answer).encode() not in stored_bytes()
        assert is_stored(Visitor().get())


async def user_of(request):
    return await request.auser()


USERS = {
    "user": lambda request: request.user,
    "username": lambda request: request.user.get_username(),
    "is_authenticated": lambda request: request.user.is_authenticated,
    "auser": lambda request: async_to_sync(user_of)(request),
    "template": lambda request: engines["django"].from_string("{{ user.username }}").render({}, request),
    "perms": lambda request: engines["django"].from_string("{{ perms.auth.add_user }}").render({}, request),
}


@pytest.mark.django_db
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", USERS)
def test_a_page_that_read_a_user_is_stored_for_nobody_but_those_without_one(name, place):
    users = [User.objects.create_superuser(person) for person in ("Ada", "Grace")]
    with site(showing(USERS[name]), MIDDLEWARE=STACKS[place]):
        for comes_first in (True, False):
            for user in users:
                visitor = Visitor()
                visitor.client.force_login(user)
                answer = visitor.get()
                assert not is_stored(answer)
                assert not is_hit(answer)
                assert shown(answer) in (user.username, "True")
            assert is_stored(Visitor().get()) == comes_first
            assert is_hit(Visitor(theme="dark").get())


@pytest.mark.django_db
@pytest.mark.parametrize("place", PLACES)
def test_those_with_a_user_share_what_read_none(place):
    with site(showing(lambda request: "page"), MIDDLEWARE=STACKS[place]):
        visitor = Visitor()
        visitor.client.force_login(User.objects.create_user("Ada"))
        assert is_stored(visitor.get())
        assert is_hit(visitor.get())
        assert is_hit(Visitor().get())


def added(request):
    messages.info(request, "for you")
    return "added"


def listed(request):
    return engines["django"].from_string("{% for message in messages %}{{ message }}{% endfor %}").render({}, request)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("storage", ["session.SessionStorage", "cookie.CookieStorage", "fallback.FallbackStorage"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_messages_reach_the_one_that_they_are_for(kind, storage, place):
    def view(request):
        return showing(added if request.path == "/add/" else listed)(request)

    settings = {"MIDDLEWARE": STACKS[place], "MESSAGE_STORAGE": f"django.contrib.messages.storage.{storage}"}
    with site(view, **settings):
        assert shown(Visitor(kind).get("/list/")) == ""
        visitor = Visitor(kind)
        assert not is_stored(visitor.get("/add/"))
        assert shown(Visitor(kind).get("/list/")) == ""
        answer = visitor.get("/list/")
        assert shown(answer) == "for you"
        assert not is_stored(answer)
        assert b"for you" not in stored_bytes()
        assert shown(visitor.get("/list/")) == ""
        assert is_hit(Visitor(kind).get("/list/"))


@pytest.mark.skipif(django.VERSION < (6, 0), reason="Django makes no nonces before 6.0")
@pytest.mark.parametrize("above", [True, False])
def test_a_nonce_is_stored_for_nobody(above):
    source = "<script nonce='{{ csp_nonce }}'></script>"
    pair = STACKS["in Django's place"]
    stack = [CSP, *pair] if above else [pair[0], CSP, *pair[1:]]

    def view(request):
        return HttpResponse(engines["django"].from_string(source).render({}, request))

    with site(view, MIDDLEWARE=stack, SECURE_CSP={"script-src": ["'nonce'"]}):
        first, second = Visitor().get(), Visitor().get()
    assert not is_stored(first)
    assert first.content != second.content


@pytest.mark.parametrize("name", ["a", "csrftoken", "sessionid"])
def test_a_cookie_that_the_view_sets_comes_with_no_page_of_the_stores(name):
    def view(request):
        answer = HttpResponse("page")
        answer.set_cookie("a", "b")
        return answer

    with site(view, MIDDLEWARE=[STACKS["alone"][0], *DJANGO, STACKS["alone"][1]]):
        for _ in range(2):
            answer = Visitor(**{name: "x"}).get()
            assert answer.cookies["a"].value == "b"
            assert not is_stored(answer)
