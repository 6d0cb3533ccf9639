"""Visitors with a real browser each, as a person would use it: headless Chromium, driven over WebDriver."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode, urlsplit

from selenium.webdriver import ChromeOptions, Remote
from selenium.webdriver.common.by import By
from selenium.webdriver.common.proxy import Proxy, ProxyType
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from test.servers import HOST, Server, program

SECONDS = 20
QUIET = """headless no-sandbox disable-gpu disable-quic disable-dev-shm-usage no-first-run no-default-browser-check
    no-proxy-server disable-background-networking disable-component-update disable-sync disable-breakpad
    blink-settings=imagesEnabled=false""".split()

FETCH = """
    const [url, options, done] = arguments;
    fetch(url, options).then(async response => done({
        status: response.status, url: response.url, body: await response.text(),
        headers: Object.fromEntries(response.headers),
    })).catch(error => done({error: String(error)}));
"""
NAVIGATION = "return JSON.stringify(performance.getEntriesByType('navigation')[0])"


class Chromedriver(Server):
    """What starts the browsers, and ends with all of them. It is addressed itself, so that nothing is looked for."""

    def command(self) -> Sequence[str]:
        return program("chromedriver", "chromium-driver"), f"--port={self.port}"

    def environ(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.directory), "TMPDIR": str(self.directory)}

    def answers(self) -> bool:
        request = f"GET /status HTTP/1.1\r\nHost: {self.address}\r\nConnection: close\r\n\r\n"
        return self._ask(request.encode()).startswith(b"HTTP/1.1 200")

    def browser(self, name: str) -> Remote:
        """A browser with a fresh profile, which reaches nothing but this machine."""
        options = ChromeOptions()
        options.binary_location = program("chromium", "chromium")
        for flag in QUIET:
            options.add_argument(f"--{flag}")
        options.add_argument(f"--user-data-dir={self.directory / name}")
        options.add_argument(f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}")
        direct = Proxy({"proxyType": ProxyType.DIRECT})
        config = ClientConfig(f"http://{self.address}", proxy=direct, timeout=2 * SECONDS)
        browser = Remote(f"http://{self.address}", options=options, client_config=config)
        browser.set_page_load_timeout(SECONDS)
        browser.set_script_timeout(SECONDS)
        return browser


@dataclass
class Fetched:
    status: int
    url: str
    body: str
    headers: dict[str, str]

    @property
    def is_hit(self) -> bool:
        return self.headers["cache-status"].startswith("dumper; hit")


class Visitor:
    """One person at one browser."""

    def __init__(self, browser: Remote, site: str) -> None:
        self.browser = browser
        self.site = site

    def open(self, path: str) -> str:
        """Go there; 'hit', or why the cache passed the request on."""
        self.browser.get(self.site + path)
        return self.verdict()

    def verdict(self) -> str:
        """What became of the request for the page that is shown, in the words that the browser was told."""
        (timing,) = self.navigation()["serverTiming"]
        assert timing["name"] == "dumper"
        return timing["description"]

    def navigation(self) -> dict:
        return json.loads(self.browser.execute_script(NAVIGATION))

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.browser.current_url).path)

    def text(self, selector: str = "main") -> str:
        return self.find(selector).text

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def has(self, selector: str) -> bool:
        return bool(self.browser.find_elements(By.CSS_SELECTOR, selector))

    def click(self, selector: str) -> None:
        """Click on what leads to another page, and wait for that."""
        before = self.find("html")
        self.find(selector).click()
        waiting = WebDriverWait(self.browser, SECONDS)
        waiting.until(lambda browser: browser.find_element(By.CSS_SELECTOR, "html") != before)
        waiting.until(lambda browser: browser.execute_script("return document.readyState") == "complete")

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            field = self.find(f"[name={name}]")
            field.clear()
            field.send_keys(value)

    def log_in(self, name: str) -> None:
        self.open("/account/login/")
        self.fill(username=name, password=name)
        self.click("main button")
        assert self.path == "/account/"

    def fetch(self, path: str, **options: object) -> Fetched:
        """A request of the page's own script, with this visitor's cookies."""
        return Fetched(**self.browser.execute_async_script(FETCH, self.site + quote(path, safe="/?=&%"), options))

    def post(self, path: str, *, redirect: str = "follow", **fields: str) -> Fetched:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.fetch(path, method="POST", headers=form, body=urlencode(fields), redirect=redirect)

    def cookie(self, name: str) -> str | None:
        found = self.browser.get_cookie(name)
        return found and found["value"]
