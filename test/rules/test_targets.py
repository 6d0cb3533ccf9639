"""The target of a purge is what a request for the path looks like, and never anything else."""

import re
from http.client import HTTPConnection
from io import BytesIO
from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.urls import re_path, reverse
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.tags import decoded, path_tag, tags_of_url
from dumper.rules.targets import MOST_BYTES, is_canonical, is_host, target_of

urlpatterns = [re_path(r"^([\s\S]*)$", lambda request: None, name="any")]

#: paths, with much in them of what is dangerous
letters = st.sampled_from("/.%\\?#;:@ab~ é日\r\n\t\x00\x7f\x85\u2028\ud800+&=*'\"<>[]^`{|}") | st.characters()
paths = st.text(letters, max_size=20).map(lambda text: "/" + text)
# RFC 9112 §3.2.1: absolute-path, in the characters of RFC 3986 §3.3.
ABSOLUTE_PATH = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})*)+")

GOOD = [
    ("/", "/"),
    ("/a/", "/a/"),
    ("/a", "/a"),
    ("/café/", "/caf%C3%A9/"),
    ("/日本/", "/%E6%97%A5%E6%9C%AC/"),
    ("/a b/", "/a%20b/"),
    ("/~joe/", "/~joe/"),
    ("/a;b=c,d/@x:y/", "/a;b=c,d/@x:y/"),
    ("/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"),
    ('/"<>[]^`{|}', "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D"),
    ("/.well-known/x", "/.well-known/x"),
    ("/...", "/..."),
    ("/a./b../..c", "/a./b../..c"),
    ("/\x85", "/%C2%85"),
    ("/\u2028", "/%E2%80%A8"),
    ("/" + "a" * (MOST_BYTES - 1), "/" + "a" * (MOST_BYTES - 1)),
]


@pytest.mark.parametrize(("path", "target"), GOOD, ids=lambda text: text[:20])
def test_a_path_has_the_one_spelling_that_reverse_writes(path, target):
    assert target_of(path) == target
    assert is_canonical(target, path)


BAD = """// //evil.example/ /a//b /a// /./ /. /.. /../ /a/../b /a/.. /a/./b /a/. /a\\b /\\evil.example \\a /a?b /a#b /?
/# /100% /%2e%2e/ /%2F /a%0Ab a http://evil.example/ evil.example * @evil.example .evil.example :80""".split()
CONTROL = ["/a\r\nX-Evil: b", "/\n", "/\r", "/\t", "/\x00", "/\x1f", "/\x7f", "/a\n"]


@pytest.mark.parametrize("path", ["", *BAD, *CONTROL, "/\ud800", "/" + "a" * MOST_BYTES, "/" + "é" * 1400])
def test_what_caches_and_servers_may_read_in_different_ways_has_none(path):
    assert target_of(path) is None
    assert not is_canonical(path, path)
    assert not is_canonical(quote(path, errors="replace"), path)
    assert not is_canonical(None, path)


@given(paths)
@example("/a/..")
@example("//")
@example("/a\n")
def test_a_target_is_an_absolute_path_of_safe_characters_without_dot_segments(path):
    target = target_of(path)
    if target is None:
        return
    assert ABSOLUTE_PATH.fullmatch(target)
    assert "//" not in target
    assert not {".", ".."} & set(target.split("/"))
    assert len(target) <= MOST_BYTES
    assert target.isascii()
    assert target.isprintable()
    # Nobody's reading of it as a URL finds anything else in it.
    assert urlsplit(target)[:] == ("", "", target, "", "")
    assert urlsplit("http://cache.example" + target).netloc == "cache.example"


@given(paths)
def test_a_request_for_the_target_is_a_request_for_the_path(path):
    target = target_of(path)
    if target is None:
        return
    assert unquote_to_bytes(target).decode() == path
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": unquote_to_bytes(target).decode("latin-1"),
        "wsgi.input": BytesIO(),
    }
    assert WSGIRequest(environ).path == path
    assert path_tag(path) in tags_of_url(target)


@given(paths)
def test_it_is_what_reverse_writes(path):
    target = target_of(path)
    assert target is None or target == reverse("any", urlconf=__name__, args=[path[1:]])


@given(paths)
def test_http_client_sends_it_as_it_is(path):
    target = target_of(path)
    if target is not None:
        HTTPConnection("a")._validate_path(target)


@given(paths, st.text(letters, max_size=5))
def test_no_other_spelling_is_canonical(path, more):
    target = target_of(path)
    if target is None:
        return
    others = {target + "?", target + "?a=1", target + "#", target.lower(), target.replace("a", "%61"), "/" + target}
    others |= {"http://www.example.com" + target, target + more, more + target, path}
    assert not any(is_canonical(other, path) for other in others - {target})


@given(st.text("ab/%.25fé", max_size=12).map(lambda text: "/" + text))
def test_what_django_decodes_from_a_canonical_request_is_purged_by_its_very_target(requested):
    path = decoded(requested)
    if is_canonical(requested, path):
        assert target_of(path) == requested


HOSTS = (
    "a www.example.com www.example.com. localhost 127.0.0.1 a:80 a-b.example:8000 [::1] [::1]:80 xn--gre-6ka8i A_b.C"
)
NO_HOSTS = """a/b a? a#b @a user@a user:secret@a a: a:b a:123456 :80 .a -a a- * *.a a,b a;b [::1 ::1 [] [::1]x [a] a%00
[::1]: größe http://a //a a\\b [fe80::1%25eth0] a|b (a) 'a' "a" <a> a&b a=b""".split()


@pytest.mark.parametrize("host", HOSTS.split())
def test_a_host_is_a_name_or_an_address_perhaps_with_a_port(host):
    assert is_host(host)


@pytest.mark.parametrize("host", ["", " ", "a b", "a\r\nX: b", "a\n", "\ta", "a\x00", "a\u2028", *NO_HOSTS])
def test_nothing_else_is_a_host(host):
    assert not is_host(host)


@given(st.text(max_size=20))
def test_what_is_a_host_is_read_as_one_and_as_nothing_else(text):
    if is_host(text):
        assert text.startswith("[") or urlsplit(f"http://{text}/").netloc == text
        assert re.fullmatch(r"[A-Za-z0-9._:\[\]-]+", text)


def test_a_long_text_takes_no_longer_than_it_should():
    assert not is_host("a." * 20_000 + "!")
    assert is_host("a-" * 20_000 + "a")
    assert target_of("/" + "./" * 50_000) is None
