"""However many visitors come with whatever they send, a page is rendered once, and the store does not fill up."""

import random
import secrets
import time

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test import RequestFactory, override_settings

from dumper import conf, stores
from dumper.middleware.messages import request_from
from dumper.rules.dimensions import parameter
from dumper.rules.keys import key_of
from dumper.rules.tags import SITE
from dumper.rules.variants import pack, variant
from dumper.stores.base import Item
from test.middleware.stacks import STACKS
from test.middleware.visits import Visitor, is_hit, showing, shown, site, stored_bytes
from test.servers import RedisServer

PLACE = STACKS["in Django's place"]
chance = random.Random(7)


def junk(names):
    return {f"{name}{chance.randrange(100)}": secrets.token_hex(4) for name in chance.sample(names, 3)}


COOKIES = ["_ga", "_gid", "_fbp", "hjid", "intercom", "consent", "ab"]
PARAMETERS = ["utm_source", "utm_medium", "utm_campaign", "gclid", "fbclid", "mc_cid", "ref"]


@pytest.mark.parametrize("name", ["reads nothing", "reads a parameter", "has a form"])
@pytest.mark.parametrize("place", ["in Django's place", "side by side at the top"])
def test_a_thousand_visitors_get_one_render(place, name):
    renders = []

    def view(request):
        renders.append(1)
        if name == "has a form":
            return HttpResponse(f"page {get_token(request)}")
        return HttpResponse(f"page {request.GET.get('page') if name == 'reads a parameter' else ''}")

    if (place, name) == ("side by side at the top", "has a form"):
        return  # there such pages are not stored
    with site(view, MIDDLEWARE=STACKS[place]):
        visitor = Visitor()
        bodies = set()
        for number in range(1000):
            visitor.client.cookies.clear()
            visitor.client.cookies.load(
                junk(COOKIES) | ({"sessionid": secrets.token_hex(16)} if number % 3 == 0 else {})
            )
            answer = visitor.client.get("/", query_params=junk(PARAMETERS))
            bodies.add(answer.content if name != "has a form" else answer.content[:5])
            assert is_hit(answer) == (number > 0)
        assert len(renders) == len(bodies) == 1
        assert len(caches["default"]._cache) < 6


def test_two_thousand_values_of_a_parameter_leave_no_more_than_the_limit():
    with site(showing(lambda request: request.GET.get("q")), MIDDLEWARE=STACKS["alone"], DUMPER_MAX_VARIANTS=50):
        visitor = Visitor()
        most = 0
        for number in range(2000):
            word = secrets.token_hex(4)
            assert shown(visitor.get(f"/?q={word}")) == word
            if number % 100 == 0:
                most = max(most, len(caches["default"]._cache))
        assert most <= 50 + 10
        assert word.encode() in stored_bytes()
        assert is_hit(visitor.get(f"/?q={word}"))


class Roomy(LocMemCache):
    """Local memory that throws nothing away by itself."""

    def __init__(self, name, params):
        super().__init__(name, params | {"OPTIONS": {"MAX_ENTRIES": 10_000_000}})


def fill(count, most):
    """Store the page of ``count`` random query strings, as the pair does; how many keys there were at most."""
    dimensions = frozenset({parameter("q")})
    most_keys = 0
    store = stores.current()
    factory = RequestFactory()
    started = time.monotonic()
    for number in range(count):
        request = request_from(factory.get("/search/", {"q": secrets.token_hex(8)}))
        key = key_of(request, "observed")
        leases = {tag: entry.generation for tag, entry in store.lease([key.path, SITE]).items()}
        items = [Item(variant(key, dimensions, request), b"page", None), Item(key, pack(key, dimensions), None)]
        assert store.write(items, leases)
        if number % (count // 50) == 0:
            most_keys = max(most_keys, most())
        assert time.monotonic() - started < 280
    return max(most_keys, most())


@pytest.mark.slow
def test_a_hundred_thousand_query_strings_leave_no_more_than_the_limit_in_local_memory():
    place = {"BACKEND": f"{__name__}.Roomy", "LOCATION": "crowd"}
    with override_settings(CACHES={"default": place}, DUMPER_MAX_VARIANTS=100):
        cache = caches["default"]
        assert fill(100_000, lambda: len(cache._cache)) <= conf.settings().max_variants + 10
        cache.clear()


@pytest.mark.slow
def test_a_hundred_thousand_query_strings_leave_no_more_than_the_limit_in_redis():
    with RedisServer() as server:
        place = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": server.url}
        with override_settings(CACHES={"default": place}, DUMPER_MAX_VARIANTS=100, DUMPER_STORE_TIMEOUT=10):
            client = caches["default"].client.get_client()
            before = client.info("memory")["used_memory"]
            assert fill(100_000, client.dbsize) <= 100 + 10
            assert client.info("memory")["used_memory"] - before < 5_000_000
            client.connection_pool.disconnect()
            del caches["default"]


@pytest.mark.slow
def test_a_crowd_at_the_whole_stack_leaves_no_more_than_the_limit_in_redis():
    with RedisServer() as server:
        place = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": server.url}
        view = showing(lambda request: request.GET.get("q"))
        settings = {"CACHES": {"default": place}, "DUMPER_MAX_VARIANTS": 20, "DUMPER_STORE_TIMEOUT": 10}
        with site(view, MIDDLEWARE=STACKS["alone"], **settings):
            client = caches["default"].client.get_client()
            visitor = Visitor()
            for _ in range(2000):
                word = secrets.token_hex(4)
                assert shown(visitor.get(f"/?q={word}")) == word
            assert client.dbsize() <= 20 + 10
            assert is_hit(visitor.get(f"/?q={word}"))
            client.connection_pool.disconnect()
            del caches["default"]
