"""What was made with something of one visitor's own is not stored, wherever the middleware stands that says so."""

import django
import pytest
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import override_settings
from django.urls import path

from test.middleware.stacks import FETCH, UPDATE

SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"
MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
CSP = "django.middleware.csp.ContentSecurityPolicyMiddleware"
OTHERS = [SESSION, CSRF, AUTH, MESSAGES]


def added(request: HttpRequest) -> str:
    messages.info(request, "for you")
    return "added"


VIEWS = {
    "session": lambda request: request.session.get("name", "nobody"),
    "user": lambda request: request.user,
    "token": get_token,
    "message": added,
    "messages": lambda request: [str(message) for message in messages.get_messages(request)],
    "nothing": lambda request: "for all",
    "nonce": lambda request: getattr(request, "_csp_nonce", "none"),
}


def view(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(str(VIEWS[name](request)))


urlpatterns = [path("<str:name>/", view)]
REASONS = {
    "message": "messages",
}


def statuses(client, name: str, stack: list[str]) -> list[str]:
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=stack):
        return [client.get(f"/{name}/")["Cache-Status"] for _ in range(2)]


@pytest.mark.django_db
@pytest.mark.parametrize("name", REASONS)
def test_a_visitors_own_page_is_not_stored_even_if_the_middleware_stands_outside(client, name):
    assert statuses(client, name, [*OTHERS, UPDATE, FETCH]) == [f'dumper; fwd=uri-miss; detail="{REASONS[name]}"'] * 2


@pytest.mark.django_db
@pytest.mark.parametrize("name", REASONS)
def test_a_visitors_own_page_is_not_stored_in_djangos_order(client, name):
    assert all(
        status.startswith("dumper; fwd=uri-miss; detail=")
        for status in statuses(client, name, [UPDATE, *OTHERS, FETCH])
    )


@pytest.mark.parametrize("stack", [[*OTHERS, UPDATE, FETCH], [UPDATE, *OTHERS, FETCH]], ids=["outside", "between"])
def test_a_page_that_asks_for_nothing_of_the_kind_is_stored(client, stack):
    assert statuses(client, "nothing", stack) == ["dumper; fwd=uri-miss; stored", "dumper; hit"]


@pytest.mark.skipif(django.VERSION < (6, 0), reason="Django makes no nonces before 6.0")
@pytest.mark.parametrize("stack", [[CSP, UPDATE, FETCH], [UPDATE, CSP, FETCH]], ids=["outside", "between"])
def test_a_nonce_is_not_stored(client, stack):
    assert statuses(client, "nonce", stack) == ['dumper; fwd=uri-miss; detail="nonce"'] * 2
