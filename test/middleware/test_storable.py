"""What must not be stored is rendered each time; what is strange breaks nothing that would not break anyway."""

from unittest.mock import patch

import pytest
from django.db import transaction
from django.test import Client, RequestFactory, override_settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dumper.middleware import FetchFromCacheMiddleware, UpdateCacheMiddleware
from test.middleware.stacks import DJANGO, STACKS
from test.middleware.urls import REFUSED, SAME, template, with_headers


@pytest.mark.parametrize("place", ["in Django's place", "side by side at the top"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_storable_is_never_stored(get, name, place):
    reason, _ = REFUSED[name]
    with override_settings(MIDDLEWARE=STACKS[place]):
        for _ in range(2):
            assert get(f"/refused/{name}/")["Cache-Status"] == f'dumper; fwd=uri-miss; detail="{reason}"'


#: requests that are not looked up although the page is stored
BYPASSED = [
    ("a user of the server's", {"REMOTE_USER": "somebody"}, "authorization"),
    ("a precondition", {"HTTP_IF_MATCH": '"x"'}, "precondition"),
    ("a charset", {"CONTENT_TYPE": "text/plain; charset=latin-1"}, "charset"),
    ("Range", {"HTTP_RANGE": "bytes=0-1"}, "range"),
    ("a body", {"CONTENT_LENGTH": "3"}, "request body"),
    ("a chunked body", {"HTTP_TRANSFER_ENCODING": "chunked"}, "request body"),
    ("a method override", {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"}, "method override"),
]


@pytest.mark.parametrize(("environ", "reason"), [row[1:] for row in BYPASSED], ids=[row[0] for row in BYPASSED])
def test_some_requests_go_past_what_is_stored_and_leave_it_alone(client, environ, reason):
    stored = client.get("/page/")
    passed = client.get("/page/", **environ)
    assert passed["Cache-Status"] == f'dumper; fwd=bypass; detail="{reason}"'
    assert passed.content != stored.content
    assert client.get("/page/").content == stored.content


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
def test_only_get_and_head_are_answered_from_the_store(client, method):
    stored = client.get("/page/")
    response = getattr(client, method)("/page/")
    assert response["Cache-Status"] == 'dumper; fwd=method; detail="method"'
    is_safe = method in ("options", "trace")
    assert (client.get("/page/").content == stored.content) is is_safe


def test_an_error_in_a_view_is_answered_as_ever_and_not_stored():
    client = Client(raise_request_exception=False)
    for _ in range(2):
        response = client.get("/broken/")
        assert response.status_code == 500
        assert response["Cache-Status"] == 'dumper; fwd=uri-miss; detail="status 500"'
    with pytest.raises(ZeroDivisionError):
        Client().get("/broken/")


@pytest.mark.django_db(transaction=True)
def test_a_request_inside_a_transaction_is_not_stored(client):
    with transaction.atomic():
        assert client.get("/page/")["Cache-Status"] == 'dumper; fwd=bypass; detail="inside a transaction"'
    assert client.get("/page/")["Cache-Status"] == "dumper; fwd=uri-miss; stored"


def test_a_page_that_is_not_found_is_not_stored(get):
    for _ in range(2):
        assert get("/no-such-page/")["Cache-Status"] == 'dumper; fwd=uri-miss; detail="status 404"'


@pytest.mark.parametrize("host", ["evil.test", "testserver:x", "a b", "", "testserver:80:80", "größe"])
def test_a_host_that_is_not_allowed_gets_what_django_answers_and_is_not_stored(get, host):
    with override_settings(MIDDLEWARE=DJANGO):
        expected = get("/same/plain/", headers={"host": host})
    with override_settings(MIDDLEWARE=STACKS["in Django's place"]):
        for _ in range(2):
            response = get("/same/plain/", headers={"host": host})
            assert response.status_code == expected.status_code
            if expected.status_code == 400:
                assert response["Cache-Status"] == 'dumper; fwd=bypass; detail="host not allowed"'


def test_a_host_that_nobody_asks_for_is_no_error():
    with override_settings(MIDDLEWARE=STACKS["alone"]):
        response = Client().get("/same/plain/", headers={"host": "evil.test"})
    assert response.status_code == 200
    assert response["Cache-Status"] == 'dumper; fwd=bypass; detail="host not allowed"'


latin = st.text(alphabet=st.characters(max_codepoint=255), max_size=20)
strange = st.fixed_dictionaries(
    {},
    optional={
        "QUERY_STRING": latin,
        "HTTP_HOST": latin,
        "HTTP_COOKIE": latin,
        "HTTP_ACCEPT_LANGUAGE": latin,
        "HTTP_X_NAME": latin,
        "HTTP_IF_NONE_MATCH": latin,
        "SCRIPT_NAME": st.sampled_from(["/app", "/\xc3\xa4", "/a%62", "/", "//"]),
    },
)


def answer(stack: list[str], environ: dict[str, str]) -> int:
    with override_settings(MIDDLEWARE=stack):
        return Client(raise_request_exception=False).get("/", **environ).status_code


@given(latin, strange)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_strange_bytes_get_what_they_would_get_without_us(path, environ):
    environ = {"PATH_INFO": "/any/" + path, **environ}
    expected = answer(STACKS["with LocaleMiddleware"][1:-1], environ)
    for _ in range(2):
        assert answer(STACKS["with LocaleMiddleware"], environ) == expected


@pytest.mark.parametrize("raw", ["/any/%FF", "/any/%C3", "/any/%ED%A0%80", "/any/%F5%80%80%80"])
def test_paths_that_are_no_utf8_are_apart_from_each_other(client, raw):
    others = ["/any/%FE", "/any/", "/any/%EF%BF%BD"]
    first = client.get(raw)
    assert all(client.get(other).content != first.content for other in others)


def test_a_path_that_a_server_has_mended_is_not_stored(client):
    first, second = client.get("/any/%EF%BF%BD"), client.get("/any/%EF%BF%BD")
    assert first["Cache-Status"] == 'dumper; fwd=bypass; detail="path not in UTF-8"'
    assert first.content != second.content


def test_a_template_that_is_not_rendered_is_passed_on_and_not_stored():
    request = RequestFactory().get("/page/")
    response = UpdateCacheMiddleware(FetchFromCacheMiddleware(template))(request)
    assert not response.is_rendered
    assert response["Cache-Status"] == 'dumper; fwd=uri-miss; detail="not complete"'


@pytest.mark.parametrize("value", ["max-age=" + "9" * 5000, "max-age=99999999999999999999", "s-maxage=2147483648"])
def test_a_lifetime_beyond_all_measure_is_as_good_as_forever(get, value):
    with patch.dict(SAME, {"long": lambda request: with_headers(Cache_Control=value)}):
        assert get("/same/long/")["Cache-Status"].startswith("dumper; fwd=uri-miss; stored; ttl=")
        assert int(get("/same/long/")["Cache-Status"].removeprefix("dumper; hit; ttl=")) > 2**31 - 9
