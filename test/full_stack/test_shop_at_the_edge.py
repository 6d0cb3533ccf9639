"""The shop behind each cache: a page is kept there, edited in the admin, and fresh there."""

import threading
import time

import pytest

from test.full_stack.edges import ALL, VARNISHES, eventually
from test.full_stack.shop_behind import HOSTS, MENU, shop_behind

pytestmark = pytest.mark.slow

#: seconds: longer than the tests hold an answer back
AGAIN_AFTER = 2.5


@pytest.fixture(scope="module")
def shop(request, tmp_path_factory):
    with shop_behind(request.param, tmp_path_factory.mktemp("shop"), again_after=[AGAIN_AFTER]) as found:
        yield found


def behind(*names):
    """The test is for the shop behind each of these caches."""
    return pytest.mark.parametrize("shop", names, indirect=True, scope="module")


def is_kept(shop, path=MENU, **visitor) -> bool:
    """Whether the edge answers without asking the origin."""
    shop.look(path, **visitor)

    def without_origin() -> bool:
        before = shop.line.requests
        shop.look(path, **visitor)
        return shop.line.requests == before

    return eventually(without_origin)


@behind(*ALL)
def test_a_page_is_kept_and_fresh_after_it_was_edited_on_every_host(shop):
    for name in ("Biscuit", "Wafer"):
        shop.rename_wafer(name)
        for host in HOSTS:
            assert eventually(lambda host=host, name=name: f"with {name}" in shop.look(host=host))
            assert is_kept(shop, host=host)
            assert f"with {name}" in shop.look(host=host)


VISITORS = {"light": {}, "dark": {"Cookie": "theme=dark"}, "with junk": {"Cookie": "_ga=1"}}


@behind(*VARNISHES)
def test_so_are_all_variants_and_all_query_strings_where_purges_name_keys(shop):
    paths = ("/topping/wafer/", "/topping/wafer/?utm=1", f"{MENU}?a", MENU)
    looks = [(path, visitor) for path in paths for visitor in VISITORS]
    for path, visitor in looks:
        assert is_kept(shop, path, **VISITORS[visitor])
    shop.rename_wafer("Waffle")
    for path, visitor in looks:
        assert eventually(lambda path=path, visitor=visitor: "Waffle" in shop.look(path, **VISITORS[visitor]))


@behind(*sorted({*ALL} - {*VARNISHES}))
def test_what_a_purge_would_not_reach_is_not_kept(shop):
    varying = [] if shop.copes_with_vary else ["/topping/wafer/"]
    for path in (f"{MENU}?utm=1", "/menu%2Etxt", *varying):
        for _ in range(3):
            before = shop.line.requests
            shop.look(path)
            assert shop.line.requests == before + 1


@behind(*ALL)
def test_what_was_being_fetched_when_the_page_was_changed_is_fresh_in_the_end(shop):
    shop.rename_wafer("Cone")
    assert eventually(lambda: "with Cone" in shop.look())
    shop.rename_wafer("Cornet")  # nothing is kept now
    time.sleep(AGAIN_AFTER + 0.5)
    shop.line.hold()
    seen = []
    visitor = threading.Thread(target=lambda: seen.append(shop.look()))
    visitor.start()
    assert shop.line.held.wait(5)
    shop.rename_wafer("Cone again")
    time.sleep(1.5)  # the first purge has come and gone; Traffic Server lets it wait for a second
    shop.line.release()
    visitor.join()
    assert "with Cornet" in seen[0]
    assert eventually(lambda: "with Cone again" in shop.look())
