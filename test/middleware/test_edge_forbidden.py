"""What a view lets this cache alone keep, no other may: a lifetime of the settings does not overrule it."""

import pytest

from test.middleware.edges import LIFETIME, by_key, with_fields
from test.middleware.visits import Visitor, is_hit, site


@pytest.mark.parametrize("control", ["private", "no-store", "no-cache", "private, max-age=60"])
@pytest.mark.parametrize("field", ["Surrogate-Control", "CDN-Cache-Control", "X-Accel-Expires", "Cache-Control"])
def test_a_page_that_only_this_cache_may_keep_is_kept_by_no_edge(control, field):
    view = with_fields(Cache_Control=control, Dumper_Cache_Control="max-age=600")
    edge = by_key(control=field)
    with site(view, DUMPER_UPSTREAMS={"edge": edge}):
        stored, hit = Visitor().get("/"), Visitor().get("/")
    assert is_hit(hit)
    for response in (stored, hit):
        if field == "Cache-Control":
            assert response[field] == control
        else:
            assert response[field] == ("0" if field == "X-Accel-Expires" else "no-store")
            assert response["Cache-Control"] == control


def test_what_is_said_of_single_fields_forbids_nothing_else():
    view = with_fields(Cache_Control='no-cache="set-cookie"', Dumper_Cache_Control="max-age=600")
    with site(view, DUMPER_UPSTREAMS={"edge": by_key()}):
        found = Visitor().get("/")
    assert found["Surrogate-Control"] == f"max-age={LIFETIME}"
