"""The caches of docs/upstreams are purged by their owner, on a socket for that alone, and by nobody else."""

import time

import pytest

from test.full_stack.edges import VARNISHES, eventually, kept, on, page

pytestmark = pytest.mark.slow

KEY, OTHER_KEY = "0123456789abcdef", "fedcba9876543210"
KEYS = {"Varnish": ("BANKEYS", "x-ban-keys", "|"), "VarnishXkey": ("PURGEKEYS", "xkey-purge", " ")}
METHODS = ("PURGE", "PURGEKEYS", "BANKEYS")
REFUSED = (400, 403, 405)


@pytest.fixture(autouse=True)
def kept_for_long(origin):
    origin.headers = {"Cache-Control": "s-maxage=600", "Vary": "Accept-Encoding"}


def purge_keys(edge, *keys):
    method, field, separator = KEYS[type(edge).__name__]
    return edge.purge("/", method=method, headers={field: separator.join(keys)})


@on()
def test_a_purged_page_is_made_anew_in_every_coding_and_no_other_is(edge):
    path, other = page(), page()
    codings = [{"Accept-Encoding": coding} for coding in ("gzip", "br", "identity", "gzip, br")]
    old, beside = {kept(edge, path, headers=coding) for coding in codings}, kept(edge, other)
    assert edge.purge(path).status == 200
    assert not old & {edge.get(path, headers=coding).body for coding in codings}
    assert edge.get(other).body == beside


@on()
def test_a_purge_is_of_one_host_in_any_case(edge):
    path = page()
    one, other = kept(edge, path, host="one.example"), kept(edge, path, host="two.example")
    assert edge.purge(path, host="ONE.example").status == 200
    assert edge.get(path, host="one.example").body != one
    assert edge.get(path, host="two.example").body == other


@on()
def test_a_purge_is_of_one_port_of_a_host(edge):
    path = page()
    one, other = kept(edge, path), kept(edge, path, host="www.example.com:8000")
    assert edge.purge(path, host="www.example.com:8000").status == 200
    assert edge.get(path).body == one
    assert edge.get(path, host="www.example.com:8000").body != other


@on()
@pytest.mark.parametrize("path", ["/caf%C3%A9/", "/a&b=c;d/", "/x/?page=2&utm=1", "/" + "long" * 500])
def test_a_target_is_purged_as_it_is_spelt(edge, path):
    old = kept(edge, path)
    assert edge.purge(path).status == 200
    assert edge.get(path).body != old


@on()
def test_an_unknown_page_is_no_error_that_a_purger_would_repeat(edge):
    assert edge.purge(page()).status in (200, 404)


@on()
@pytest.mark.parametrize("token", [None, "change-this-secret", "x", "{}x", "x{}", "{}, {}"])
def test_without_the_secret_nothing_is_purged(edge, origin, token):
    origin.headers |= {"xkey": KEY}
    path = page()
    old, asked = kept(edge, path), len(origin.requests)
    guess = token and token.format(edge.secret, edge.secret)
    for method in METHODS:
        answer = edge.purge(path, method=method, token=guess, headers={"x-ban-keys": KEY, "xkey-purge": KEY})
        assert answer.status in REFUSED
    assert edge.get(path).body == old
    assert len(origin.requests) == asked


SPOOFS = [
    {},
    {"X-Forwarded-For": "127.0.0.1"},
    {"Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1", "Client-IP": "127.0.0.1"},
    {"X-HTTP-Method-Override": "PURGE", "Via": "1.1 purge"},
]


@on()
@pytest.mark.parametrize("spoof", SPOOFS)
@pytest.mark.parametrize("form", ["{path}", "http://www.example.com{path}", "http://127.0.0.1:{port}{path}"])
def test_on_the_public_socket_nothing_is_purged_even_with_the_secret(edge, origin, spoof, form):
    origin.headers |= {"xkey": KEY}
    path = page()
    old = kept(edge, path)
    secret = {"X-Purge-Token": edge.secret, "x-ban-keys": KEY, "xkey-purge": KEY, "xkey-softpurge": KEY}
    target = form.format(path=path, port=edge.purge_port)
    for method in METHODS if type(edge).__name__ in KEYS else METHODS[:1]:
        assert edge.get(target, method=method, headers={**secret, **spoof}).status in REFUSED
    assert edge.get(path).body == old
    assert "PURGE" not in {request.method for request in origin.requests}


