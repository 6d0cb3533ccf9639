"""DUMPER_UPSTREAMS: what is wrong is said with what mends it, and what is right is in force where it is set."""

import pytest
from django.test import override_settings

from dumper.checks import check_upstreams
from dumper.conf import settings
from dumper.upstreams import Upstream, current, find, others, problems
from dumper.upstreams.base import Config, Impossible
from dumper.upstreams.dummy import Dummy
from dumper.upstreams.http import Http
from dumper.upstreams.varnish import Varnish
from test.upstreams.helpers import HOSTS, HTTP, VARNISH, upstreams

PLACE = "http://127.0.0.1:1"
DUMMY = "dumper.upstreams.dummy.Dummy"
CLOUDFLARE = "dumper.upstreams.cloudflare.Cloudflare"
FASTLY = "dumper.upstreams.fastly.Fastly"
CLOUDFRONT = "dumper.upstreams.cloudfront.CloudFront"


class NoUpstream:
    """A class of something else."""


class Failing(Http):
    """A class of one's own."""

    def __init__(self, config):
        raise RuntimeError("own")


def good(**entry):
    return {"BACKEND": HTTP, "LOCATION": PLACE, "HOSTS": HOSTS, **entry}


def varnish(**options):
    return {"BACKEND": VARNISH, "LOCATION": PLACE, "OPTIONS": options}


def cloudflare(**entry):
    return {"BACKEND": CLOUDFLARE, "OPTIONS": {"zone": "a", "token": "b"}, **entry}


