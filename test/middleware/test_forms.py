"""Pages with forms are stored once, and each visitor's own token is put in: nobody learns another's."""

import base64
import codecs
import re

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token, rotate_token
from django.template import engines
from django.test import override_settings
from django.views.decorators.csrf import csrf_protect, ensure_csrf_cookie, requires_csrf_token

from dumper.rules.forms import SECRET_LENGTH, TOKEN_LENGTH
from test.middleware.stacks import DJANGO, FETCH, STACKS, UPDATE
from test.middleware.visits import Visitor, is_hit, is_stored, site, status, stored_bytes

PLACE = STACKS["in Django's place"]
SESSION, CSRF = DJANGO[1], DJANGO[3]
FORM = "<form method=post>{% csrf_token %}<input name=a></form>"
TOKEN = re.compile(rb"[A-Za-z0-9]{64}")


def rendered(source):
    def view(request):
        if request.method == "POST":
            return HttpResponse(f"posted {request.POST['a']}")
        return HttpResponse(engines["django"].from_string(source).render({}, request))

    return view


def tokens(response) -> list[str]:
    return [token.decode() for token in TOKEN.findall(response.content)]


def unmasked(token: str) -> str:
    """The secret in ``token``, the other way round than it was masked."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    mask, shifted = token[:SECRET_LENGTH], token[SECRET_LENGTH:]
    return "".join(letters[letters.index(a) - letters.index(b)] for a, b in zip(shifted, mask, strict=True))


def assert_nothing_told(responses) -> None:
    """No token and no secret of any visitor is stored, in any form that is easily made."""
    stored = stored_bytes()
    for response in responses:
        for token in tokens(response):
            for text in (token, unmasked(token)):
                for form in (text, text[::-1], codecs.encode(text, "rot13"), text.encode().hex()):
                    assert form.encode() not in stored
                assert base64.b64encode(text.encode()).rstrip(b"=")[:40] not in stored


@pytest.mark.parametrize("secret_in_session", [False, True], ids=["secret in a cookie", "secret in the session"])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    "source", [FORM, FORM * 3, "{{ csrf_token }}", "<script>t='{{ csrf_token|escapejs }}'</script>"]
)
def test_a_page_with_forms_is_stored_once_and_each_visitor_gets_a_token(source, kind, secret_in_session):
    with site(rendered(source), MIDDLEWARE=PLACE, CSRF_USE_SESSIONS=secret_in_session):
        visitors = [Visitor(kind, theme=str(number)) for number in range(3)]
        answers = [visitor.get() for visitor in visitors]
        assert [is_stored(answer) for answer in answers] == [True, False, False]
        assert [is_hit(answer) for answer in answers] == [False, True, True]
        cookie = "sessionid" if secret_in_session else "csrftoken"
        assert len({answer.cookies[cookie].value for answer in answers}) == 3
        secrets = [{unmasked(token) for token in tokens(answer)} for answer in answers]
        assert all(len(own) == 1 for own in secrets)
        assert len(set.union(*secrets)) == 3
        if not secret_in_session:
            assert [{answer.cookies[cookie].value} for answer in answers] == secrets
        assert_nothing_told(answers)
        for one, other in zip(visitors, reversed(visitors), strict=True):
            own, others = tokens(one.get())[0], tokens(other.get())[0]
            assert one.post("/", {"a": "1", "csrfmiddlewaretoken": own}).content == b"posted 1"
            if one is not other:
                assert one.post("/", {"a": "1", "csrfmiddlewaretoken": others}).status_code == 403
        assert one.post("/", {"a": "1"}).status_code == 403


@pytest.mark.parametrize("secret_in_session", [False, True])
def test_a_visitor_with_a_session_shares_the_page_and_keeps_the_session(secret_in_session):
    with site(rendered(FORM), MIDDLEWARE=PLACE, CSRF_USE_SESSIONS=secret_in_session):
        assert is_stored(Visitor(session={"name": "Ada"}).get())
        visitor = Visitor(session={"name": "Grace"})
        before = visitor.client.session.session_key
        answer = visitor.get()
        assert is_hit(answer)
        assert visitor.client.session["name"] == "Grace"
        assert visitor.client.session.session_key == before
        assert visitor.post("/", {"a": "1", "csrfmiddlewaretoken": tokens(answer)[0]}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("secret_in_session", [False, True])
def test_people_log_in_from_a_stored_page(secret_in_session):
    for person in ("Ada", "Grace"):
        User.objects.create_user(person, password="secret")
    login = LoginView.as_view(template_name="login.html", next_page="/in/")
    templates = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"login.html": FORM})]},
    }

    def view(request):
        return HttpResponse(request.user.get_username()) if request.path == "/in/" else login(request)

    def plain(request):
        # Django's own view says never_cache; a site that knows better may say otherwise.
        answer = view(request)
        if request.method == "GET" and request.path == "/":
            del answer["Cache-Control"], answer["Expires"]
            answer.render()
        return answer

    with site(plain, MIDDLEWARE=PLACE, CSRF_USE_SESSIONS=secret_in_session, TEMPLATES=[templates]):
        for person in ("Ada", "Grace"):
            Visitor().get()
            visitor = Visitor()
            answer = visitor.get()
            assert is_hit(answer)
            facts = {"username": person, "password": "secret", "csrfmiddlewaretoken": tokens(answer)[0]}
            assert visitor.post("/", facts).status_code == 302
            assert visitor.get("/in/").content == person.encode()
            assert visitor.get("/in/").content == person.encode()
        assert_nothing_told([answer])


def sends(**more):
    """A page whose token stands in the body, and once more elsewhere, or in another form."""

    def view(request):
        token = get_token(request)
        body = more.get("body", lambda token: token)(token)
        return HttpResponse(body, headers={"X-Token": more["header"](token)} if "header" in more else {})

    return view


def encoded(token):
    return base64.b64encode(token.encode()).decode()


SECRETS = {
    "reversed": sends(body=lambda token: token[::-1]),
    "Base64": sends(body=encoded),
    "hexadecimal": sends(body=lambda token: token.encode().hex()),
    "upper case": sends(body=str.upper),
    "torn apart": sends(body=lambda token: f"{token[:32]} {token[32:]}"),
    "a half": sends(body=lambda token: token[:32]),
    "UTF-16": sends(body=lambda token: token.encode("utf-16")),
    "in a header": sends(body=lambda token: "page", header=lambda token: token),
    "in a header as well": sends(header=lambda token: token),
    "in a header as well, encoded": sends(header=encoded),
    "reversed as well": sends(body=lambda token: f"{token} {token[::-1]}"),
    "Base64 as well": sends(body=lambda token: f"{token} {encoded(token)}"),
    "Base64 of more as well": sends(body=lambda token: f"{token} {encoded('x' + token)}"),
    "Base64 of still more as well": sends(body=lambda token: f"{token} {encoded('xy' + token)}"),
    "hexadecimal as well": sends(body=lambda token: f"{token} {token.encode().hex().upper()}"),
    "upper case as well": sends(body=lambda token: f"{token} {token.upper()}"),
    "torn apart as well": sends(body=lambda token: f"{token} {token[:32]} {token[32:]}"),
    "the secret": sends(body=lambda token: unmasked(token)),
    "the secret as well": sends(body=lambda token: f"{token} {unmasked(token)}"),
    "the secret as well, reversed": sends(body=lambda token: f"{token} {unmasked(token)[::-1]}"),
    "the secret as well, encoded": sends(body=lambda token: f"{token} {encoded(unmasked(token))}"),
    "made and not shown": sends(body=lambda token: "page"),
    "the token of META": lambda request: HttpResponse((get_token(request), request.META["CSRF_COOKIE"])),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_page_that_tells_a_token_in_another_form_is_not_stored(name):
    with site(SECRETS[name], MIDDLEWARE=PLACE):
        first, second = Visitor().get(), Visitor().get()
    assert not is_stored(first)
    assert 'detail="csrf' in status(first)
    assert first.content != second.content or "header" in name or name == "made and not shown"


STORED = {
    "in JSON": lambda request: JsonResponse({"token": get_token(request)}),
    "between letters": lambda request: HttpResponse(f"x{get_token(request)}y{get_token(request)}z"),
    "twice the same": lambda request: HttpResponse("{0} {0}".format(get_token(request))),
    "protected once more": csrf_protect(rendered(FORM)),
    "required": requires_csrf_token(rendered(FORM)),
    "the cookie as well": ensure_csrf_cookie(rendered(FORM)),
}


@pytest.mark.parametrize("name", STORED)
def test_a_token_is_found_wherever_it_stands(name):
    with site(STORED[name], MIDDLEWARE=PLACE):
        answers = [Visitor().get() for _ in range(3)]
        assert [is_hit(answer) for answer in answers] == [False, True, True]
        secrets = [answer.cookies["csrftoken"].value for answer in answers]
        assert all(secret.encode() not in stored_bytes() for secret in secrets)
    assert len(set(secrets)) == 3
    lengths = {len(answer.content) for answer in answers}
    assert len(lengths) == 1
    if name != "between letters":
        for answer, secret in zip(answers, secrets, strict=True):
            assert {unmasked(token) for token in tokens(answer)} == {secret}
            assert len(tokens(answer)[0]) == TOKEN_LENGTH


def test_a_page_that_needs_the_cookie_alone_gives_it_to_everybody():
    with site(ensure_csrf_cookie(lambda request: HttpResponse("page")), MIDDLEWARE=PLACE):
        answers = [Visitor().get() for _ in range(3)]
        visitor = Visitor()
        visitor.get()
        assert [is_hit(answer) for answer in answers] == [False, True, True]
        assert len({answer.cookies["csrftoken"].value for answer in answers}) == 3
        assert {answer.content for answer in answers} == {b"page"}
        secret = visitor.client.cookies["csrftoken"].value
        assert visitor.post("/", headers={"x-csrftoken": secret}).content == b"page"
        assert visitor.post("/", headers={"x-csrftoken": "a" * 32}).status_code == 403


@pytest.mark.parametrize("makes_one_before", [False, True])
def test_a_page_that_changes_the_secret_does_so_for_each_visitor(makes_one_before):
    def view(request):
        if makes_one_before:
            get_token(request)
        rotate_token(request)
        return HttpResponse(get_token(request))

    with site(view, MIDDLEWARE=PLACE):
        answers = [Visitor(csrftoken="b" * 32).get() for _ in range(3)]
    assert not any(map(is_stored, answers))
    assert len({answer.cookies["csrftoken"].value for answer in answers} | {"b" * 32}) == 4


STACKS_WITHOUT_COOKIE = {
    "side by side at the top": [UPDATE, FETCH, *DJANGO],
    "above CsrfViewMiddleware": [UPDATE, SESSION, FETCH, CSRF],
    "without CsrfViewMiddleware": [UPDATE, SESSION, FETCH],
}


@pytest.mark.parametrize("name", STACKS_WITHOUT_COOKIE)
def test_where_a_stored_page_would_bring_no_cookie_pages_with_forms_are_not_stored(name):
    with site(rendered(FORM), MIDDLEWARE=STACKS_WITHOUT_COOKIE[name]):
        first, second = Visitor().get(), Visitor().get()
    assert 'detail="csrf token"' in status(first)
    assert first.content != second.content


def test_what_was_stored_under_another_order_is_not_served_without_a_cookie():
    with site(rendered(FORM), MIDDLEWARE=PLACE):
        assert is_stored(Visitor().get())
        with override_settings(MIDDLEWARE=[UPDATE, FETCH, *DJANGO]):
            answer = Visitor().get()
            assert 'detail="csrf token"' in status(answer)
            assert answer.cookies["csrftoken"].value == unmasked(tokens(answer)[0])


@pytest.mark.parametrize("place", [PLACE, STACKS["side by side at the end"]], ids=["between", "above"])
def test_a_cookie_that_makes_no_sense_does_not_make_a_form_of_a_page(place):
    with site(lambda request: HttpResponse("page"), MIDDLEWARE=place):
        answer = Visitor(csrftoken="nonsense").get()
        assert not is_stored(answer)
        assert len(answer.cookies["csrftoken"].value) == SECRET_LENGTH
        assert is_stored(Visitor().get())
        assert not Visitor().get().cookies
        answer = Visitor(csrftoken="nonsense").get()
        assert is_hit(answer)
        assert len(answer.cookies["csrftoken"].value) == SECRET_LENGTH


def test_a_page_with_a_token_has_no_validators_of_one_visitors():
    with site(rendered(FORM), MIDDLEWARE=[UPDATE, DJANGO[1], CSRF, FETCH]):
        first, second = Visitor().get(), Visitor().get(headers={"if-none-match": "*"})
    assert is_hit(second)
    assert second.status_code == 200
    assert "ETag" not in first
    assert "ETag" not in second
    assert "Cookie" in second["Vary"]
