"""depends_on(): a page is invalidated together with what it shows, and never shows what has changed meanwhile."""

import itertools

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import override_settings
from django.urls import path

import dumper
from test.app.models import Article, NearbyPlace, Place, Restaurant, Unregistered
from test.http.doors import DOORS
from test.middleware.stacks import DJANGO, STACKS

pytestmark = pytest.mark.django_db(transaction=True)
TEMPLATE = """{% load dumper %}{% depends_on article "menu" %}{{ title }} {{ number }}"""
renders = itertools.count(1)
#: what happens in the middle of the next renders, after the page was made to depend on the article
during = []


def title(pk: int) -> str:
    return Article.objects.values_list("title", flat=True).filter(pk=pk).first() or "none"


def view(request: HttpRequest, pk: int) -> HttpResponse:
    dumper.depends_on(Article(pk=pk), "menu")
    content = title(pk)
    for happens in during:
        happens()
    return HttpResponse(f"{content} {next(renders)}")


async def async_view(request: HttpRequest, pk: int) -> HttpResponse:
    await dumper.adepends_on(Article(pk=pk), "menu")
    found = await Article.objects.filter(pk=pk).afirst()
    for happens in during:
        await sync_to_async(happens)()
    return HttpResponse(f"{found.title if found else 'none'} {next(renders)}")


def template_view(request: HttpRequest, pk: int) -> TemplateResponse:
    def shown():
        content = title(pk)
        for happens in during:
            happens()
        return content

    found = engines["django"].from_string(TEMPLATE)
    context = {"article": Article(pk=pk), "title": shown, "number": lambda: next(renders)}
    return TemplateResponse(request, found, context)


def in_transaction(request: HttpRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        return view(request, pk)


def place(request: HttpRequest, pk: int) -> HttpResponse:
    dumper.depends_on(Restaurant(pk=pk))
    return HttpResponse(f"{Place.objects.get(pk=pk).slug} {next(renders)}")


def unregistered(request: HttpRequest) -> HttpResponse:
    dumper.depends_on(Unregistered(pk=1))
    return HttpResponse("page")


urlpatterns = [
    path("view/<int:pk>/", view),
    path("async/<int:pk>/", async_view),
    path("template/<int:pk>/", template_view),
    path("transaction/<int:pk>/", in_transaction),
    path("place/<int:pk>/", place),
    path("unregistered/", unregistered),
]


@pytest.fixture(autouse=True)
def _site(pages):
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=STACKS["in Django's place"]):
        yield
        during.clear()


@pytest.fixture(params=DOORS)
def ask(request):
    return DOORS[request.param]


@pytest.fixture
def article():
    return Article.objects.create(slug="a", title="old")


def renamed(article):
    article.title = "new"
    article.save()


CHANGES = {
    "saved": renamed,
    "saved by another instance": lambda article: renamed(Article.objects.get(pk=article.pk)),
    "deleted": lambda article: Article.objects.get(pk=article.pk).delete(),
    "deleted by a queryset": lambda article: Article.objects.filter(pk=article.pk).delete(),
    "invalidated by hand": lambda article: dumper.invalidate(article),
    "its tag": lambda article: dumper.invalidate("menu"),
    "the site": lambda article: dumper.clear(),
}
VIEWS = ["view", "async", "template"]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", VIEWS)
def test_a_page_is_dropped_with_what_it_depends_on(ask, article, name, change):
    url = f"/{name}/{article.pk}/"
    first = ask(url)
    assert first.body.startswith(b"old")
    assert ask(url).body == first.body
    CHANGES[change](article)
    again = ask(url)
    assert again.body != first.body
    assert again.body.startswith(title(article.pk).encode())
    assert ask(url).body == again.body


@pytest.mark.parametrize("name", VIEWS)
def test_a_page_stays_when_something_else_changes(ask, article, name):
    first = ask(f"/{name}/{article.pk}/")
    other = Article.objects.create(slug="b")
    other.delete()
    dumper.invalidate("other", "menus")
    Place.objects.create(pk=article.pk, slug="c")
    assert ask(f"/{name}/{article.pk}/").body == first.body


