"""The README says what is true: every name, default and example."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import docutils.core
import pytest

import dumper
from dumper import checks, signals
from dumper.conf import DEFINITIONS, PREFIX
from dumper.outbox import checks as outbox_checks
from test.servers import ROOT

README = (ROOT / "README.rst").read_text()
COMMANDS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


def code_blocks(language: str) -> list[str]:
    """The code blocks of the README in ``language``, without their indentation."""
    found = re.findall(rf"\.\. code-block:: {language}\n\n((?:    .*\n|\n)+)", README)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in found]


@pytest.mark.parametrize("name", ["README.rst", "CHANGES.rst"])
def test_the_documents_are_sound(name: str) -> None:
    """docutils has nothing to remark. Sphinx and PyPI know the directive code-block as well."""
    text = (ROOT / name).read_text().replace(".. code-block:: python", ".. code:: python")
    docutils.core.publish_string(text, writer="html5", settings_overrides={"halt_level": 2, "report_level": 2})


def test_every_setting_is_documented_with_its_default() -> None:
    """As ``NAME: type = default``, and no other is."""
    found = dict(re.findall(r"^_`(DUMPER_\w+)`: ``[^`]+`` = ``(.+)``$", README, re.MULTILINE))
    assert {name: eval(default) for name, default in found.items()} == {
        PREFIX + name: default for name, (default, _) in DEFINITIONS.items()
    }


def test_every_check_is_documented() -> None:
    """By its id, and no other is."""
    source = "".join(Path(module.__file__).read_text() for module in (checks, outbox_checks))
    assert set(re.findall(r"dumper\.[EW]\d{3}", README)) == set(re.findall(r'id="(dumper\.[EW]\d{3})"', source))


def test_every_public_name_is_documented() -> None:
    """Functions and signals alike."""
    for name in dumper.__all__:
        assert name in README, name
    for name, value in vars(signals).items():
        if isinstance(value, signals.Signal):
            assert f"dumper.signals.{name}" in README, name


def test_every_make_target_that_is_documented_exists() -> None:
    """And the two that come first are there."""
    named = set(re.findall(r"``make ([a-z-]+)", README)) | {"demo", "test"}
    assert named <= set(COMMANDS)


def test_every_example_is_valid_python() -> None:
    """Each block on its own."""
    for block in code_blocks("python"):
        compile(block, "README.rst", "exec")


SITE = """
TEMPLATES = {"menu.html": "{{ flavours|join:', ' }}", "flavour.html": "{{ flavour.name }}"}
import django
from django.conf import settings

from pathlib import Path

exec(Path("settings_of_readme.py").read_text())
settings.configure(
    INSTALLED_APPS=[*filter(lambda app: app is not ..., INSTALLED_APPS), "shop"],
    MIDDLEWARE=MIDDLEWARE,
    CACHES=CACHES,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3"}},
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    SECRET_KEY="readme",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF="shop.urls",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", TEMPLATES)]},
        }
    ],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.core.management import call_command
from django.test import Client

call_command("check", fail_level="WARNING")
call_command("migrate", run_syncdb=True, verbosity=0)

from shop.models import Flavour

vanilla = Flavour.objects.create(slug="vanilla", name="Vanilla")
mint = Flavour.objects.create(slug="mint", name="Mint")


def ask(path):
    response = Client().get(path)
    return response.content.decode(), response["Cache-Status"]


MISS, STALE, HIT = "dumper; fwd=uri-miss; stored", "dumper; fwd=stale; stored", "dumper; hit"
for path, text in (("/", "Mint, Vanilla"), ("/flavours/vanilla/", "Vanilla"), ("/flavours/mint/", "Mint")):
    assert ask(path) == (text, MISS), ask(path)
    assert ask(path) == (text, HIT), ask(path)
vanilla.name = "Vanille"
vanilla.save()
assert ask("/") == ("Mint, Vanille", MISS)
assert ask("/flavours/vanilla/") == ("Vanille", MISS)
assert ask("/flavours/mint/") == ("Mint", HIT)
exec(Path("by_hand_of_readme.py").read_text())
assert ask("/flavours/vanilla/")[1] == MISS
for path in ("/menu/", f"/{mint.pk}/"):
    for status in (f"{MISS}; ttl=3600" if path == "/menu/" else MISS, HIT):
        assert ask(path)[1].startswith(status), (path, ask(path))
dumper.invalidate("menu")
assert ask("/menu/")[1] == f"{STALE}; ttl=3600"
assert ask(f"/{mint.pk}/")[1] == HIT
mint.save()
assert ask(f"/{mint.pk}/") == ("Mint", STALE)
exec("from shop.models import Flavour\\n" + Path("tests_of_readme.py").read_text())
import unittest

tests = unittest.defaultTestLoader.loadTestsFromTestCase(PurgeTests)
assert tests.countTestCases() == 1
assert unittest.TextTestRunner().run(tests).wasSuccessful()
print("as the README says")
"""
URLS = """
from django.http import HttpResponse
from django.urls import path

from shop import views
from shop.models import Flavour

urlpatterns = [
    path("menu/", views.menu),
    path("<int:pk>/", views.flavour),
    path("", lambda request: HttpResponse(", ".join(Flavour.objects.order_by("name").values_list("name", flat=True))),
         name="flavour-list"),
    path("flavours/<slug:slug>/", lambda request, slug: HttpResponse(Flavour.objects.get(slug=slug).name),
         name="flavour"),
]
"""


@pytest.mark.slow
def test_the_examples_make_a_site_that_does_what_is_said(tmp_path: Path, redis_server) -> None:
    """The settings, the model and the calls by hand, as they stand, in a project of their own."""
    settings, models, views, by_hand, *_ = code_blocks("python")
    settings = settings.replace("# ...", "...,").replace("redis://127.0.0.1:6379/0", redis_server.url)
    settings = settings.replace("# ... all the others ...", "").replace("..., all the others ...", "")
    (tmp_path / "settings_of_readme.py").write_text(settings)
    (tmp_path / "by_hand_of_readme.py").write_text("from shop.models import Flavour\n" + by_hand)
    (tests,) = [block for block in code_blocks("python") if "class PurgeTests" in block]
    (tmp_path / "tests_of_readme.py").write_text(tests)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "models.py").write_text(models)
    (tmp_path / "shop" / "views.py").write_text("from shop.models import Flavour\n" + views)
    (tmp_path / "shop" / "urls.py").write_text(URLS)
    (tmp_path / "run.py").write_text(SITE)
    run = [sys.executable, "-W", "error", "run.py"]
    environ = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(run, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("as the README says\n"), done.stderr
