"""What the fakes of Fastly, Cloudflare and Bunny have each of their own."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from test.cdns.bunny import Bunny
from test.cdns.cloudflare import PLANS, Cloudflare
from test.cdns.fastly import PURGES_AN_HOUR, Fastly
from test.cdns.test_fakes import HOST, Reply, ask, held


def fastly(cdn: Fastly, keys: str = "", path: str | None = None, soft: str = "", content: object = None) -> Reply:
    headers = {"Fastly-Key": cdn.key, "Surrogate-Key": keys, "Fastly-Soft-Purge": soft}
    target = f"/service/{cdn.service}/purge" if path is None else path.format(cdn)
    return ask(cdn, target, {name: value for name, value in headers.items() if value}, content)


def cloudflare(cdn: Cloudflare, **content: object) -> Reply:
    headers = {"Authorization": f"Bearer {cdn.token}"}
    return ask(cdn, f"/client/v4/zones/{cdn.zone}/purge_cache", headers, content)


def bunny(cdn: Bunny, content: object = None, url: str | None = None, more: str = "") -> Reply:
    target = f"/pullzone/{cdn.zone}/purgeCache" if url is None else f"/purge?url={quote(url, safe='')}{more}"
    return ask(cdn, target, {"AccessKey": cdn.key}, content)


TAGS = [
    (Fastly, "a b  c ", {"a", "b", "c"}),
    (Fastly, "a,b A", {"a,b", "A"}),
    (Fastly, f"{'x' * 1024} {'y' * 1025} z", {"x" * 1024, "z"}),
    (Fastly, " " * 16_380 + "a bc", {"a", "bc"}),
    (Fastly, " " * 16_380 + "a bc d", {"a", "bc"}),
    (Fastly, " " * 16_380 + "a bcd", {"a"}),
    (Cloudflare, "a, B ,,c d,", {"a", "b", "cd"}),
    (Cloudflare, "," * 16_380 + "a,bc", {"a", "bc"}),
    (Cloudflare, "," * 16_380 + "a,bc,d", {"a", "bc"}),
    (Cloudflare, "," * 16_380 + "a,bcd", {"a"}),
    (Bunny, "", set()),
    (Bunny, "a,b", {"a,b"}),
    (Bunny, "~" + "a" * 1023 + "~", {"~" + "a" * 1023}),
]


@pytest.mark.parametrize(("fake", "value", "tags"), TAGS)
def test_tags_are_read_as_the_vendor_does(fake, value, tags):
    assert fake().tags(value) == tags


# Fastly


def test_fastly_purges_up_to_256_keys_at_once_of_up_to_1024_bytes():
    with Fastly() as cdn:
        cdn.keep(HOST, "/", "k255")
        keys = [f"k{number}" for number in range(257)]
        too_many = fastly(cdn, " ".join(keys))
        assert (too_many.status, too_many.json["status"]) == (400, "fail")
        assert fastly(cdn, "x" * 1025).status == 400
        assert fastly(cdn).status == 400
        assert cdn.holds(HOST, "/")
        assert fastly(cdn, " ".join(keys[:256])).json.keys() == set(keys[:256])
        assert not cdn.holds(HOST, "/")


@pytest.mark.parametrize(
    ("call", "left"),
    [
        ({"keys": "a b"}, "/c"),
        ({"content": {"surrogate_keys": ["a"]}}, "/b /c"),
        ({"path": "/service/{0.service}/purge/a"}, "/b /c"),
        ({"path": "/service/{0.service}/purge/%62"}, "/a /c"),
        ({"path": "/purge/www.example.com/c"}, "/a /b"),
        ({"path": "/service/{0.service}/purge_all"}, ""),
        ({"path": "/service/{0.service}/purge_all", "soft": "1"}, ""),
    ],
)
def test_fastly_purges_by_key_by_url_and_everything(call, left):
    with Fastly() as cdn:
        for name in "abc":
            cdn.keep(HOST, f"/{name}", name)
        assert fastly(cdn, **call).status == 200
        assert held(cdn, "/a", "/b", "/c") == left
        assert all(cdn.holds(HOST, target) or not cdn.page(HOST, target) for target in ("/a", "/b", "/c"))


def test_a_soft_purge_leaves_a_stale_page():
    with Fastly() as cdn:
        cdn.keep(HOST, "/a", "a")
        cdn.keep(HOST, "/b", "b")
        fastly(cdn, "a", soft="1")
        assert not cdn.holds(HOST, "/a")
        assert cdn.page(HOST, "/a").stale
        assert cdn.holds(HOST, "/b")
        cdn.keep(HOST, "/a", "a")
        assert cdn.holds(HOST, "/a")


def test_fastly_counts_keys_and_says_how_many_are_left():
    with Fastly() as cdn:
        keys = " ".join(f"k{number}" for number in range(250))
        assert fastly(cdn, keys).headers["Fastly-RateLimit-Remaining"] == str(PURGES_AN_HOUR - 250)
        cdn.purges.take(PURGES_AN_HOUR - 400)
        limited = fastly(cdn, keys)
        assert limited.status == 429
        cdn.clock.advance(int(limited.headers["Fastly-RateLimit-Reset"]) - cdn.clock.now())
        assert fastly(cdn, keys).status == 200


# Cloudflare


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ({"tags": ["A", "other"]}, "/b /b?c"),
        ({"files": [f"https://{HOST}/a", f"http://{HOST}/b?c"]}, "/b"),
        ({"files": [{"url": f"https://{HOST}/b", "headers": {}}]}, "/a /b?c"),
        ({"purge_everything": True}, ""),
    ],
)
def test_cloudflare_purges_by_tag_by_url_and_everything(content, left):
    with Cloudflare() as cdn:
        cdn.keep(HOST, "/a", "a")
        cdn.keep(HOST, "/b")
        cdn.keep(HOST, "/b?c")
        done = {"success": True, "errors": [], "messages": [], "result": {"id": cdn.zone}}
        assert cloudflare(cdn, **content).json == done
        assert held(cdn, "/a", "/b", "/b?c") == left


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"tags": []},
        {"tags": "a"},
        {"tags": ["a", 1]},
        {"tags": ["a", ""]},
        {"tags": ["a b"]},
        {"tags": ["a,b"]},
        {"tags": ["ä"]},
        {"tags": ["a" * 1025]},
        {"tags": ["a"] * 101},
        {"tags": ["a"], "files": [f"https://{HOST}/a"]},
        {"files": ["/a"]},
        {"files": [f"https://{HOST}/a"] * 101},
        {"purge_everything": False},
    ],
)
def test_cloudflare_refuses_what_it_does_not_know_or_is_too_much(content):
    with Cloudflare() as cdn:
        cdn.keep(HOST, "/a", "a")
        reply = cloudflare(cdn, **content)
        assert (reply.status, reply.json["success"], len(reply.json["errors"])) == (400, False, 1)
        assert cdn.holds(HOST, "/a")
        assert cloudflare(cdn, tags=["a" * 1024, *["a"] * 99]).status == 200


def test_a_plan_of_cloudflare_limits_requests_whatever_is_in_them():
    with Cloudflare(plan="free") as cdn:
        statuses = [cloudflare(cdn, tags=[f"{number}"] * 100).status for number in range(PLANS["free"].bucket + 1)]
        assert statuses == [200] * 25 + [429]
        limited = cloudflare(cdn, purge_everything=True)
        assert (limited.status, limited.headers["Retry-After"], limited.json["success"]) == (429, "12", False)
        assert cloudflare(cdn, files=[f"https://{HOST}/"]).status == 200
        cdn.clock.advance(11)
        assert cloudflare(cdn, tags=["a"]).status == 429
        cdn.clock.advance(1)
        assert [cloudflare(cdn, tags=["a"]).status for _ in range(2)] == [200, 429]


def test_cloudflare_limits_urls_by_the_second():
    with Cloudflare(plan="free") as cdn:
        files = [f"https://{HOST}/{number}" for number in range(100)]
        assert [cloudflare(cdn, files=files).status for _ in range(9)] == [200] * 8 + [429]
        cdn.clock.advance(1 / 8)
        assert cloudflare(cdn, files=files).status == 200


# Bunny


@pytest.mark.parametrize(
    ("call", "left"),
    [
        ({"content": {"CacheTag": "~a~b~"}}, "/b/c /b/c?d /b/"),
        ({"content": {"CacheTag": "*~b~*"}}, "/b/c /b/c?d"),
        ({"content": {"CacheTag": "a"}}, "/a /b/c /b/c?d /b/"),
        ({"content": {"CacheTag": "~"}}, "/a /b/c /b/c?d /b/"),
        ({}, ""),
        ({"content": {"CacheTag": ""}}, ""),
        ({"url": f"https://{HOST}/b/c"}, "/a /b/c?d /b/"),
        ({"url": f"https://{HOST}/b/c?d"}, "/a /b/c /b/"),
        ({"url": f"https://{HOST}/b/c*"}, "/a /b/"),
        ({"url": f"https://{HOST}/b/", "more": "&async=true"}, "/a"),
        ({"url": f"https://{HOST}/b/", "more": "&exactPath=true"}, "/a /b/c /b/c?d"),
        ({"url": "https://example.com/a"}, "/a /b/c /b/c?d /b/"),
    ],
)
def test_bunny_purges_by_tag_by_url_and_everything(call, left):
    with Bunny() as cdn:
        for target, tag in {"/a": "~a~b~", "/b/c": "", "/b/c?d": "~bb~", "/b/": "~b~"}.items():
            cdn.keep(HOST, target, tag)
        assert bunny(cdn, **call).status == (200 if "url" in call else 204)
        assert held(cdn, "/a", "/b/c", "/b/c?d", "/b/") == left


@pytest.mark.parametrize(
    "call",
    [
        {"content": {"CacheTag": ["a"]}},
        {"content": {"Tag": "a"}},
        {"content": ["a"]},
        {"url": "/a"},
        {"url": f"https://{HOST}/a", "more": "&url=2"},
    ],
)
def test_bunny_refuses_what_it_does_not_know(call):
    with Bunny() as cdn:
        cdn.keep(HOST, "/a", "a")
        reply = bunny(cdn, **call)
        assert (reply.status, reply.json.keys()) == (400, {"ErrorKey", "Field", "Message"})
        assert cdn.holds(HOST, "/a")


@pytest.mark.parametrize(
    ("call", "burst", "seconds"),
    [
        ({"url": f"https://{HOST}/a"}, 120, 0.2),
        ({"content": {"CacheTag": "a"}}, 120, 0.2),
        ({"url": f"https://{HOST}/a/"}, 20, 2),
        ({"content": {"CacheTag": "*~a~*"}}, 20, 2),
        ({}, 20, 2),
    ],
)
def test_bunny_limits_exact_purges_and_prefixes_apart(call, burst, seconds):
    with Bunny() as cdn:
        statuses = [bunny(cdn, **call).status for _ in range(burst + 1)]
        assert set(statuses[:-1]) <= {200, 204}
        assert statuses[-1] == 429
        assert bunny(cdn, **call).headers["Retry-After"] == str(max(1, int(seconds)))
        cdn.clock.advance(seconds)
        assert bunny(cdn, **call).status < 300
        assert bunny(cdn, **call).status == 429
