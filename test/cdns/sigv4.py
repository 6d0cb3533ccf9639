"""AWS Signature Version 4, as its receiver checks it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re

from test.cdns.base import Call

ALGORITHM = "AWS4-HMAC-SHA256"
AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<key>\w+)/"
    r"(?P<scope>(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>\w+)/aws4_request), "
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def refusal(call: Call, key: str, secret: str, service: str) -> str | None:
    """The error code with which AWS refuses the call, if it does."""
    found = AUTHORIZATION.fullmatch(call.headers["Authorization"] or "")
    if found is None:
        return "MissingAuthenticationToken"
    if found["key"] != key:
        return "InvalidClientTokenId"
    signed = found["headers"].split(";")
    date = call.headers["X-Amz-Date"] or ""
    complete = {"host", "x-amz-date"} <= set(signed) and date.startswith(found["day"]) and found["service"] == service
    if not complete or not hmac.compare_digest(_signature(call, found, signed, date, secret), found["signature"]):
        return "SignatureDoesNotMatch"
    return None


def _signature(call: Call, found: re.Match[str], signed: list[str], date: str, secret: str) -> str:
    path, _, query = call.target.partition("?")
    fields = [f"{name}:{' '.join((call.headers[name] or '').split())}" for name in signed]
    request = "\n".join([call.method, path, query, *fields, "", found["headers"], _digest(call.body)])
    signing_key = f"AWS4{secret}".encode()
    for part in found["scope"].split("/"):
        signing_key = _hmac(signing_key, part)
    return _hmac(signing_key, "\n".join([ALGORITHM, date, found["scope"], _digest(request.encode())])).hex()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
