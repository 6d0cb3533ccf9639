"""Three visitors walk through the demo in real browsers: a stranger with other people's cookies, Mia, and the staff.

Behind two workers of gunicorn, which share a Redis.
"""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import django
import pytest
from django.middleware.csrf import _does_token_match

from test.full_stack.browsers import Chromedriver, Visitor
from test.servers import ROOT, RedisServer, gunicorn

pytestmark = pytest.mark.slow

#: What advertising, statistics and consent leave in a browser; the last two look like what they are not.
JUNK = {"_ga": "GA1.1.1", "consent": "all", "_fbp": "fb.1", "session": "x", "csrf": "y"}
MATCHA = "/ice-cream/抹茶/"
PUBLIC = ["/", MATCHA, "/size/tub/", "/topping/wafer/", "/search/?q=vanilla", "/guest-book/"]
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')

PREPARE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate")
call_command("load_shop")
"""


class Visitors(NamedTuple):
    stranger: Visitor
    mia: Visitor
    staff: Visitor


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("shop")
    with RedisServer() as redis:
        environ = {
            "DEMO_DB": str(place / "db.sqlite3"),
            "DEMO_MEDIA": str(place / "media"),
            "DEMO_DEBUG": "0",
            "DEMO_SLOWNESS": "0",
            "REDIS_URL": redis.url,
        }
        server = gunicorn("--workers=2", "--threads=4", **environ)
        command = [sys.executable, "-c", PREPARE]
        settings = {"DJANGO_SETTINGS_MODULE": "test_project.settings"}
        subprocess.run(command, cwd=ROOT, env=server.environ() | settings, check=True, capture_output=True)
        with server:
            server.redis = redis
            yield server


@pytest.fixture(scope="module")
def everyone(site):
    """A browser for each of the three."""
    with Chromedriver() as driver, ThreadPoolExecutor() as pool:
        browsers = list(pool.map(driver.browser, Visitors._fields))
        visitors = Visitors(*(Visitor(browser, site.url) for browser in browsers))
        list(pool.map(lambda visitor: visitor.open("/account/"), visitors))
        yield visitors
        for browser in browsers:
            browser.quit()


@pytest.fixture
def visitors(site, everyone):
    """All three at the door, nothing stored."""

    def arrive(visitor: Visitor) -> None:
        visitor.browser.delete_all_cookies()
        if visitor is everyone.stranger:
            for name, value in JUNK.items():
                visitor.browser.add_cookie({"name": name, "value": value})
        else:
            name = "mia" if visitor is everyone.mia else "admin"
            token, *_ = TOKEN.findall(visitor.fetch("/account/login/").body)
            form = {"username": name, "password": name, "csrfmiddlewaretoken": token}
            visitor.post("/account/login/", redirect="manual", **form)

    with ThreadPoolExecutor() as pool:
        list(pool.map(arrive, everyone))
    site.redis.flush()
    return everyone


def is_own(token: str, visitor: Visitor) -> bool:
    return _does_token_match(token, visitor.cookie("csrftoken"))


def test_a_public_page_is_made_once_for_all_three(visitors):
    for path in PUBLIC:
        assert (path, [visitor.open(path) for visitor in visitors]) == (path, ["uri-miss", "hit", "hit"])
        pages = [visitor.fetch(path) for visitor in visitors]
        assert all(page.is_hit for page in pages), path
        assert len({TOKEN.sub("", page.body) for page in pages}) == 1, path
    assert visitors.staff.text("#badge").startswith("hit ")


def test_a_reload_of_a_page_that_has_not_changed_transfers_no_body(visitors):
    stranger = visitors.stranger
    stranger.open("/")
    stranger.browser.refresh()
    assert stranger.verdict() == "hit"
    assert 0 < stranger.navigation()["transferSize"] < stranger.navigation()["encodedBodySize"]
    assert "Crème brûlée" in stranger.text()


def test_the_form_on_a_shared_page_fills_the_cart_of_who_sends_it(visitors):
    wanted = {"stranger": 1, "mia": 2, "staff": 3}
    visitors.staff.open(MATCHA)
    for name, scoops in wanted.items():
        visitor = getattr(visitors, name)
        for _ in range(scoops):
            assert visitor.open(MATCHA) == "hit"
            visitor.click("main button")
            assert visitor.path == "/cart/"
            assert visitor.text(".messages") == "抹茶 is in your cart."
    for name, scoops in wanted.items():
        visitor = getattr(visitors, name)
        assert visitor.open("/cart/") != "hit"
        assert visitor.text("#cart").startswith(f"{scoops} × 抹茶")
        assert not visitor.has(".messages")
    assert visitors.mia.open(MATCHA) == "hit"


def test_each_gets_a_token_of_their_own_that_is_checked(visitors):
    visitors.staff.open(MATCHA)
    given = [TOKEN.findall(visitor.fetch(MATCHA).body) for visitor in visitors]
    assert [len(found) for found in given] == [1, 1, 1]
    for owner, (token,) in zip(visitors, given, strict=True):
        assert [visitor for visitor in visitors if is_own(token, visitor)] == [owner]
        assert TOKEN.findall(owner.fetch(MATCHA).body) != [token]  # another mask over the same
        for visitor in visitors:
            sent = visitor.post("/cart/", csrfmiddlewaretoken=token, flavour="fior-di-latte")
            assert sent.status == (200 if visitor is owner else 403)


def test_nobody_is_greeted_by_another_name(visitors):
    greetings = {"stranger": "Hello, stranger!", "mia": "Hello, Mia!", "staff": "Hello, admin!"}
    for round_ in range(2):
        for name, greeting in greetings.items():
            visitor = getattr(visitors, name)
            assert (visitor.open("/account/") == "hit") is (name == "stranger" and round_ == 1)
            assert visitor.text("h1") == greeting
            assert ("back office" in visitor.text()) is (name == "staff")


def test_nothing_personal_is_on_the_pages_of_the_others(visitors):
    marks = {"stranger": {"Hello, stranger"}, "mia": {">Mia<", "1 ×"}, "staff": {">admin<", "2 ×"}}
    for name in "mia", "staff", "staff":
        visitor = getattr(visitors, name)
        visitor.open(MATCHA)
        visitor.click("main button")
    seen = dict.fromkeys(marks, "")
    for path in [*PUBLIC, "/account/", "/cart/", "/hours/"]:
        for name in [*marks, *reversed(marks)]:
            body = getattr(visitors, name).fetch(path).body
            assert all(is_own(token, getattr(visitors, name)) for token in TOKEN.findall(body)), (path, name)
            seen[name] += body
    for name, text in seen.items():
        assert {mark for own in marks.values() for mark in own if mark in text} == marks[name]


def test_a_message_waits_for_whom_it_is_meant(visitors):
    stranger, mia, _ = visitors
    mia.open(MATCHA)
    mia.post("/cart/", redirect="manual", csrfmiddlewaretoken=TOKEN.findall(mia.browser.page_source)[0], flavour="抹茶")
    for visitor in visitors:
        assert visitor.open(MATCHA) == "hit"
        assert "is in your cart" not in visitor.text()
    assert [visitor.open("/account/") for visitor in (stranger, mia, stranger)] == ["uri-miss", "bypass", "hit"]
    assert mia.text(".messages") == "抹茶 is in your cart."
    assert not stranger.has(".messages")


def test_whoever_logs_out_is_a_stranger_with_a_working_form(visitors):
    visitors.stranger.open("/account/")
    visitors.mia.open("/account/")
    visitors.mia.click("form[action$=logout\\/] button")
    assert (visitors.mia.path, visitors.mia.text("h1")) == ("/account/", "Hello, stranger!")
    assert visitors.mia.cookie("sessionid") is None
    visitors.stranger.open("/account/")
    assert visitors.mia.open("/account/") == "hit"
    visitors.mia.click("button[value=dark]")
    assert visitors.mia.find("html").get_attribute("class") == "dark"
    visitors.mia.log_in("mia")
    assert visitors.mia.text("h1") == "Hello, Mia!"


def test_there_is_one_page_for_each_theme(visitors):
    assert visitors.stranger.open("/") == "uri-miss"
    for visitor in visitors.mia, visitors.staff:
        visitor.open("/account/")
        visitor.click("button[value=dark]")
    assert [visitor.open("/") for visitor in reversed(visitors)] == ["vary-miss", "hit", "hit"]
    assert [visitor.find("html").get_attribute("class") for visitor in visitors] == ["", "dark", "dark"]
    visitors.staff.open("/account/")
    visitors.staff.click("button[value=light]")
    assert visitors.staff.open("/") == "hit"
    assert visitors.staff.find("html").get_attribute("class") == ""


def test_what_one_writes_into_the_guest_book_the_others_read(visitors):
    for writer in visitors:
        assert [visitor.open("/guest-book/") for visitor in visitors][1:] == ["hit", "hit"]
        text = f"<b>Yum</b> & {writer.browser.session_id}"
        writer.open("/guest-book/")
        writer.fill(name="A guest", text=text)
        writer.click("main button")
        assert writer.path == "/guest-book/"
        for reader in visitors:
            reader.open("/guest-book/")
            assert text in reader.text()


def test_what_the_staff_changes_is_seen_at_once(visitors):
    stranger, staff = visitors.stranger, visitors.staff
    stranger.open("/")
    stranger.open(MATCHA)
    flavour = "/ice-cream/fior-di-latte/"
    stranger.open(flavour)
    staff.open("/admin/shop/flavour/?q=Fior")
    staff.click("#result_list tbody th a")
    price = staff.find("[name=price]").get_attribute("value")
    staff.fill(price=f"{float(price) + 1:.2f}")
    staff.click("[name=_save]")
    for path in "/", flavour:
        assert stranger.open(path) != "hit"
        assert f"{float(price) + 1:.2f} €" in stranger.text()
    assert stranger.open(MATCHA) == "hit"


@pytest.mark.skipif(django.VERSION < (6, 0), reason="nonces came with Django 6.0")
def test_a_nonce_is_for_one_answer(visitors):
    nonces = set()
    for visitor in [*visitors, *visitors]:
        assert visitor.open("/hours/") != "hit"
        assert "We are" in visitor.text("#now")  # so the browser has run the script
        nonces.add(visitor.browser.execute_script("return document.querySelector('main script').nonce"))
    assert len(nonces) == 6
