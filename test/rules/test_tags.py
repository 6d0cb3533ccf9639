"""A path or URL, however it is written, names the page that a request for it gets."""

from io import BytesIO
from urllib.parse import quote, unquote_to_bytes

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.utils.encoding import escape_uri_path, iri_to_uri
from hypothesis import example, given
from hypothesis import strategies as st

from dumper.rules.tags import SITE, decoded, host_of, named_tag, path_tag, tags_of_url
from test.rules.examples import a_request

#: What reverse() leaves as it is: RFC 3986 sub-delims, and a few more.
REVERSE_SAFE = "!$&'()*+,;=/~:@"
paths = st.text(max_size=30).map(lambda text: "/" + text)


def requested(path_info: str, mount: str = "") -> frozenset:
    """The tags of a request for ``path_info`` of a site that is mounted at ``mount``."""
    return frozenset(a_request(path=mount + path_info, path_info=path_info).tags) - {SITE}


#: the decoded path of a request, one of the ways to write it
WRITTEN = [
    ("/", ""),
    ("/", "/"),
    ("/", "?page=2"),
    ("/", "#top"),
    ("/", "http://example.org"),
    ("/", "https://example.org?page=2"),
    ("/a/", "/a/"),
    ("/a/", "a/"),
    ("/a/", "/a/?page=2"),
    ("/a/", "/a/#top"),
    ("/a/", "/a/?page=2#top"),
    ("/a/", "https://example.org/a/"),
    ("/a/", "HTTPS://EXAMPLE.ORG:8000/a/?page=2#top"),
    ("/a b/", "/a%20b/"),
    ("/a b/", "/a b/"),
    ("/a+b/", "/a+b/"),
    ("/a+b/", "/a%2Bb/"),
    ("/a+b/", "/a%2bb/"),
    ("/größe/", "/gr%C3%B6%C3%9Fe/"),
    ("/größe/", "/gr%c3%b6%c3%9fe/"),
    ("/größe/", "/größe/"),
    ("/größe/", "/größe/?ä=ö#ü"),
    ("/größe/", "https://example.org/gr%C3%B6%C3%9Fe/"),
    ("/größe/", "https://bücher.example/größe/"),
    ("/日本/", "/%E6%97%A5%E6%9C%AC/"),
    ("/a?b", "/a%3Fb"),
    ("/a#b", "/a%23b"),
    ("/a?b", "/a?b"),
    ("/a", "/a?b"),
    ("/a%3Fb", "/a%253Fb"),
    ("/100%", "/100%25"),
    ("/100%", "/100%"),
    ("/%zz", "/%zz"),
    ("//x", "//x"),
    ("//x", "/%2Fx"),
    ("//x", "https://example.org//x"),
    ("/a//b", "/a//b"),
    ("/a;b=c/", "/a;b=c/"),
    ("/%FF", "/%FF"),
    ("/%FFé", "/%FF%C3%A9"),
    ("/" + "é" * 10_000, "/" + "%C3%A9" * 10_000),
    ("/" + "é" * 10_000, "/" + "é" * 10_000 + "?page=2"),
]


@pytest.mark.parametrize(("path", "url"), WRITTEN, ids=lambda text: text[:30])
def test_a_page_is_named_by_every_way_to_write_its_path(path, url):
    assert path_tag(path) in tags_of_url(url)


#: paths of different pages, and URLs that name the first alone
@pytest.mark.parametrize(
    ("url", "page", "others"),
    [
        ("//x", "//x", ["/x", "/", "/%2Fx"]),
        ("/a%3Fb", "/a?b", ["/a", "/ab"]),
        ("/a%253Fb", "/a%3Fb", ["/a?b", "/a"]),
        ("/a?b", "/a", ["/a%3Fb", "/ab"]),
        ("/a", "/a", ["/a/", "/A", "/a?b", "//a"]),
        ("/a/", "/a/", ["/a", "/"]),
    ],
)
def test_other_pages_are_not_named(url, page, others):
    tags = tags_of_url(url)
    assert path_tag(page) in tags
    assert not tags & set(map(path_tag, others))


