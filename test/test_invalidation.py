"""Invalidation by hand: invalidate_paths(), invalidate(), clear(), and their async twins."""

from contextlib import suppress

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.urls import reverse_lazy

import dumper
from dumper.rules.tags import SITE
from dumper.signals import invalidated
from dumper.stores.guard import withheld
from test.app.changes import Undone
from test.app.models import Article, Contribution, Section, Unregistered

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["sync", "async"])
def call(request):
    """Calls a function of dumper's by its name, or its async twin."""

    def call(name, *args, **kwargs):
        if request.param == "sync":
            return getattr(dumper, name)(*args, **kwargs)

        async def twin():
            await getattr(dumper, "a" + name)(*args, **kwargs)

        return async_to_sync(twin)()

    return call


@pytest.fixture
def told():
    """What the signal has told of."""
    told = []

    def receive(tags, **kwargs):
        told.append(tags)

    invalidated.connect(receive)
    yield told
    invalidated.disconnect(receive)


def test_invalidate_paths_refreshes_the_pages_at_paths_of_any_form(refreshed, call):
    with refreshed("/a/", "/b/", "/c/", "/d/"):
        call("invalidate_paths", ["/a/", "http://testserver/b/?page=2", reverse_lazy("page", args=["c/"]), None, "d/"])


def test_invalidate_paths_takes_a_generator_and_nothing_at_all(refreshed, call):
    with refreshed("/a/"):
        call("invalidate_paths", (path for path in ["/a/"]))
        call("invalidate_paths", [])


def test_invalidate_paths_passes_over_other_hosts_and_says_so(refreshed, call, caplog):
    with refreshed(kept=["/a/"]):
        call("invalidate_paths", ["https://foreign.invalid/a/"])
    assert caplog.messages == ["'https://foreign.invalid/a/' is no URL of this site"]


@pytest.mark.parametrize("mistake", ["/a/", b"/a/"])
def test_invalidate_paths_refuses_a_single_string(call, mistake):
    with pytest.raises(TypeError, match="takes an iterable of paths"):
        call("invalidate_paths", mistake)


def test_invalidate_refreshes_what_depends_on_instances_registered_or_not(refreshed, call):
    article = Article.objects.create(slug="a", section=Section.objects.create(slug="section"))
    unregistered = Unregistered.objects.create(slug="b")
    with refreshed("/a/", "/section/", "/b/"):
        call("invalidate", article, unregistered)


def test_invalidate_takes_tags_by_their_names(call, told):
    call("invalidate", "prices", "menu")
    assert told == [{"tag:prices", "tag:menu"}]


def test_invalidate_without_targets_does_nothing(refreshed, call, told):
    call("invalidate")
    call("invalidate_paths", [None])
    assert told == []


@pytest.mark.parametrize("mistake", [Contribution(), Article, 5, None, b"tag"])
def test_invalidate_refuses_what_is_neither_a_tag_nor_an_instance_with_paths(call, told, mistake):
    with pytest.raises(TypeError, match="neither a tag nor an instance"):
        call("invalidate", "tag", mistake)
    assert told == []


def test_clear_refreshes_every_page(refreshed, call):
    with refreshed("/a/", "/b/", "/elsewhere/"):
        call("clear")


def test_clear_leaves_the_rest_of_the_cache_alone(call):
    from django.core.cache import cache

    cache.set("mine", "kept")
    call("clear")
    assert cache.get("mine") == "kept"


@pytest.mark.parametrize(
    ("name", "args"),
    [("invalidate_paths", [["/a/"]]), ("invalidate", ["tag", Unregistered(pk=1, slug="a")]), ("clear", [])],
)
def test_nothing_takes_effect_before_the_commit_nor_after_a_rollback(pages, call, told, name, args):
    with pages.kept("/a/"), suppress(Undone), transaction.atomic():
        call(name, *args)
        assert told == []
        raise Undone
    with transaction.atomic():
        call(name, *args)
        assert told == []
        assert list(withheld)
    (tags,) = told
    assert tags & {"path:/a/", SITE}
    assert not pages.is_hit("/a/")


def test_the_signal_tells_of_each_change_that_is_committed(pages, told):
    Unregistered.objects.create(slug="a")
    assert told == []
    section = Section.objects.create(slug="a")
    assert told == [{"path:/a/", f"row:app.section:{section.pk}"}]
    with suppress(Undone), transaction.atomic():
        Section.objects.create(slug="b")
        raise Undone
    assert len(told) == 1


def test_what_waits_for_the_commit_is_withheld_from_visitors(pages):
    pages.store("/a/")
    with transaction.atomic():
        dumper.invalidate_paths(["/a/"])
        assert not pages.is_hit("/a/")
    assert not pages.is_hit("/a/")
    assert pages.is_hit("/a/")
