"""What a door has found out already, the pair behind it does not ask for again."""

import pytest
from django.core.cache import caches

import dumper
from test.http.doors import DOORS
from test.middleware.stacks import DJANGO, FETCH, UPDATE
from test.near.sites import PATH, asked, site

PLACE = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test.door.handed_on"}


@pytest.mark.parametrize(
    ("pair", "door"), [("sync", "wsgi door"), pytest.param("async", "asgi door", marks=pytest.mark.slow)]
)
def test_a_copy_of_the_pairs_is_not_tried_once_the_door_has_read_what_is_stored(pair, door):
    with site(CACHES={"default": PLACE}, MIDDLEWARE=[UPDATE, *DJANGO, FETCH]):
        caches["default"].clear()
        for _ in range(3):
            DOORS[pair](PATH)
        with asked() as names:
            assert DOORS[pair](PATH).is_hit
        assert names == ["confirm"]
        dumper.invalidate_paths([PATH])
        with asked() as names:
            assert DOORS[door](PATH).is_stored
        assert "confirm" not in names
        assert names.count("read") == 1