@given(paths)
@example("//x")
@example("/\x00\r\n")
def test_reverse_iri_and_plain_text_all_name_the_page(path):
    reversed_url = quote(path, safe=REVERSE_SAFE)
    for url in (reversed_url, iri_to_uri(quote(path)), escape_uri_path(path), f"https://h{reversed_url}"):
        assert path_tag(path) in tags_of_url(url)
    assert path_tag(path) in tags_of_url(path) or is_reversed(path)


def is_reversed(url: str) -> bool:
    """Whether ``url`` is what reverse() writes for another path."""
    return decoded(url) != url and quote(decoded(url), safe=REVERSE_SAFE) == url


@given(st.text(alphabet="ab/%3F2fé?#", max_size=20), st.binary(max_size=20).map(quote))
def test_a_path_is_decoded_as_django_decodes_that_of_a_request(text, escaped):
    raw = "/" + text + escaped
    path_info = unquote_to_bytes(raw).decode("latin-1")
    request = WSGIRequest({"REQUEST_METHOD": "GET", "PATH_INFO": path_info, "wsgi.input": BytesIO()})
    assert decoded(raw) == request.path_info


MOUNTED = [
    ("reverse() in a request", "/app/caf%C3%A9/", "/app/"),
    ("reverse() in a shell", "/caf%C3%A9/", "/"),
    ("a hand-written path, in a request", "/café/", "/app/"),
    ("a hand-written path, in a shell", "/café/", "/"),
    ("with its prefix, in a request", "/app/café/", "/app/"),
    ("with its prefix, in a shell", "/app/café/", "/"),
    ("an absolute URL, in a request", "https://example.org/app/caf%C3%A9/?page=2", "/app/"),
    ("an absolute URL, in a shell", "https://example.org/app/caf%C3%A9/", "/"),
]


@pytest.mark.parametrize(("url", "prefix"), [row[1:] for row in MOUNTED], ids=[row[0] for row in MOUNTED])
def test_a_page_of_a_mounted_site_is_named_with_and_without_its_prefix(url, prefix):
    assert requested("/café/", mount="/app") & tags_of_url(url, prefix)


@given(paths, st.sampled_from(["/app/", "/a/b/", "/größe/"]), st.sampled_from([0, 1]))
def test_whatever_the_prefix_the_page_is_named(path, prefix, in_shell):
    mount = prefix.rstrip("/")
    url = quote(path if in_shell else mount + path, safe=REVERSE_SAFE)
    assert requested(path, mount) & tags_of_url(url, "/" if in_shell else prefix)


@pytest.mark.parametrize("other", ["/apple/", "/ap", "/b/app/"])
def test_a_prefix_is_a_whole_part_of_a_path(other):
    assert tags_of_url(other, "/app/") == {path_tag(other)}


def test_a_page_below_its_prefix_is_not_mistaken_for_one_of_the_same_name_twice():
    assert not tags_of_url("/x", "/app/") & requested("/app/x", mount="/app")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.org/a", "example.org"),
        ("HTTP://example.org:8000", "example.org:8000"),
        ("https://[::1]:8000/", "[::1]:8000"),
        ("//example.org/a", None),
        ("/https://example.org/", None),
        ("a:b", None),
        ("", None),
    ],
)
def test_only_an_absolute_url_has_a_host(url, host):
    assert host_of(url) == host


def test_a_malformed_host_is_an_error():
    with pytest.raises(ValueError, match="IPv6"):
        host_of("https://[::1/")


@given(st.text(max_size=10))
def test_a_named_tag_is_never_that_of_a_path_or_the_site(name):
    assert len({named_tag(name), path_tag(name), SITE}) == 3
    assert not tags_of_url(name) & {named_tag(name), SITE}
