"""Whatever a path holds: an upstream is asked at the address in the settings, and for pages of this site alone."""

import re
import socket
import ssl
import subprocess
import time

import pytest

import dumper
from dumper.rules.tags import SITE, named_tag
from dumper.upstreams import find
from dumper.upstreams.base import Config, UpstreamError
from dumper.upstreams.client import Client
from dumper.upstreams.dispatch import courier
from dumper.upstreams.http import Http
from test.servers import HOST, program
from test.upstreams.helpers import HOSTS, HTTP, VARNISH, messages, paths, until, upstreams
from test.upstreams.peers import HANG, Peer, answer

BACKENDS = {
    "http": (HTTP, {}),
    "varnish-xkey": (VARNISH, {}),
    "varnish-ban": (VARNISH, {"method": "ban"}),
    "varnish-purge": (VARNISH, {"method": "purge"}),
    "fastly": ("dumper.upstreams.fastly.Fastly", {"service": "a/../b", "token": "secret"}),
    "cloudflare": ("dumper.upstreams.cloudflare.Cloudflare", {"zone": "a?b", "token": "secret"}),
    "bunny": ("dumper.upstreams.bunny.Bunny", {"zone": "a#b", "token": "secret"}),
    "cloudfront": ("dumper.upstreams.cloudfront.CloudFront", {"distribution": "E1"}),
}
HOSTILE = [
    ".evil.example/x",
    "@evil.example/x",
    ":secret@evil.example/x",
    "//evil.example/x",
    "///evil.example/x",
    "/\\evil.example/x",
    "\\\\evil.example\\x",
    "http://evil.example/x",
    "http://user:secret@evil.example:1/x",
    "http://www.example.com@evil.example/x",
    "http:/evil.example/x",
    "HTTP://evil.example",
    "\t//evil.example/x",
    " //evil.example/x",
    "/\t/evil.example/x",
    "/\r\n/evil.example/x",
    "/a HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /b",
    "/a\r\nX-Evil: yes",
    "/a\nX-Evil: yes",
    "/a%0d%0aX-Evil: yes",
    "/a\x00b",
    "/a%00b",
    "/a\x7fb\x85c\u2028d",
    "/../../etc/passwd",
    "/%2e%2e/x",
    "/%2E/x",
    "/a/%2e%2e%2fx",
    "/a/..;/x",
    "/a%2fb",
    "/%",
    "/%zz",
    "/%c3",
    "/%ff%fe",
    "/%u0041",
    "/%252e%252e/x",
    "/a?b#c",
    "/*",
    "/a*",
    "/" + "a" * 100_000,
    "/" + "é" * 5000,
    "/\ud800",
    "/.*|.*",
    '/" || true || obj.http.x ~ "',
    "/<script>",
    "/{a}${b}`c`",
]
TARGET = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})*)+")


