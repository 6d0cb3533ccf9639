"""The whole stack, with any view and any visitors: nobody gets what would not be the same without the pair."""

from __future__ import annotations

import logging
import time

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.exceptions import SuspiciousOperation
from django.http.cookie import parse_cookie
from django.middleware.csrf import _does_token_match
from django.test import override_settings
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from test.fuzz import fields, reference
from test.fuzz.site import Answer, Site, View, settings_at
from test.fuzz.visitors import (
    answers,
    anybody,
    anything,
    conditions,
    deeds,
    readers,
    reads,
    requests,
    servers,
    strangers,
    validators,
)

often = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def site():
    with override_settings(**settings_at("test.fuzz"), DATA_UPLOAD_MAX_NUMBER_FIELDS=3):
        logging.disable()  # of what visitors get wrong, there is much
        yield Site()
        logging.disable(logging.NOTSET)


#: what is each answer's own, or not for visitors
OWN = {"cache-status", "dumper-cache-control", "content-length"}


class Visits:
    """Visits to one view, with the pair and without, and all that must be so."""

    def __init__(self, site: Site, view: View) -> None:
        self.site, self.view = site, view
        site.serve(view)
        #: by the number of the render: to what it was an answer, and what that would have been without the pair
        self.stored: dict[int, tuple[dict[str, str], Answer]] = {}
        self.etag = '"x"'

    def visit(self, given: dict[str, str | None], server: dict[str, str]) -> None:
        sent = {name.lower(): value for name, value in given.items() if value is not None}
        if "if-none-match" in sent:
            sent["if-none-match"] = sent["if-none-match"].replace("ETAG", self.etag)
        if "cookie" in sent:
            sent["cookie"] = sent["cookie"].replace("SESSION", a_session())
        environ = {**fields.environ_of(sent), **server}
        try:
            plain = self.site.plain.ask(environ)
        except SuspiciousOperation as error:  # Django makes no request of it
            with pytest.raises(type(error)):
                self.site.ours.ask(environ)
            return
        ours = self.site.ours.ask(environ)
        event(f"{ours.status} {ours.decision.partition(' detail')[0]}")
        if ours.is_of_store:
            self.check_stored({"host": "testserver", **sent}, plain, ours)
        else:
            assert ours.status == plain.status
            assert without(ours.headers, *OWN, "set-cookie") == without(plain.headers, *OWN, "set-cookie")
            assert set(ours.cookies) == set(plain.cookies)
            assert ours.body == plain.body or ours.shown == plain.shown

    def check_stored(self, sent: dict[str, str], plain: Answer, ours: Answer) -> None:
        self.check_conditions(sent, plain, ours)
        self.etag = ours.headers.get("etag", self.etag)
        assert "dumper-cache-control" not in ours.headers
        assert set(ours.cookies) == set(plain.cookies)
        if not ours.body:  # 304, 204, or the answer to a HEAD
            return
        assert ours.shown == plain.shown
        assert ours.headers.get("content-type") == plain.headers.get("content-type")
        assert reference.is_acceptable(self.coding(ours), sent.get("accept-encoding"))
        if self.view.deed == "form":
            assert _does_token_match(ours.token, ours.cookies.get("csrftoken") or cookie(sent, "csrftoken"))
        if not ours.is_hit:
            self.stored[ours.render] = sent, plain
        if ours.render in self.stored:  # else it was answered with a 304, or a HEAD
            self.check_storable(*self.stored[ours.render], sent)

    def check_conditions(self, sent: dict[str, str], plain: Answer, ours: Answer) -> None:
        expected = plain.status == 200 and reference.not_modified(sent, ours.headers)
        if self.view.deed in ("form", "token"):
            expected = False
        if expected is None:
            own = ours.headers.get("etag", "").removeprefix("W/")
            expected = ours.status == 304 and own in sent["if-none-match"]
        assert ours.status == (304 if expected else plain.status)

    def check_storable(self, first: dict[str, str], plain: Answer, sent: dict[str, str]) -> None:
        said = dict(plain.headers)
        if set(plain.cookies) - {"csrftoken", "sessionid"}:  # these are those of whoever is served
            said["set-cookie"] = ""
        if reference.cache_control(own := said.get("dumper-cache-control", "")):  # RFC 9213 §2.2
            said["cache-control"] = own
            said.pop("expires", None)
        elif own:
            return  # malformed, and nobody knows what is meant
        assert not reference.must_not_store(first, plain.status, said)
        assert reference.lifetime(said, time.time()) != 0
        assert reference.is_selected(self.vary(), first, sent)

    def vary(self) -> str:
        """What the view says in Vary, but for what it shows, or is chosen anew for whoever is served."""
        answered = {"accept-language"}
        if "Content-Encoding" not in self.view.headers:
            answered.add("accept-encoding")
        if self.view.deed == "form" or any("cookie" in read.lower() or "session" in read for read in self.view.reads):
            answered.add("cookie")
        return ",".join(name for name in reference.vary(self.view.headers.get("Vary", "")) if name not in answered)

    def coding(self, ours: Answer) -> str:
        own = "Content-Encoding" in self.view.headers
        return "identity" if own else ours.headers.get("content-encoding", "identity")


def a_session() -> str:
    """The cookie of a session in which something is."""
    store = SessionStore()
    store["a"] = 1
    store.save()
    return str(store.session_key)


def without(headers: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


def cookie(sent: dict[str, str], name: str) -> str:
    return parse_cookie(sent.get("cookie", ""))[name]


@often
@given(st.builds(View, reads=reads, deed=deeds), requests(readers, servers, most=4))
def test_nobody_is_shown_what_was_read_of_another(site, view, asked):
    visit_all(site, view, asked)


@often
@given(st.builds(View, headers=answers, deed=deeds), requests(st.just({}) | readers | strangers))
def test_what_must_not_be_stored_is_not(site, view, asked):
    visit_all(site, view, asked)


@often
@given(st.builds(View, headers=validators, deed=deeds, length=st.sampled_from([0, 500])), requests(conditions, most=3))
def test_who_has_a_page_is_told_so_exactly_as_the_rfc_says(site, view, asked):
    visit_all(site, view, asked)


@often
@given(anything, requests(anybody, servers))
def test_nothing_is_different_whatever_comes(site, view, asked):
    visit_all(site, view, asked)


def visit_all(site, view, asked):
    visits = Visits(site, view)
    for given_fields, server in asked:
        visits.visit(given_fields, server)
