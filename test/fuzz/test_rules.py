"""The rules alone, field by field, against the plain reading of the RFCs."""

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dumper.rules import policy, variants
from dumper.rules.codings import best
from dumper.rules.dimensions import Dimension
from dumper.rules.freshness import lifetime
from dumper.rules.headers import directives, members, qualities
from dumper.rules.validators import is_not_modified, timestamp
from test.fuzz import fields, reference
from test.rules.examples import KEY, a_request, a_response

NOW = 1_700_000_000.0
often = settings(max_examples=300, deadline=None)


def present(**found: str | None) -> dict[str, str]:
    """The fields that are there, by their names in lower case."""
    return {name.replace("_", "-"): value for name, value in found.items() if value is not None}


@often
@given(fields.often(fields.cache_control))
def test_directives_are_those_of_the_grammar(field):
    expected = reference.cache_control(field)
    if expected is not None:
        first = {name: argument or "" for name, argument in reversed(expected)}
        assert directives(field) == first


@often
@given(
    fields.field(fields.cache_control),
    fields.field(fields.vary),
    fields.field(st.just("a=b")),
    fields.field(fields.cache_control),
    fields.field(st.just("Basic x")),
    st.sampled_from([200, 200, 206, 304, 100]),
)
@example("public, PRIVATE", None, None, None, None, 200)
@example(None, "a,\t*", None, None, None, 200)
@example("max-age=60", None, None, None, "Basic x", 200)
def test_what_must_not_be_stored_is_refused(control, vary, cookie, asked_control, authorization, status):
    answered = present(cache_control=control, vary=vary, set_cookie=cookie)
    asked = present(cache_control=asked_control, authorization=authorization)
    refused = policy.refusal(a_request(environ=fields.environ_of(asked)), a_response(answered, status=status), {200})
    assert refused or not reference.must_not_store(asked, status, answered)


@often
@given(fields.field(fields.cache_control), fields.field(fields.vary))
def test_what_is_refused_has_a_reason_in_the_rfcs_or_looks_like_it(control, vary):
    answered = present(cache_control=control, vary=vary)
    refused = policy.refusal(a_request(), a_response(answered), {200})
    text = f"{control} {vary}".lower()
    strange = not all(map(reference.is_token, reference.vary(vary or "")))
    assert not refused or strange or any(word in text for word in ("private", "no-store", "no-cache", "*"))


@often
@given(fields.field(fields.cache_control), fields.field(fields.dates), st.none() | st.just(60.0))
@example("max-age=5, max-age=60", None, None)
@example('s-maxage="5"', "Fri, 01 Jan 2100 00:00:00 GMT", None)
@example(None, "Friday, 01-Jan-60 00:00:00 GMT", None)
def test_a_lifetime_is_that_of_the_rfc(control, expires, default):
    answered = present(cache_control=control, expires=expires)
    found = lifetime(answered, default, NOW)
    assert found is default or 0 <= found <= 2**31
    if reference.cache_control(control or "") is not None:
        expected = reference.lifetime(answered, NOW)
        assert found == (default if expected is None else min(expected, 2**31))


@often
@given(fields.often(fields.dates))
@example("ASunday, 06-Nov-94 08:49:37 GMT")
@example("Xyz, 06 Nov 1994 08:49:37 GMT")
@example("Xyz Nov  6 08:49:37 1994")
def test_a_date_is_one_of_the_three_forms(field):
    assert timestamp(field) == reference.http_date(field)


@often
@given(
    fields.field(fields.if_none_match),
    fields.field(fields.dates),
    st.sampled_from(['"x"', 'W/"x"', '"é"', None]),
    fields.field(fields.dates),
)
@example('"y", W/"x"', None, '"x"', None)
@example('"y"', "Sun, 06 Nov 1994 08:49:37 GMT", '"x"', "Sun, 06 Nov 1994 08:49:37 GMT")
@example(None, "Sun, 06 Nov 1994 08:49:37 GMT", '"x"', "Sunday, 06-Nov-94 08:49:37 GMT")
@example(None, "Sun, 06 Nov 1994 08:49:36 GMT", '"x"', "Sunday, 06-Nov-94 08:49:37 GMT")
def test_a_condition_is_met_exactly_as_the_rfc_says(tags, since, etag, modified):
    answered = present(etag=etag, last_modified=modified)
    asked = present(if_none_match=tags, if_modified_since=since)
    found = is_not_modified(fields.environ_of(asked), answered)
    expected = reference.not_modified(asked, answered)
    if expected is None:  # then at least the tag is there, letter for letter
        assert not found or (etag and etag.removeprefix("W/") in tags)
    elif etag is None and tags is not None:
        assert not found  # "*" too: what has no tag is told by none
    else:
        assert found == expected


@often
@given(st.none() | fields.often(fields.accept_encoding), st.permutations(["zstd", "br", "gzip"]), st.integers(0, 3))
@example("gzip;q=0, *", ["gzip"], 1)
def test_no_coding_is_sent_that_is_not_accepted(field, codings, count):
    stored = ["identity", *codings[:count]]
    assert reference.is_acceptable(best(field, stored), field)


@often
@given(fields.accept_encoding)
def test_a_coding_that_is_accepted_alone_is_used(field):
    accepted = reference.weights(field)
    is_identity_last = accepted is not None and accepted.get("identity", 0.0) == 0
    if is_identity_last and reference.is_acceptable("gzip", field) and "x-gzip" not in accepted:
        assert best(field, ["identity", "gzip"]) == "gzip"


@often
@given(fields.often(fields.accept_encoding))
def test_weights_are_those_of_the_grammar(field):
    expected = reference.weights(field)
    if expected is not None:
        assert qualities(field) == expected


@often
@given(fields.often(fields.vary))
def test_the_names_in_vary_are_those_between_commas(field):
    assert members(field) == [name for name in (name.strip() for name in reference.vary(field)) if name]


visitors = st.fixed_dictionaries(
    {
        "accept": st.sampled_from([None, "", "a", "a,b"]),
        "x-one": st.sampled_from([None, "", "é"]),
        "user-agent": st.sampled_from([None, "a"]),
        "content-type": st.sampled_from([None, "", "text/plain", "application/json"]),
        "cookie": st.sampled_from([None, "", "a=1"]),
        "accept-language": st.sampled_from([None, "de"]),
        "host": st.sampled_from([None, "example.org", "example.org:80"]),
        "accept-encoding": st.sampled_from([None, "gzip"]),
    }
)


@often
@given(fields.vary, visitors, visitors)
@example("content-type", {"content-type": "text/plain"}, {"content-type": "application/json"})
@example("cookie", {"cookie": None}, {"cookie": ""})
def test_requests_share_an_answer_only_if_vary_selects_it(vary, first, other):
    answer = a_response({"Vary": vary, "Content-Encoding": "br"})
    requests = [a_request(environ=fields.environ_of(visitor)) for visitor in (first, other)]
    dimensions: frozenset[Dimension] = policy.dimensions(requests[0], answer)
    if policy.refusal(requests[0], answer, {200}) or any(variants.unshared(dimensions, one) for one in requests):
        return
    assume("host" not in vary.lower())  # that is part of the key
    keys = [variants.variant(KEY, dimensions, request) for request in requests]
    asked = [present(**{name.replace("-", "_"): value for name, value in one.items()}) for one in (first, other)]
    assert (keys[0] == keys[1]) == reference.is_selected(vary.replace("X_One", "X-One"), *asked)
