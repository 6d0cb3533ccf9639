"""Header fields: most of them as people and programs write them, some of them anything that a server lets through."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

#: what a server hands over of bytes that are no control characters, in latin-1
garbage = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20)
blanks = st.sampled_from(["", "", " ", "\t", " \t "])


def often(well_formed: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A field that is ``well_formed``, but now and then has garbage in it, or is nothing else."""
    broken = st.builds(lambda one, other, rest: one + other + rest, well_formed, garbage, well_formed)
    return st.integers(0, 9).flatmap(lambda n: garbage if n == 0 else broken if n == 1 else well_formed)


def listed(members: st.SearchStrategy[str], most: int = 4) -> st.SearchStrategy[str]:
    """Members with commas, blanks and nothing between them; some are there twice."""
    spaced = st.builds("{}{}{}".format, blanks, members | st.just(""), blanks)
    return st.lists(spaced, max_size=most).map(",".join)


def in_any_case(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda word, turn: turn(word), words, st.sampled_from([str, str, str.upper, str.title]))


def field(values: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    """A field that is there or not."""
    return st.none() | often(values)


tokens = st.sampled_from("a x-b max-age private no-store public * gzip 0".split())
quoted = st.sampled_from(['""', '"a"', '"private, no-store"', r'"\""', r'"a\\"', '"é"', '"5"'])
numbers = st.sampled_from("0 00 1 5 60 0060 99999999999 -1 1.5 x".split())
dates = st.sampled_from(
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:38 GMT",
        "sun, 06 NOV 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:36 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT",
        "Friday, 01-Jan-60 00:00:00 GMT",
        "Fri Jan  1 00:00:00 2100",
        "Fri, 01 Jan 2100 00:00:00 EST",
        "Fri, 01 Jan 2100 00:00:00 CET",
        "Fri, 01 Jan 2100 00:00:00 +0000",
        "Fri, 01 Jan 2100 00:00:00",
        "Fri, 1 Jan 2100 00:00:00 GMT",
        "Fri, 32 Jan 2100 00:00:00 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT, Fri, 01 Jan 2100 00:00:00 GMT",
        "01 Jan 2100 00:00 GMT",
        "2100-01-01T00:00:00Z",
        "0",
        "-1",
        "",
    ]
)
refusals = in_any_case(st.sampled_from("private no-store no-cache".split()))
permissions = in_any_case(st.sampled_from("public must-revalidate s-maxage=60 max-age=60".split()))
lifetimes = st.builds("{}={}".format, in_any_case(st.sampled_from(["s-maxage", "max-age"])), numbers | quoted)
directives = permissions | permissions | lifetimes | st.builds("{}={}".format, tokens | refusals, tokens | quoted)
cache_control = listed(directives) | listed(directives | refusals | tokens)

header_names = st.sampled_from(
    "Accept accept-language ACCEPT-ENCODING Cookie X-One Host User-Agent Content-Type".split()
)
vary = listed(header_names, 2) | listed(header_names | st.sampled_from(["*", "a b", "é", "X_One"]), 2)

weights = st.sampled_from(["", "", ";q=1", ";q=0", "; q=0.5", ";Q=0.001", ";q=1.000", ";q=0.", ";q=2", ";q=x", ";q="])
codings = st.builds("{}{}".format, st.sampled_from("gzip br zstd identity * x-gzip deflate GZIP".split()), weights)
accept_encoding = listed(codings)
accept = listed(st.builds("{}{}".format, st.sampled_from(["text/html", "*/*", "application/json", "text"]), weights))
languages = listed(st.builds("{}{}".format, st.sampled_from(["de", "en", "en-GB", "*", "fr"]), weights))

tags = st.sampled_from(['"x"', 'W/"x"', '"y"', '""', '"é"', '"a,b"', '"W/"', "ETAG", "W/ETAG"])
#: ETAG stands for the entity tag of the page
if_none_match = listed(tags) | listed(tags) | st.sampled_from(["*", "*", " *", '*, "x"', '"x', 'w/"x"', '"x" "y"', "x"])

pairs = st.builds(
    "{}={}".format, st.sampled_from("a b sessionid csrftoken django_language".split()), st.sampled_from("12é")
)
cookie = st.lists(
    pairs | st.sampled_from(["", "a", "=", "a=", "=1", '"', "sessionid=", "csrftoken=x"]), max_size=3
).map("; ".join)
hosts = st.sampled_from(
    ["testserver", "TESTSERVER", "localhost", "testserver:80", "testserver:81", "evil.test", "", "é"]
)
queries = st.lists(
    st.sampled_from(
        ["a=1", "a=2", "a", "b=1", "utm=1", "a=%C3%A9", "a=%ff", "%61=1", "a=é", "", "=", "a+b", "a=1;b=2"]
    ),
    max_size=5,
).map("&".join)


def environ_of(fields: dict[str, str | None]) -> dict[str, Any]:
    """Header fields, by the names that CGI has for them; None for one that is absent."""
    names = {name: "HTTP_" + name.upper().replace("-", "_") for name in fields}
    plain = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
    return {plain.get(name.lower(), names[name]): value for name, value in fields.items() if value is not None}
