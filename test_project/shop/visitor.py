import re
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from time import perf_counter
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener


@dataclass
class Page:
    url: str
    status: int
    body: str
    etag: str | None
    verdict: str
    ms: float

    @property
    def hit(self):
        return self.verdict == "hit"


class Visitor:
    """A browser of few lines: keeps cookies, follows redirects, fills in forms."""

    def __init__(self, url):
        self.url = url
        # No proxies: the server is next door, whatever the environment says.
        self.opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def get(self, path, data=None, **headers):
        request = Request(urljoin(self.url, path), data, headers)
        start = perf_counter()
        with self.open(request) as response:
            body = response.read().decode()
            ms = (perf_counter() - start) * 1000
            return Page(response.url, response.status, body, response.headers["ETag"], verdict_of(response), ms)

    def open(self, request):
        try:
            return self.opener.open(request, timeout=60)
        except HTTPError as error:
            if error.code == 304:
                return error
            raise

    def submit(self, page, to=None, **changes):
        """Send the form of ``page`` that goes to a path, or back to the page itself."""
        target = urljoin(page.url, to)
        form = next(form for form in FormParser(page.body).forms if urljoin(page.url, form.action) == target)
        fields = form.fields | {name: [value] for name, value in changes.items()}
        return self.get(target, urlencode(fields, doseq=True).encode())


def verdict_of(response):
    timing = response.headers.get("Server-Timing", "")
    described = re.search(r'dumper;desc="([^"]*)"', timing)
    return described[1] if described else "none"


@dataclass
class Form:
    action: str
    fields: dict[str, list[str]]


class FormParser(HTMLParser):
    """Collects what a browser would send: inputs and text areas with their values."""

    def __init__(self, body):
        super().__init__()
        self.forms = []
        self.textarea = None
        self.feed(body)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append(Form(attrs.get("action", ""), {}))
        elif tag == "textarea":
            self.textarea = attrs["name"]
            self.fields[self.textarea] = [""]
        elif tag == "input" and is_sent(attrs):
            self.fields.setdefault(attrs["name"], []).append(attrs.get("value", ""))

    @property
    def fields(self):
        return self.forms[-1].fields

    def handle_data(self, data):
        if self.textarea:
            # The newline right after the tag is markup, not content.
            self.fields[self.textarea] = [data.removeprefix("\n")]

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.textarea = None


def is_sent(attrs):
    if attrs.get("type") in ("checkbox", "radio"):
        return "name" in attrs and "checked" in attrs
    return "name" in attrs and attrs.get("type") not in ("submit", "file", "search")
