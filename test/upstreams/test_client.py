"""One connection that is kept alive, always a time-out, and an error where there is no honest answer."""

import time

import pytest

from dumper.upstreams.base import UpstreamError
from dumper.upstreams.client import MOST_BYTES, Client
from dumper.upstreams.options import Misconfigured
from test.upstreams.peers import DROP, HANG, OK, Peer, Reply, answer


@pytest.fixture
def peer():
    with Peer() as peer:
        yield peer


@pytest.fixture
def client():
    """Makes clients, and closes them in the end."""
    made = []

    def client(peer, timeout=5.0, path="", **headers):
        made.append(Client(peer.url + path, timeout, headers))
        return made[-1]

    yield client
    for one in made:
        one.close()


def test_a_connection_is_kept_alive(peer, client):
    asking = client(peer)
    assert [asking.send("PURGE", f"/{number}").status for number in range(5)] == [200] * 5
    assert peer.targets == ["/0", "/1", "/2", "/3", "/4"]
    assert peer.connections == 1


def test_an_answer_has_its_status_its_fields_in_lower_case_and_its_body(client):
    with Peer(answer(404, b"nothing", X_Some="Thing")) as peer:
        found = client(peer).send("GET", "/")
    assert (found.status, found.headers["x-some"], found.body) == (404, "Thing", b"nothing")


@pytest.mark.parametrize(
    "target", ["/a/../b", "/%2e%2E/", "//x", "/%c3%C3", "/a?b?c", "*", "/~:@!$&'()*+,;=", "/a%20b"]
)
def test_a_target_is_sent_as_it_is_below_the_path_of_the_location(peer, target, client):
    client(peer).send("PURGE", target)
    client(peer, path="/api/").send("PURGE", target)
    assert peer.targets == [target, "/api" + target]


def test_host_is_that_of_the_location_unless_another_is_given(peer, client):
    asking = client(peer)
    asking.send("PURGE", "/")
    asking.send("PURGE", "/", {"Host": "www.example.com"})
    assert [asked["host"] for asked in peer.requests] == [f"127.0.0.1:{peer.port}", "www.example.com"]


def test_the_fields_of_the_settings_come_with_each_request(peer, client):
    asking = client(peer, **{"X-Purge-Token": "secret"})
    asking.send("PURGE", "/", {"X-Other": "a"}, b"body")
    [asked] = peer.requests
    assert (asked["x-purge-token"], asked["x-other"], asked.body) == ("secret", "a", b"body")


CLOSED = [
    ("without a word", answer(closes=True)),
    ("as announced", answer(Connection="close", closes=True)),
    ("at the end of a body of no known length", answer(Content_Length=None, body=b"body", closes=True)),
]


@pytest.mark.parametrize("reply", [row[1] for row in CLOSED], ids=[row[0] for row in CLOSED])
def test_what_was_closed_meanwhile_is_opened_anew(reply, client):
    with Peer(reply, reply) as peer:
        asking = client(peer)
        for _ in range(3):
            assert asking.send("PURGE", "/").status == 200
            time.sleep(0.01)
        assert peer.connections == 3


def test_what_is_dropped_on_a_kept_connection_is_asked_again_just_once(client):
    with Peer(OK, DROP, DROP) as peer:
        asking = client(peer)
        asking.send("PURGE", "/")
        with pytest.raises(UpstreamError, match=r"RemoteDisconnected|Reset"):
            asking.send("PURGE", "/")
        assert len(peer.requests) == 3
        assert asking.send("PURGE", "/").status == 200


def test_what_is_dropped_on_a_new_connection_is_not_asked_again(client):
    with Peer(DROP) as peer:
        with pytest.raises(UpstreamError, match=f"http://127.0.0.1:{peer.port}: "):
            client(peer).send("PURGE", "/")
        assert len(peer.requests) == 1


def test_no_answer_is_an_error_after_the_time_out_and_the_connection_is_given_up(client):
    with Peer(OK, HANG) as peer:
        asking = client(peer, timeout=0.1)
        asking.send("PURGE", "/")
        began = time.monotonic()
        with pytest.raises(UpstreamError, match=r"[Tt]imed? ?out"):
            asking.send("PURGE", "/")
        assert time.monotonic() - began < 2
        assert asking.send("PURGE", "/").status == 200
        assert [asked.connection for asked in peer.requests] == [1, 1, 2]  # it was not asked again by itself