SECONDS = "a number of seconds greater than 0"
BAD = [
    ("no dict", HTTP, "needs a BACKEND, the dotted path of a class"),
    ("None", None, "needs a BACKEND"),
    ("no backend", {"LOCATION": PLACE}, "needs a BACKEND"),
    ("a backend that is a class", good(BACKEND=Http), "needs a BACKEND"),
    ("an empty backend", good(BACKEND=""), "has a BACKEND that cannot be imported"),
    ("a backend that is only a dot", good(BACKEND="."), "has a BACKEND that cannot be imported"),
    ("no such module", good(BACKEND="no.such.Backend"), "cannot be imported: No module named 'no'"),
    ("no such class", good(BACKEND="dumper.upstreams.http.Htttp"), "cannot be imported: Module"),
    ("no class", good(BACKEND="dumper.upstreams.http.refused"), "no class derived from dumper.upstreams.Upstream"),
    ("another class", good(BACKEND=f"{__name__}.NoUpstream"), "no class derived from dumper.upstreams.Upstream"),
    ("a backend of one's own that fails", good(BACKEND=f"{__name__}.Failing"), "cannot be made: RuntimeError('own')"),
    ("a backend that is no whole one", {"BACKEND": "dumper.upstreams.cdn.Cdn"}, "cannot be made"),
    *((f"a field of each request, {name}", good(HEADERS={name: "1"}), "that is set for each request")
      for name in ("host", "Content-Length", "Transfer-Encoding", "Connection")),
    ("a name mistyped", good(HOST="a"), "has HOST; there are BACKEND, LOCATION, HOSTS, TIMEOUT, HEADERS, OPTIONS"),
    ("a name that is none", good(**{"": 1}), "there are BACKEND"),
    *((f"hosts {hosts!r}", good(HOSTS=hosts), "has HOSTS that are no list of hosts such as 'www.example.com'")
      for hosts in (1, [1], "a b", "http://a", "a/b", "a\r\nb", ["a", "größe"], {"a": None}, [".a"], "*", "user@a")),
    ("a location that is none", good(LOCATION=1), "has a LOCATION that is neither a string nor a list of strings"),
    ("locations that are none", good(LOCATION=[PLACE, None]), "has a LOCATION that is neither"),
    ("no location", good(LOCATION=None), "needs a LOCATION"),
    ("no locations", good(LOCATION=[]), "needs a LOCATION"),
    ("a location without a scheme", good(LOCATION="127.0.0.1:1"), "has a LOCATION that is no URL such as http://"),
    ("a second location that is wrong", good(LOCATION=[PLACE, "ftp://a"]), "no URL such as http://127.0.0.1:6082"),
    ("two locations of a CDN", cloudflare(LOCATION=[PLACE, PLACE]), "has one LOCATION"),
    *((f"a time-out of {timeout!r}", good(TIMEOUT=timeout), f"has TIMEOUT that must be {SECONDS}")
      for timeout in (0, -1, None, True, "5", float("nan"), float("inf"), 10**400, [])),
    ("headers that are none", good(HEADERS=["a"]), "has HEADERS or OPTIONS that are no dict"),
    ("a header that is None", good(HEADERS={"X-Token": None}), "has HEADERS whose names and values are not all"),
    ("a header of bytes", good(HEADERS={b"X-Token": b"a"}), "has HEADERS whose names and values"),
    ("a header of two lines", good(HEADERS={"X-Token": "a\nb"}), "a header field that cannot be sent: 'X-Token'"),
    ("options that are none", good(OPTIONS=None), "has HEADERS or OPTIONS that are no dict"),
    ("an option mistyped", good(OPTIONS={"lifetme": 1}), "has no option 'lifetme'; there are again_after, control, "),
    ("an option of another", good(OPTIONS={"method": "ban"}), "has no option 'method'"),
    ("an option that is no name", good(OPTIONS={1: 1}), "has no option 1"),
    *((f"a lifetime of {value!r}", good(OPTIONS={"lifetime": value}), f"'lifetime' that must be {SECONDS}")
      for value in (0, -1, "1", True)),
    *((f"again after {value!r}", good(OPTIONS={"again_after": value}), "must be None, or a number of seconds, or a")
      for value in (0, "60", [60, 0], [None], False)),
    *((f"control {value!r}", good(OPTIONS={"control": value}), "must be the name of a header field")
      for value in ("", None, "a b", "a:")),
    *((f"vary {value!r}", good(OPTIONS={"vary": value}), 'must be "*" or a list of names of header fields')
      for value in ("cookie", None)),
    ("vary with a bad name", good(OPTIONS={"vary": ["a b"]}), "must be the name of a header field"),
    *((f"prefix {value!r}", good(OPTIONS={"prefix": value}), 'must be "" or a path such as "/shop", decoded')
      for value in ("shop", None, "//shop", "/a/../b", "/a?b", "/a%20b", "/a\n", 1)),
    ("an unknown method", varnish(method="xban"), "must be 'xkey', 'ban' or 'purge'"),
    ("soft without xkey", varnish(method="ban", soft=True), "has soft purges only with the method 'xkey'"),
    ("soft that is no flag", varnish(soft=1), "must be True or False"),
    ("a tag header that is none", varnish(tag_header=None), "must be the name of a header field"),
    ("a secret missing", {"BACKEND": FASTLY, "OPTIONS": {"service": "a"}}, "needs the option token"),
    ("all missing", {"BACKEND": FASTLY}, "needs the options service, token"),
    ("a secret that is None", cloudflare(OPTIONS={"zone": "a", "token": None}), "must be a string of printable ASCII"),
    ("a secret with a line break", cloudflare(OPTIONS={"zone": "a", "token": "b\n"}), "a string of printable ASCII"),
    ("a zone that is a number", cloudflare(OPTIONS={"zone": 1, "token": "b"}), "must be a string of printable ASCII"),
    ("no distribution", {"BACKEND": CLOUDFRONT}, "needs the option distribution"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "text"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_entry_is_an_error_that_says_what_mends_it_and_the_others_are_used(entry, text, caplog):
    with upstreams(bad=entry, good=good()):
        [error] = check_upstreams()
        assert list(current()) == ["good"]
        with pytest.raises(Impossible, match="there is no upstream 'bad'"):
            find("bad")
    assert error.id == "dumper.E008"
    assert error.msg.startswith("The upstream 'bad' is not told of changes: it ")
    assert text in error.msg
    assert "Mend it in DUMPER_UPSTREAMS" in error.hint
    [record] = caplog.records
    assert text in record.getMessage()


@pytest.mark.parametrize("secret", ["printable-but-much-too-secret\n", ["printable-but-much-too-secret"]])
def test_no_secret_gets_into_an_error(secret):
    with upstreams(bad=cloudflare(OPTIONS={"zone": "a", "token": secret})):
        assert "secret" not in problems()["bad"]
    with upstreams(bad=good(LOCATION="http://user:secret@127.0.0.1/")):
        assert "secret" not in problems()["bad"]


GOOD = [
    ("the least", {"BACKEND": HTTP, "LOCATION": PLACE}),
    ("several locations", good(LOCATION=[PLACE, "https://[::1]:8443/path/"])),
    ("a host alone", good(HOSTS="www.example.com:8000")),
    ("hosts", good(HOSTS=("a", "[::1]:80", "xn--gre-6ka8i.example."))),
    (
        "all options",
        good(OPTIONS={"lifetime": 1, "again_after": [2, 1], "control": "A-Control", "vary": "*", "prefix": "/a/"}),
    ),
    ("no options", good(OPTIONS={"lifetime": None, "again_after": None, "vary": [], "prefix": ""})),
    ("bans", varnish(method="ban", tag_header="X-Keys")),
    ("soft purges", varnish(soft=True)),
    ("a CDN", cloudflare()),
    ("a CDN elsewhere", cloudflare(LOCATION=PLACE)),
    ("CloudFront", {"BACKEND": CLOUDFRONT, "OPTIONS": {"distribution": "E1"}}),
    ("a dummy", {"BACKEND": DUMMY}),
]


@pytest.mark.parametrize("entry", [row[1] for row in GOOD], ids=[row[0] for row in GOOD])
def test_a_good_entry_has_no_problem(entry):
    with upstreams(edge=entry):
        assert list(current()) == ["edge"]
        assert not list(check_upstreams())
        assert find("edge") is current()["edge"]


def test_what_is_given_is_what_an_upstream_has():
    options = {
        "lifetime": 60.5,
        "again_after": [90, 30],
        "control": "A-Control",
        "vary": ["Accept"],
        "prefix": "/shop/",
    }
    with upstreams(edge=good(TIMEOUT=2, HEADERS={"X-Token": "b"}, OPTIONS=options)):
        found = find("edge")
    assert found.config == Config(
        name="edge", locations=[PLACE], hosts=HOSTS, timeout=2, headers={"X-Token": "b"}, options=options
    )
    assert (found.lifetime, found.again_after, found.control) == (60, (30, 90), "A-Control")
    assert (found.vary, found.prefix) == (frozenset({"accept"}), "/shop")


@pytest.mark.parametrize("urls", [PLACE, [PLACE], (PLACE,)])
def test_purge_urls_are_short_for_an_upstream_that_is_told_of_urls(urls):
    with override_settings(DUMPER_PURGE_URLS=urls):
        [(name, found)] = current().items()
        assert (name, type(found), list(found.config.locations)) == ("purge-urls", Http, [PLACE])
        assert found.lifetime is None


def test_purge_urls_may_stand_beside_upstreams():
    with override_settings(DUMPER_PURGE_URLS=PLACE, DUMPER_UPSTREAMS={"a": varnish()}):
        assert [type(found) for found in current().values()] == [Varnish, Http]


@pytest.mark.parametrize("urls", [[], (), None, ""])
def test_without_purge_urls_there_is_no_such_upstream(urls):
    with override_settings(DUMPER_PURGE_URLS=urls):
        assert not current()
        assert not settings().problems


@pytest.mark.parametrize("url", ["127.0.0.1:6082", "ftp://a", "http://a b"])
def test_a_bad_purge_url_is_an_error(url):
    with override_settings(DUMPER_PURGE_URLS=[url]):
        [error] = check_upstreams()
    assert (error.id, "DUMPER_PURGE_URLS" in error.hint, url in error.msg) == ("dumper.E008", True, True)


@pytest.mark.parametrize("value", [None, [], "a", {1: {}}, {"": {}}, {"a" * 101: {}}])
def test_upstreams_that_are_no_dict_by_names_are_a_problem_of_the_setting(value):
    with override_settings(DUMPER_UPSTREAMS=value):
        [(name, text)] = settings().problems
        assert (name, text) == (
            "DUMPER_UPSTREAMS",
            "must be a dict of upstreams by their names, of 1 to 100 characters",
        )
        assert not current()


def test_override_settings_is_in_force_inside_and_nowhere_else():
    assert not current()
    with upstreams(edge={"BACKEND": DUMMY}):
        outer = find("edge")
        assert isinstance(outer, Dummy)
        assert find("edge") is outer
        with upstreams(edge=None):
            assert problems()
        assert not problems()
        assert find("edge") is not outer
    assert not current()
    with override_settings(LANGUAGE_CODE="de"):
        assert not current()


def test_an_upstream_that_stands_in_no_setting_is_found_as_well():
    others["extra"] = found = Upstream(Config(name="extra"))
    try:
        assert find("extra") is found
        assert not current()
    finally:
        del others["extra"]


@pytest.mark.parametrize(("allowed", "doubts"), [(["*"], 1), ([".example.com"], 1), (["www.example.com"], 0), ([], 1)])
def test_an_upstream_that_knows_no_host_is_a_warning(allowed, doubts):
    entry = {"BACKEND": VARNISH, "LOCATION": PLACE, "OPTIONS": {"method": "purge"}}
    with override_settings(ALLOWED_HOSTS=allowed), upstreams(edge=entry, keyed=varnish()):
        found = list(check_upstreams())
    assert [(doubt.id, "in HOSTS" in doubt.msg) for doubt in found] == [("dumper.W010", True)] * doubts
