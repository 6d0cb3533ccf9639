"""Who may import whom: each layer only what lies below it, and the rules nothing but rules."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "dumper").rglob("*.py"))

#: from the lowest to the highest; modules of one layer may import each other, but in no circle
LAYERS = [
    ["dumper.exceptions", "dumper.signals", "dumper.steps", "dumper.database", "dumper.threads"],
    ["dumper.converters"],
    ["dumper.conf"],
    ["dumper.rules"],
    ["dumper.crowd"],
    ["dumper.stores"],
    ["dumper.settlement"],
    ["dumper.search"],
    ["dumper.exchange"],
    ["dumper.waiting"],
    ["dumper.near"],
    ["dumper.backlog"],
    ["dumper.upstreams"],
    ["dumper.in_test"],
    ["dumper.transactions"],
    ["dumper.dependents"],
    ["dumper.family"],
    ["dumper.dependencies"],
    ["dumper.invalidation", "dumper.site", "dumper.decorators"],
    ["dumper.middleware", "dumper.checks", "dumper.templatetags", "dumper.outbox"],
    ["dumper.door"],
    ["dumper.wsgi", "dumper.asgi"],
    ["dumper.apps", "dumper"],
]
#: what the rules may use of Django: pure functions on text
PURE = {"django.utils.encoding"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in FILES}


def imports(name: str) -> set[str]:
    """The modules that ``name`` imports anywhere, in functions too; submodules rather than their packages."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                found.add(submodule if submodule in MODULES else node.module)
    return found


def own(name: str) -> set[str]:
    return {other for other in imports(name) if other in MODULES}


def layer(name: str) -> int:
    """The place of the layer that ``name`` belongs to, by the longest name that matches."""
    places = {
        member: place
        for place, members in enumerate(LAYERS)
        for member in members
        if name == member or (name.startswith(member + ".") and member != "dumper")
    }
    return places[max(places, key=len)]


@pytest.mark.parametrize("name", MODULES)
def test_each_module_belongs_to_a_layer_and_imports_none_above_it(name):
    above = {other for other in own(name) if layer(other) > layer(name)}
    assert not above


def test_there_is_no_circle_of_imports():
    order = TopologicalSorter({name: own(name) for name in MODULES}).static_order()
    assert set(order) == set(MODULES)


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("dumper.rules")])
def test_the_rules_know_neither_settings_nor_models_nor_the_rest_of_dumper(name):
    beyond = {other for other in imports(name) if other.split(".")[0] in ("dumper", "django", "asgiref")}
    assert {other for other in beyond if not other.startswith("dumper.rules")} <= PURE


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith(("dumper.rules", "dumper.exchange"))])
def test_the_rules_and_the_algorithm_do_no_input_or_output(name):
    assert not imports(name) & {
        "socket",
        "asyncio",
        "threading",
        "redis",
        "pickle",
        "django.core.cache",
        "asgiref.sync",
    }


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_is_longer_than_250_lines(path):
    assert len(path.read_text().splitlines()) <= 250


def fresh(code: str) -> subprocess.CompletedProcess:
    """Run ``code`` in an interpreter of its own, without any settings."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["dumper", "dumper.rules", "dumper.rules.policy", "dumper.apps", "dumper.middleware"])
def test_it_can_be_imported_without_settings_and_loads_no_models(name):
    done = fresh(
        f"import {name}\n"
        "from django.apps import apps\n"
        "from django.conf import settings\n"
        "assert not settings.configured\n"
        "assert not apps.ready and not apps.all_models\n"
    )
    assert done.returncode == 0, done.stderr


def test_any_module_can_be_imported_first():
    # Models take an app that is installed; what stands on them is imported when Django is ready.
    importable = [name for name in MODULES if not name.startswith("dumper.outbox.")]
    done = fresh(
        "import os\n"
        "from importlib import import_module\n"
        "import django.db.models\n"
        "from django.conf import settings\n"
        "settings.configure()\n"
        f"for name in {importable}:\n"
        "    if not (child := os.fork()):\n"
        "        import_module(name)\n"
        "        os._exit(0)\n"
        "    assert os.waitpid(child, 0)[1] == 0, name\n"
    )
    assert done.returncode == 0, done.stderr