@on()
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "SURPRISE"])
def test_the_secret_gets_to_the_origin_by_no_method(edge, origin, method):
    edge.get(page(), method=method, headers={"X-Purge-Token": edge.secret, "Content-Length": "0"})
    assert edge.secret not in "".join(str(request.headers) for request in origin.requests)
    assert origin.requests or method == "SURPRISE"


@on()
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "SURPRISE"])
def test_the_socket_for_purges_is_for_nothing_else(edge, origin, method):
    assert edge.purge(page(), method=method, headers={"Content-Length": "0"}).status in REFUSED
    assert not origin.requests


@on(*VARNISHES)
def test_keys_purge_the_pages_that_name_one_of_them(edge, origin):
    paths = {}
    for keys in (KEY, f"{OTHER_KEY} {KEY}", OTHER_KEY, "aaaaaaaaaaaaaaaa"):
        origin.headers |= {"xkey": keys}
        paths[keys] = (path := page()), kept(edge, path)
    assert purge_keys(edge, KEY, "bbbbbbbbbbbbbbbb").status == 200
    anew = {keys for keys, (path, old) in paths.items() if edge.get(path).body != old}
    assert anew == {KEY, f"{OTHER_KEY} {KEY}"}


@on(*VARNISHES)
def test_as_many_keys_as_a_response_and_a_purge_may_have_are_taken(edge, origin):
    keys = [f"{number:016x}" for number in range(470)]
    origin.headers |= {"xkey": " ".join(keys)}
    path = page()
    old = kept(edge, path)
    assert purge_keys(edge, *keys[-200:]).status == 200
    assert edge.get(path).body != old


@on("VarnishXkey")
def test_a_purge_by_keys_says_how_many_it_has_dropped(edge, origin):
    origin.headers |= {"xkey": "cccccccccccccccc"}
    for _ in range(3):
        kept(edge, page())
    assert purge_keys(edge, "cccccccccccccccc").reason == "Purged 3"
    assert purge_keys(edge, "cccccccccccccccc").reason == "Purged 0"


@on("Varnish")
@pytest.mark.parametrize(
    "keys",
    ["", "|", "a", KEY + "|", "|" + KEY, f"{KEY}||{KEY}", ".*", KEY.upper(), f"{KEY} || obj.status == 200", KEY + "\t"],
)
def test_a_ban_that_is_not_of_whole_keys_is_refused(edge, origin, keys):
    origin.headers |= {"xkey": "dddddddddddddddd"}
    path = page()
    old = kept(edge, path)
    status = edge.purge("/", method="BANKEYS", headers={"x-ban-keys": keys}).status
    assert status == (200 if keys == KEY + "\t" else 400)  # a tab at the end is no part of the value
    assert edge.get(path).body == old


@on(*VARNISHES)
def test_a_purge_by_keys_without_keys_is_refused(edge):
    method = KEYS[type(edge).__name__][0]
    assert edge.purge("/", method=method).status == 400


@on("VarnishXkey")
def test_a_soft_purge_serves_the_old_page_while_the_new_one_is_made(edge, origin):
    origin.headers |= {"xkey": "eeeeeeeeeeeeeeee"}
    path = page()
    old = kept(edge, path)
    answer = edge.purge("/", method="PURGEKEYS", headers={"xkey-softpurge": "eeeeeeeeeeeeeeee"})
    assert (answer.status, answer.reason) == (200, "Softly purged 1")
    assert edge.get(path).body == old
    assert eventually(lambda: edge.get(path).body != old)


@on("VarnishXkey")
def test_a_page_that_has_lived_its_time_is_not_served_softly(edge, origin):
    origin.headers = {"Surrogate-Control": "max-age=1"}
    path = page()
    old = edge.get(path).body
    time.sleep(2.1)
    assert edge.get(path).body != old


@on("VarnishXkey")
def test_after_a_soft_purge_the_page_is_fetched_in_full(edge, origin):
    origin.headers |= {"xkey": "abababababababab", "ETag": '"one"', "Last-Modified": "Sat, 01 Jan 2000 00:00:00 GMT"}
    path = page()
    old = kept(edge, path)
    edge.purge("/", method="PURGEKEYS", headers={"xkey-softpurge": "abababababababab"})
    assert eventually(lambda: edge.get(path).body != old)
    assert not [name for request in origin.requests for name in request.headers if name.lower().startswith("if-")]
