"""Where i18n_patterns are used, a page has a path in each language; a change in any of them refreshes all."""

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.test import Client, override_settings
from django.urls import path, reverse
from django.utils import translation

from test.app.models import Whatever
from test.app.views import page

pytestmark = pytest.mark.django_db(transaction=True)
urlpatterns = i18n_patterns(path("item/<path:path>", page, name="item"))
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("ja", "日本語")]


@pytest.fixture
def _languages():
    middleware = [
        "dumper.middleware.UpdateCacheMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "dumper.middleware.FetchFromCacheMiddleware",
    ]
    with (
        override_settings(ROOT_URLCONF=__name__, LANGUAGES=LANGUAGES, MIDDLEWARE=middleware),
        translation.override("en"),
    ):
        yield


@pytest.mark.usefixtures("_languages")
@pytest.mark.parametrize("active", ["en", "de", None])
def test_a_change_refreshes_the_pages_of_all_languages(monkeypatch, active):
    monkeypatch.setattr(Whatever, "names", staticmethod(lambda row: [reverse("item", args=["a/"])]))
    paths = [f"/{code}/item/a/" for code, _ in LANGUAGES]

    def hits():
        return ["; hit" in Client().get(path)["Cache-Status"] for path in paths]

    hits()
    assert hits() == [True] * 3
    with translation.override(active):
        Whatever.objects.create()
    assert hits() == [False] * 3
