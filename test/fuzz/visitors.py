"""Views and visitors, such that most of what comes is of use, and all that is possible comes now and then."""

from __future__ import annotations

from hypothesis import strategies as st

from test.fuzz import fields
from test.fuzz.site import DEEDS, READS, View

Fields = dict[str, str | None]
NOBODY: st.SearchStrategy[Fields] = st.just({})

#: what a view may say that counts for storing
answers = st.fixed_dictionaries(
    {},
    optional={
        "Cache-Control": fields.often(fields.cache_control),
        "Dumper-Cache-Control": fields.often(fields.cache_control),
        "Vary": fields.often(fields.vary),
        "Expires": fields.often(fields.dates),
        "Pragma": fields.often(st.just("no-cache")),
    },
)
validators = st.fixed_dictionaries(
    {}, optional={"Last-Modified": fields.often(fields.dates), "ETag": st.sampled_from(['"x"', 'W/"x"', "x", '"é"'])}
)
others = st.fixed_dictionaries(
    {},
    optional={
        "Age": fields.often(fields.numbers),
        "Connection": fields.often(st.sampled_from(["close", "Keep-Alive, X-One", "Content-Language"])),
        "Content-Type": st.sampled_from(["text/html", "image/png", "", "é"]),
        "Content-Encoding": st.sampled_from(["gzip", "identity", "é"]),
        "Content-Length": fields.often(fields.numbers),
        "Cache-Status": fields.often(st.sampled_from(["Origin; hit", "dumper; hit"])),
    },
)
reads = st.lists(st.sampled_from(list(READS)), unique=True, min_size=1, max_size=2)
deeds = st.sampled_from(["nothing"] * 4 + ["form"] * 2 + list(DEEDS))

#: of what may be read
readers = st.fixed_dictionaries(
    {
        "Cookie": st.sampled_from([None, "", "a=1", "a=2", "b=1", "1", "sessionid=SESSION", "sessionid=1; a=1"]),
        "X-One": st.sampled_from([None, None, "", "1"]),
        "Accept": st.sampled_from([None, None, "text/html", "application/json"]),
        "Accept-Language": st.sampled_from([None, None, "de", "fr"]),
        "Content-Type": st.sampled_from([None, None, "text/plain"]),
        "X-Forwarded-Port": st.sampled_from([None, None, "1"]),
    }
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "If-None-Match": fields.often(fields.if_none_match),
        "If-Modified-Since": fields.often(fields.dates),
        "Accept-Encoding": st.sampled_from(["gzip", "gzip;q=0"]),
    },
)
#: of what else may be sent
strangers = st.fixed_dictionaries(
    {},
    optional={
        "Host": fields.hosts,
        "Cookie": fields.often(fields.cookie),
        "Accept": fields.often(fields.accept),
        "Accept-Language": fields.often(fields.languages),
        "Accept-Encoding": fields.often(fields.accept_encoding),
        "Cache-Control": st.sampled_from(["no-cache", "no-store", "max-age=0", "only-if-cached"]),
        "Authorization": st.sampled_from(["", "Basic x"]),
        "Content-Type": st.sampled_from(["", "text/plain; charset=latin-1"]),
        "X-Forwarded-Port": st.sampled_from(["", "x"]),
        "Range": st.just("bytes=0-1"),
    },
)
servers = st.fixed_dictionaries(
    {"QUERY_STRING": st.just("") | fields.queries},
    optional={
        "REQUEST_METHOD": st.sampled_from(["GET", "HEAD"]),
        "REMOTE_ADDR": st.sampled_from(["127.0.0.1", "10.0.0.1"]),
        "SERVER_PROTOCOL": st.sampled_from(["HTTP/1.0", "HTTP/1.1"]),
    },
)


def requests(
    visitors: st.SearchStrategy[Fields], servers: st.SearchStrategy[Fields] = NOBODY, most: int = 3
) -> st.SearchStrategy[list[tuple[Fields, Fields]]]:
    """Those of a few visitors: their fields and the variables of the server. Each comes twice."""
    found = st.lists(st.tuples(visitors, servers), min_size=2, max_size=most)
    return found.map(lambda once: once + once)


anything = st.builds(
    View,
    reads=reads,
    headers=st.builds(lambda *parts: parts[0] | parts[1] | parts[2], answers, validators, others),
    deed=deeds,
    status=st.sampled_from([200] * 8 + [404, 500, 204, 301]),
    length=st.sampled_from([0, 500]),
)
anybody = st.builds(lambda *parts: parts[0] | parts[1] | parts[2], readers, conditions, strangers)
