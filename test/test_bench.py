"""The benchmarks measure what they say, and write it down as it is. Nothing here depends on how long anything takes."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
import redis

from test.servers import ROOT
from test_project.bench import contenders, crowd, processes, tables
from test_project.bench.chart import LABELS, SHOWN, chart, label
from test_project.bench.contenders import (
    BARE,
    BASELINE,
    DEFAULT_FLOOR,
    DEFAULT_STACK,
    DOORS,
    NO_CACHE,
    PAIRS,
    PLAIN,
    Contender,
)
from test_project.bench.crowd import Outcome
from test_project.bench.effort import QUICK
from test_project.bench.processes import Figure
from test_project.bench.report import Found, invalidations, saves, speed
from test_project.bench.report import crowd as crowd_rows
from test_project.bench.served import rate_in
from test_project.bench.site import Addresses
from test_project.bench.targets import targets

PAIR, DOOR = PAIRS["django-redis"], DOORS["checked"]
FOUND = Found(
    hits={BASELINE.name: Figure(200, 2), PAIR.name: Figure(80, 1), DOOR.name: Figure(8, 1)},
    misses={
        BASELINE.name: Figure(500, 3),
        PAIR.name: Figure(300, 3),
        PLAIN.name: Figure(200, 3),
        DEFAULT_FLOOR.name: Figure(100, 0),
    },
    saves={NO_CACHE.name: Figure(70, 0), PAIR.name: Figure(170, 2)},
    by_paths={contenders.OLD.name: Figure(1600, 20_000), PAIR.name: Figure(200, 40)},
    by_tag={PAIR.name: Figure(0.25, 2)},
    gunicorn={BARE.name: 4000, DOOR.name: 2000, NO_CACHE.name: 40},
    uvicorn={BARE.name: 8000, DOOR.name: 6000},
    crowd={NO_CACHE.name: Outcome(200, 1234.5)},
)


def test_a_table_is_as_wide_as_its_widest_cells():
    assert tables.table([("a", "bcd"), ("ef", "g"), ("h", "")]) == "== ===\na  bcd\n== ===\nef g\nh\n== ==="


def test_text_goes_between_its_comments_in_the_readme_and_nowhere_else(tmp_path, monkeypatch):
    readme = tmp_path / "README.rst"
    readme.write_text(
        "before\n\n.. bench\n\nold\n\n.. bench end\n\n.. bench of saves\n\nkept\n\n.. bench of saves end\n"
    )
    monkeypatch.setattr(tables, "README", readme)
    tables.write_into_readme("bench", r"new \1")
    assert readme.read_text() == (
        "before\n\n.. bench\n\nnew \\1\n\n.. bench end\n\n.. bench of saves\n\nkept\n\n.. bench of saves end\n"
    )


def test_the_readme_has_a_place_for_each_benchmark():
    text = (ROOT / "README.rst").read_text()
    for name in ("bench", "bench of saves"):
        assert re.search(rf"(?s)^\.\. {name}\n\n.+\n\n\.\. {name} end$", text, re.MULTILINE)


WRK = "Running 1s test @ http://127.0.0.1:1/\n  9 requests in 1.00s\n{}Requests/sec:   1234.56\nTransfer/sec: 1MB\n"


def test_the_rate_is_read_from_the_report_of_wrk():
    assert rate_in(WRK.format("")) == 1234.56


@pytest.mark.parametrize(
    "report",
    [
        WRK.format("  Non-2xx or 3xx responses: 1\n"),
        WRK.format("  Socket errors: connect 0, read 1, write 0, timeout 0\n"),
        "unable to connect\n",
    ],
)
def test_a_report_of_failed_requests_has_no_rate(report):
    with pytest.raises(RuntimeError, match=re.escape(report)):
        rate_in(report)


def test_the_table_of_speed_sets_everybody_beside_the_baseline_and_the_floors():
    head, *rows = speed(FOUND)
    assert len(head) == 8
    assert rows == [
        (BASELINE.name, "200", "1.00", "2", "400", "3", "–", "–"),
        (PAIR.name, "80", "2.50", "1", "200", "3", "–", "–"),
        (DOOR.name, "8.0", "25.00", "1", "–", "–", "50", "75"),
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (saves(FOUND), [(NO_CACHE.name, "70", "+0", "0"), (PAIR.name, "170", "+100", "2")]),
        (
            invalidations(FOUND, 10_000),
            [(contenders.OLD.name, "1,600", "20,000", "–", "–"), (PAIR.name, "200", "40", "0.2", "2")],
        ),
        (crowd_rows(FOUND, 200), [(NO_CACHE.name, "200", "1,234")]),
    ],
    ids=["saves", "invalidations", "crowd"],
)
def test_the_other_tables_tell_what_was_found(rows, expected):
    assert rows[1:] == expected
    assert len({len(row) for row in rows}) == 1


def test_targets_are_ratios_of_what_was_measured():
    assert [measured for _, measured in targets(FOUND)[1:]] == [
        *("2.50", "25.00"),  # hits
        *("0.50", "–", "0.75", "–"),  # behind servers
        *("0.50", "–", "–", "–", "0.25"),  # misses
        *("8.00", "2"),  # invalidations
    ]


def test_nothing_measured_makes_no_ratio():
    assert {measured for _, measured in targets(Found())[1:]} == {"–"}


def test_the_chart_has_a_bar_a_contender_as_long_as_its_share():
    tree = ElementTree.fromstring(chart(FOUND))
    svg = "{http://www.w3.org/2000/svg}"
    bars = [(bar.get("class"), float(bar.get("width"))) for bar in tree.iter(f"{svg}rect")]
    full = bars[0][1]
    assert [(kind, round(width / full, 3)) for kind, width in bars] == [
        *(("others", 1), ("ours", 0.5), ("others", 0.01)),  # gunicorn
        *(("others", 1), ("ours", 0.75)),  # uvicorn
    ]
    texts = ["".join(text.itertext()) for text in tree.iter(f"{svg}text")]
    assert {"bare app", "dumper's door, near cache checked", "100", "50", "1.0", "75"} <= set(texts)
    right, low = (float(tree.get(side)) for side in ("width", "height"))
    assert all(float(text.get("x")) < right and float(text.get("y")) <= low for text in tree.iter(f"{svg}text"))
    assert right / 2 < full
    assert "prefers-color-scheme: dark" in tree.find(f"{svg}style").text


@pytest.mark.parametrize("rates", [{}, {BARE.name: 100, DOOR.name: 250}], ids=["nothing", "faster than bare"])
def test_no_bar_leaves_the_chart(rates):
    tree = ElementTree.fromstring(chart(Found(gunicorn=rates)))
    bars = list(tree.iter("{http://www.w3.org/2000/svg}rect"))
    assert len(bars) == len(rates)
    assert all(float(bar.get("x")) + float(bar.get("width")) < float(tree.get("width")) for bar in bars)


def test_the_labels_of_the_chart_have_room():
    assert all(len(label(name)) * 8 < LABELS for name in SHOWN)


@pytest.mark.parametrize("name", ["HITS", "MISSES", "SAVES", "CHANGES", "GUNICORN", "UVICORN", "SLOW"])
def test_no_two_contenders_of_a_race_have_one_name(name):
    names = [contender.name for contender in getattr(contenders, name)]
    assert len(names) == len(set(names))


def test_commands_are_those_of_clients_and_not_of_scripts(redis_server):
    with redis.Redis.from_url(redis_server.url) as client, redis.Redis.from_url(redis_server.url) as other:
        other.ping()

        def action():
            other.set("a", b"\xff" * 100)
            other.eval("redis.call('GET', 'a') return redis.call('GET', 'a')", 0)
            with other.pipeline(transaction=False) as pipe:
                pipe.get("a").get("b").execute()

        assert processes.commands_of(client, action) == 4


@pytest.fixture
def addresses(redis_server, memcached_server):
    return Addresses(redis_server.url, memcached_server.address)


@pytest.mark.slow
def test_who_renders_what_it_should_have_stored_is_not_measured(addresses):
    forgetful = Contender("forgetful", DEFAULT_STACK, "locmem")
    with (
        processes.called([forgetful], addresses) as calls,
        pytest.raises(RuntimeError, match=r"forgetful: \['200 OK'\], 1 renders for /constant/"),
    ):
        calls["forgetful"]("spent", "hits", 0.01)


@pytest.mark.slow
def test_a_crowd_is_told_by_its_renders(addresses):
    no_cache, *_ = contenders.SLOW
    found = crowd.outcomes([no_cache], addresses, QUICK._replace(visitors=6))
    assert found[no_cache.name].renders == 6


@pytest.mark.slow
def test_a_quick_run_prints_all_tables_of_those_asked_for():
    asked = [PAIR.name, BASELINE.name, "django-dumper's algorithm, django-redis", DEFAULT_FLOOR.name, BARE.name]
    only = "^(" + "|".join(map(re.escape, asked)) + ")$"
    ended = subprocess.run(
        [sys.executable, "-m", "test_project.bench", "--quick", "--only", only],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    for name in asked:
        assert re.search(rf"^{re.escape(name)} +\d", ended.stdout, re.MULTILINE), name
    for head in ("a hit, µs", "a save", "500 paths, ms", "50 visitors of a cold page", "ratio"):
        assert head in ended.stdout
    measured = re.findall(rf"^{re.escape(PAIR.name)} +(.+)$", ended.stdout, re.MULTILINE)
    assert len(measured) == 4  # the tables it stands in
    assert "–" not in measured[0]
