"""DUMPER_BYPASS: a site's own reasons to let a request go past the store."""

import logging

import pytest
from django.conf import settings

from test.middleware.stacks import STACKS
from test.middleware.visits import Visitor, is_hit, is_stored, showing, site, status, stored_bytes

PLACE = STACKS["in Django's place"]
asked: list = []


def preview(request):
    asked.append(request.path)
    return "preview" if "preview" in request.GET else None


def broken(request):
    raise ZeroDivisionError("nobody may see this")


async def awaited(request):
    return None


class Hook:
    def __call__(self, request):
        return request.COOKIES.get("editor") == "1"


@pytest.fixture(autouse=True)
def nobody_asked():
    asked.clear()


@pytest.mark.parametrize("hook", [preview, "test.middleware.test_bypass.preview"], ids=["a function", "a dotted path"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_reason_is_told_and_the_request_goes_past_the_store(kind, hook):
    with site(showing(lambda request: request.path), MIDDLEWARE=PLACE, DUMPER_BYPASS=hook):
        for _ in range(2):
            assert status(Visitor(kind).get("/?preview=1")) == 'dumper; fwd=bypass; detail="preview"'
        assert stored_bytes() == b""
        assert is_stored(Visitor(kind).get())
        assert is_hit(Visitor(kind).get())
        assert status(Visitor(kind).get("/?preview=1")) == 'dumper; fwd=bypass; detail="preview"'
    assert len(asked) == 5


def test_what_a_hook_reads_makes_no_variant():
    with site(showing(lambda request: request.path), MIDDLEWARE=PLACE, DUMPER_BYPASS=preview):
        assert is_stored(Visitor(theme="dark").get("/?a=1"))
        assert is_hit(Visitor(theme="light").get("/?a=2"))


def test_any_true_value_is_a_reason():
    with site(showing(lambda request: request.path), MIDDLEWARE=PLACE, DUMPER_BYPASS=Hook()):
        assert status(Visitor(editor="1").get()) == 'dumper; fwd=bypass; detail="DUMPER_BYPASS"'
        assert is_stored(Visitor().get())
        assert status(Visitor(editor="1").get()) == 'dumper; fwd=bypass; detail="DUMPER_BYPASS"'


@pytest.mark.parametrize("reason", ["größe", 'a "quoted" one', "two\r\nSet-Cookie: a=b", "x" * 300, "\x00"])
def test_a_reason_breaks_no_field(reason):
    with site(showing(lambda request: request.path), MIDDLEWARE=PLACE, DUMPER_BYPASS=lambda request: reason):
        answer = Visitor().get()
    assert answer.status_code == 200
    assert status(answer).isascii()
    assert status(answer).isprintable()
    assert status(answer).startswith('dumper; fwd=bypass; detail="')


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_hook_that_fails_lets_every_request_go_past_the_store_and_is_logged(kind, caplog):
    caplog.set_level(logging.ERROR, logger="dumper.middleware")
    with site(showing(lambda request: request.path), MIDDLEWARE=PLACE, DUMPER_BYPASS=broken):
        for _ in range(2):
            answer = Visitor(kind).get()
            assert answer.status_code == 200
            assert status(answer) == 'dumper; fwd=bypass; detail="DUMPER_BYPASS failed: ZeroDivisionError"'
        assert stored_bytes() == b""
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError] * 2


BAD = [1, True, [], ["a"], awaited, "", "nowhere", "nowhere.at_all", "test.middleware.test_bypass.absent", object()]


@pytest.mark.parametrize("value", [value for value in BAD if value not in ("", [])])
def test_a_value_that_cannot_be_used_lets_nothing_be_stored(value):
    with site(showing(lambda request: request.path), MIDDLEWARE=PLACE, DUMPER_BYPASS=value):
        for _ in range(2):
            answer = Visitor().get()
            assert answer.status_code == 200
            assert status(answer) == 'dumper; fwd=bypass; detail="DUMPER_BYPASS cannot be used"'
        assert stored_bytes() == b""


def test_without_a_hook_nobody_is_asked():
    assert not hasattr(settings, "DUMPER_BYPASS")
    for value in (None, preview):
        with site(showing(lambda request: request.path), MIDDLEWARE=PLACE, DUMPER_BYPASS=value):
            assert is_stored(Visitor().get())
    assert asked == ["/"]
