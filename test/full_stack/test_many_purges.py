"""Ten thousand paths changed in one transaction, on their way to a real Varnish."""

import time
from http.client import HTTPConnection

import pytest
from django.db import transaction
from django.test import override_settings

import dumper
from dumper.conf import settings
from dumper.outbox.models import Delivery
from dumper.rules.surrogates import joined, keys_of
from dumper.rules.tags import path_tag
from dumper.upstreams.dispatch import courier
from test.full_stack.edges import eventually, on
from test.servers import HOST

pytestmark = pytest.mark.slow

NUMBER = 10_000
SITE = "www.example.com"
METHODS = {"Varnish": "ban", "VarnishXkey": "xkey"}


def visit(edge, paths):
    """Ask the edge for each of ``paths``, over one connection."""
    connection = HTTPConnection(HOST, edge.port, timeout=30)
    for path in paths:
        connection.request("GET", path, headers={"Host": SITE})
        connection.getresponse().read()
    connection.close()


def labelled(target):
    """What a response says to Varnish."""
    keys = keys_of([path_tag(target)], settings().key_prefix)
    return {"xkey": joined("xkey", keys), "Surrogate-Control": "max-age=600"}


@pytest.mark.alone
@pytest.mark.django_db(transaction=True, databases=["default", "other"])
@on("Varnish", "VarnishXkey")
@pytest.mark.parametrize("has_outbox", [True, False], ids=["outbox", "memory"])
def test_ten_thousand_paths_are_gone_in_three_seconds(edge, origin, has_outbox, request):
    if has_outbox:
        request.getfixturevalue("outbox")
    origin.headers = labelled
    paths = [f"/{'outbox' if has_outbox else 'memory'}/{number}/" for number in range(NUMBER)]
    some = paths[::50]
    visit(edge, some)
    visit(edge, some)
    assert len(origin.requests) == len(some)
    upstream = {
        "BACKEND": "dumper.upstreams.varnish.Varnish",
        "LOCATION": edge.purge_url,
        "HEADERS": {"X-Purge-Token": edge.secret},
        "OPTIONS": {"method": METHODS[type(edge).__name__], "again_after": None},
    }
    with override_settings(DUMPER_UPSTREAMS={"edge": upstream}):
        started = time.monotonic()
        with transaction.atomic():
            dumper.invalidate_paths(paths)
        committed = time.monotonic() - started
        assert eventually(lambda: is_idle() and not Delivery.objects.exists())
        delivered = time.monotonic() - started
    visit(edge, some)
    assert len(origin.requests) == 2 * len(some)
    print(f"{NUMBER} paths: committed after {committed:.2f} s, delivered after {delivered:.2f} s")


def is_idle():
    """Whether the courier has nothing more to deliver."""
    return courier("edge").memory.next_due() is None