def test_nobody_listening_is_an_error(peer, client):
    peer.__exit__()
    with pytest.raises(UpstreamError, match="ConnectionRefused"):
        client(peer).send("PURGE", "/")


GARBAGE = [
    ("no status line", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ("binary", b"\x00\x01\xff\n\n"),
    ("no status", b"HTTP/1.1 abc\r\n\r\n"),
    ("a status out of range", b"HTTP/1.1 9999 X\r\n\r\n"),
    ("an endless line", b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n"),
    ("too many fields", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n"),
    ("an endless field", b"HTTP/1.1 200 OK\r\na: " + b"x" * 70_000 + b"\r\n\r\n"),
    ("a chunk of no size", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
    ("chunks that end too early", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
    ("fields that end too early", b"HTTP/1.1"),
]


@pytest.mark.parametrize("data", [row[1] for row in GARBAGE], ids=[row[0] for row in GARBAGE])
def test_garbage_is_an_error_on_one_line_and_the_next_request_goes_through(data, client):
    with Peer(Reply(data, closes=True)) as peer:
        asking = client(peer)
        with pytest.raises(UpstreamError) as caught:
            asking.send("PURGE", "/")
        assert str(caught.value).isprintable()
        assert asking.send("PURGE", "/").status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status, client):
    with Peer() as elsewhere, Peer(answer(status, Location=elsewhere.url + "/"), OK) as peer:
        assert client(peer).send("PURGE", "/").status == status
        assert not elsewhere.requests
        assert len(peer.requests) == 1


def chunked(*parts: bytes) -> Reply:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))
    return Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)


def test_a_chunked_answer_is_read_whole_and_the_connection_kept(client):
    with Peer(chunked(b"one ", b"two"), OK) as peer:
        asking = client(peer)
        assert asking.send("PURGE", "/").body == b"one two"
        assert asking.send("PURGE", "/").body == b""
        assert peer.connections == 1


@pytest.mark.parametrize("huge", [answer(body=b"x" * 2_000_000), chunked(*[b"x" * 100_000] * 20)])
def test_of_a_huge_answer_the_beginning_is_read_and_the_connection_given_up(huge, client):
    with Peer(huge, OK) as peer:
        asking = client(peer)
        assert asking.send("PURGE", "/").body == b"x" * MOST_BYTES
        assert asking.send("PURGE", "/").body == b""
        assert peer.connections == 2


def test_an_answer_of_204_has_no_body_and_the_connection_is_kept(client):
    with Peer(answer(204, Content_Length=None), OK) as peer:
        asking = client(peer)
        assert [asking.send("PURGE", "/").status for _ in range(2)] == [204, 200]
        assert peer.connections == 1


@pytest.mark.parametrize("value", ["a\r\nX-Evil: b", "a\nb", "a\rb"])
def test_a_field_with_a_line_break_is_never_sent(peer, value, client):
    with pytest.raises(UpstreamError):
        client(peer).send("PURGE", "/", {"X-Field": value})
    with pytest.raises(Misconfigured, match="cannot be sent: 'X-Field'"):
        client(peer, **{"X-Field": value})
    assert not peer.requests


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "größe"])
def test_a_name_that_is_no_token_is_refused(peer, name, client):
    with pytest.raises(Misconfigured, match="cannot be sent"):
        client(peer, **{name: "a"})


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX-Evil: b", "/\x00", "/\x7f", "/é\u2028"])
def test_a_target_with_blanks_control_characters_or_other_letters_is_never_sent(peer, target, client):
    with pytest.raises(UpstreamError):
        client(peer).send("PURGE", target)
    assert not peer.requests


WRONG = """127.0.0.1:6082 ftp://a http:// https:///a http://a/?b http://a/#b http://user@a http://user:secret@a
http://a:b http://a:99999 http://[::1 http://größe //a http://a\\b http://a,b file:///etc/passwd unix:/run/a""".split()


@pytest.mark.parametrize("location", [*WRONG, "", "http://a b", "http://a\n", "http://a\r\n.b", "\thttp://a"])
def test_a_location_is_an_http_url_with_a_host_and_perhaps_a_path(location):
    with pytest.raises(Misconfigured, match="has a LOCATION that is no URL such as"):
        Client(location, 1, {})


@pytest.mark.parametrize("location", ["http://a", "HTTPS://A.example:8443/api/", "http://[::1]:6082", "http://a:1/b"])
def test_a_good_location_connects_to_nothing_before_it_is_asked(location):
    Client(location, 1, {}).close()