@pytest.mark.parametrize("name", VIEWS)
def test_a_page_that_depends_on_what_is_not_there_yet_is_dropped_when_it_comes(ask, name):
    assert ask(f"/{name}/77/").body.startswith(b"none")
    assert ask(f"/{name}/77/").is_hit
    Article.objects.create(pk=77, slug="a", title="new")
    assert ask(f"/{name}/77/").body.startswith(b"new")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", VIEWS)
def test_what_changes_after_it_was_read_is_not_served_as_it_was(ask, article, name, change):
    during.append(lambda: CHANGES[change](article))
    first = ask(f"/{name}/{article.pk}/")
    assert first.body.startswith(b"old")
    during.clear()
    second = ask(f"/{name}/{article.pk}/")
    assert not second.is_hit
    assert second.body.startswith(title(article.pk).encode())


@pytest.mark.parametrize("name", VIEWS)
def test_what_has_changed_is_shown_and_stored_as_it_is(ask, article, name):
    ask(f"/{name}/{article.pk}/")
    renamed(article)
    assert ask(f"/{name}/{article.pk}/").body.startswith(b"new")
    assert ask(f"/{name}/{article.pk}/").is_hit


def test_a_rollback_drops_nothing_and_a_commit_does(ask, article):
    first = ask(f"/view/{article.pk}/")
    with transaction.atomic():
        renamed(article)
        transaction.set_rollback(True)
    assert ask(f"/view/{article.pk}/").body == first.body
    with transaction.atomic():
        renamed(article)
    assert ask(f"/view/{article.pk}/").body.startswith(b"new")


@pytest.mark.parametrize("model", [Place, NearbyPlace, Restaurant])
def test_a_row_is_one_by_whatever_model_it_is_saved(ask, model):
    made = Restaurant.objects.create(slug="old", menu="x")
    first = ask(f"/place/{made.pk}/")
    assert ask(f"/place/{made.pk}/").body == first.body
    row = model.objects.get(pk=made.pk)
    row.slug = "new"
    row.save()
    assert ask(f"/place/{made.pk}/").body.startswith(b"new")


def test_all_variants_of_a_page_are_dropped(ask, article):
    stored = [ask(f"/view/{article.pk}/", {"Host": host}) for host in ("a.example", "b.example")]
    renamed(article)
    for host, before in zip(("a.example", "b.example"), stored, strict=True):
        assert ask(f"/view/{article.pk}/", {"Host": host}).body != before.body


def test_inside_a_transaction_that_may_see_the_past_the_page_is_not_stored(ask, article):
    if connection.vendor == "postgresql":
        pytest.skip("each statement of PostgreSQL's sees what was committed before it")
    for _ in range(2):
        answer = ask(f"/transaction/{article.pk}/")
        assert (answer.status, answer.detail) == (200, "depends on something inside a transaction")


@pytest.mark.parametrize("target", [Unregistered(pk=1), Unregistered, 1, None, object(), b"menu", ["menu"]])
def test_what_nothing_can_depend_on_is_told(target):
    with pytest.raises(TypeError, match="neither a tag nor an instance of a model registered with dumper"):
        dumper.depends_on("menu", target)


def test_it_is_told_in_a_view_as_well(ask):
    assert ask("/unregistered/").status == 500


@pytest.mark.parametrize("name", VIEWS)
def test_without_the_middleware_pair_it_is_in_nobodys_way(ask, article, name):
    with override_settings(MIDDLEWARE=DJANGO):
        assert ask(f"/{name}/{article.pk}/").body != ask(f"/{name}/{article.pk}/").body


def test_outside_of_a_request_it_does_nothing(article):
    dumper.depends_on(article, "menu")
    dumper.depends_on()


@pytest.mark.parametrize("headers", [{"Range": "bytes=0-1"}, {"Authorization": "Basic x"}])
def test_a_page_that_is_not_stored_may_depend_on_what_it_likes(ask, article, headers):
    for _ in range(2):
        assert ask(f"/view/{article.pk}/", headers).body.startswith(b"old")
    assert not ask(f"/view/{article.pk}/").is_hit