@pytest.fixture(params=BACKENDS)
def entry(request, monkeypatch, tmp_path):
    """What describes an upstream, but for its location."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    backend, options = BACKENDS[request.param]
    return {"BACKEND": backend, "HOSTS": HOSTS, "TIMEOUT": 5.0, "OPTIONS": {"again_after": None, **options}}


@pytest.fixture
def looked_up(monkeypatch):
    """The hosts that this process looks up, to connect to them."""
    found = set()
    real = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        found.add(host)
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return found


@pytest.mark.django_db(transaction=True)
def test_a_hostile_path_is_refused_or_is_a_page_of_this_site(entry, looked_up, caplog):
    agreed = answer(200, b'{"success": true}')
    with Peer(then=agreed) as peer, upstreams(edge={**entry, "LOCATION": peer.url}):
        for path in HOSTILE:
            dumper.invalidate_paths([path])
        dumper.invalidate_paths(["/ok/"])
        until(lambda: peer.requests)
        until(lambda: not len(courier("edge").memory) or caplog.records)
    assert looked_up == {HOST}
    for asked in peer.requests:
        assert asked.method in ("PURGE", "PURGEKEYS", "BANKEYS", "POST")
        assert TARGET.fullmatch(asked.target), asked.target
        assert not {"", ".", ".."} & set(asked.target.split("/")[1:-1]), asked.target
        assert "evil" not in asked["host"]
        assert not any("evil" in name for name, _ in asked.fields)
        assert asked["host"] in (*HOSTS, f"{HOST}:{peer.port}")
        if asked.method == "PURGE":
            assert asked["host"] == HOSTS[0]
            assert asked.body == b""


@pytest.mark.django_db(transaction=True)
def test_hostile_paths_keep_no_good_one_from_being_purged():
    with Peer() as peer, upstreams(edge={"BACKEND": HTTP, "LOCATION": peer.url, "HOSTS": HOSTS}):
        dumper.invalidate_paths([*HOSTILE, "/ok/", "/café/"])
        until(lambda: {"/ok/", "/caf%C3%A9/"} <= set(peer.targets))


# Of 303, on which urllib3 leaves a socket open, test_client.py knows.
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed_and_none_confirms_a_purge(entry, status):
    with (
        Peer() as elsewhere,
        Peer(then=answer(status, b"moved", Location=f"{elsewhere.url}/x")) as peer,
        upstreams(edge={**entry, "LOCATION": peer.url}),
    ):
        with pytest.raises(UpstreamError):
            find("edge").purge({*paths("/a/"), named_tag("a")}, "reference")
        find("edge").close()
        assert peer.requests
        assert not elsewhere.connections


def test_there_is_always_a_time_out(entry):
    with Peer(then=HANG) as peer, upstreams(edge={**entry, "LOCATION": peer.url, "TIMEOUT": 0.2}):
        began = time.monotonic()
        with pytest.raises(UpstreamError, match=r"(?i)time"):
            find("edge").purge(paths("/a/"), "reference")
        assert time.monotonic() - began < 4
        find("edge").close()
        assert len(peer.requests) == 1


def test_no_secret_gets_into_the_log(caplog):
    entry = {"BACKEND": "dumper.upstreams.fastly.Fastly", "HEADERS": {"X-Token": "hush"}}
    with Peer(then=answer(403)) as peer:
        described = {**entry, "LOCATION": peer.url, "OPTIONS": {"service": "a", "token": "hush"}}
        with upstreams(edge=described):
            courier("edge").put({SITE})
            until(lambda: messages(caplog))
    assert "hush" not in caplog.text


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch):
    with Peer() as proxy, Peer() as peer:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        upstream = Http(Config(name="edge", locations=[peer.url], hosts=HOSTS))
        upstream.purge(paths("/a/"), "reference")
        upstream.close()
        assert peer.targets == ["/a/"]
        assert not proxy.connections


class SecurePeer(Peer):
    """Speaks TLS, with a certificate of its own making for the loopback address."""

    def __init__(self, directory) -> None:
        super().__init__()
        self.certificate, key = directory / "certificate.pem", directory / "key.pem"
        command = [program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        subject = ["-subj", "/CN=test", "-addext", f"subjectAltName=IP:{HOST}"]
        files = ["-keyout", str(key), "-out", str(self.certificate)]
        subprocess.run([*command, *subject, *files], check=True, capture_output=True)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")

    def _serve(self, connection, number) -> None:
        try:
            secure = self._context.wrap_socket(connection, server_side=True)
        except OSError:  # the client has hung up
            connection.close()
            return
        super()._serve(secure, number)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path, monkeypatch):
    with SecurePeer(tmp_path) as peer:
        client = Client(peer.url, 5, {"X-Token": "secret"})
        with pytest.raises(UpstreamError, match="CERTIFICATE_VERIFY_FAILED"):
            client.send("PURGE", "/")
        assert not peer.requests
        monkeypatch.setenv("SSL_CERT_FILE", str(peer.certificate))
        trusting = Client(peer.url, 5, {})
        assert [trusting.send("PURGE", "/").status for _ in range(2)] == [200, 200]
        trusting.close()
        assert {asked.connection for asked in peer.requests} == {2}
