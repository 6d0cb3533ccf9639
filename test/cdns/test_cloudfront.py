"""The fake of CloudFront, with boto3 as its client."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from test.cdns.cloudfront import XMLNS, CloudFront

HOST = "www.example.com"


def client(cdn: CloudFront, secret_key: str | None = None, access_key: str | None = None):
    return boto3.client(
        "cloudfront",
        endpoint_url=cdn.url,
        region_name="eu-central-1",
        aws_access_key_id=access_key or cdn.access_key,
        aws_secret_access_key=secret_key or cdn.secret_key,
        # boto3 would otherwise try again by itself, and look for proxies.
        config=Config(retries={"total_max_attempts": 1}, read_timeout=0.5, proxies={}),
    )


def invalidate(cdn: CloudFront, *paths: str, reference: str = "1", quantity: int | None = None, **options: str):
    batch = {
        "Paths": {"Quantity": len(paths) if quantity is None else quantity, "Items": list(paths)},
        "CallerReference": reference,
    }
    distribution = options.pop("distribution", cdn.distribution)
    connected = client(cdn, **options)
    try:
        return connected.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
    finally:
        connected.close()


def refusal(cdn: CloudFront, *paths: str, **options) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        invalidate(cdn, *paths, **options)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.fixture
def cdn():
    with CloudFront() as cdn:
        cdn.keep(HOST, "/a")
        yield cdn


def test_an_invalidation_takes_its_time_and_spares_what_is_fetched_meanwhile(cdn):
    cdn.keep(HOST, "/b")
    made = invalidate(cdn, "/a", "/b")
    assert made["Invalidation"]["Status"] == "InProgress"
    assert made["Invalidation"]["InvalidationBatch"]["Paths"] == {"Quantity": 2, "Items": ["/a", "/b"]}
    assert made["Location"].endswith(f"/{cdn.distribution}/invalidation/{made['Invalidation']['Id']}")
    cdn.clock.advance(29)
    assert cdn.holds(HOST, "/a")
    cdn.keep(HOST, "/b", body=b"new")
    cdn.clock.advance(1)
    assert not cdn.holds(HOST, "/a")
    assert cdn.page(HOST, "/b").body == b"new"
    assert invalidate(cdn, "/a", "/b")["Invalidation"]["Status"] == "Completed"


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        ("/x", "/x"),
        ("/x*", "/x /x/ /x/y /x?q=1&r"),
        ("/x/*", "/x/ /x/y"),
        ("/x?q=1&r", "/x?q=1&r"),
        ("/X", ""),
        ("/%78", ""),
        ("/*/y", ""),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/caf%c3%a9", ""),
        ("/%7Ebob", "/~bob"),
        ("/*", "/x /x/ /x/y /x?q=1&r /caf%C3%A9 /~bob"),
    ],
)
def test_a_path_stands_for_one_target_and_a_wildcard_at_its_end_for_many(path, gone):
    targets = ["/x", "/x/", "/x/y", "/x?q=1&r", "/caf%C3%A9", "/~bob"]
    with CloudFront(seconds=0) as cdn:
        for target in targets:
            cdn.keep(HOST, target)
            cdn.keep("example.com", target)  # paths know no hosts
        invalidate(cdn, path)
        assert " ".join(target for target in targets if not cdn.holds(HOST, target)) == gone
        assert all(cdn.holds(HOST, target) == cdn.holds("example.com", target) for target in targets)


@pytest.mark.parametrize(
    "path", ["x", "", "/" + "x" * 4000, "/é", "/a b", "/%", "/%zz", "/<", "/~bob", "/a#b", "#", "#a,b"]
)
def test_a_path_that_is_not_encoded_is_refused(cdn, path):
    assert refusal(cdn, "/a", path) == (400, "InvalidArgument")
    assert not cdn.invalidations


def test_a_reference_used_again_makes_no_second_invalidation(cdn):
    first = invalidate(cdn, "/a", "/b")["Invalidation"]
    cdn.clock.advance(60)
    cdn.keep(HOST, "/a")
    again = invalidate(cdn, "/a", "/b")["Invalidation"]
    assert again["Id"] == first["Id"]
    assert again["CreateTime"] == first["CreateTime"]
    cdn.clock.advance(60)
    assert cdn.holds(HOST, "/a")
    assert refusal(cdn, "/a") == (400, "InvalidationBatchAlreadyExists")
    assert refusal(cdn, "/b", "/a") == (400, "InvalidationBatchAlreadyExists")
    assert invalidate(cdn, "/a", "/b", reference="2")["Invalidation"]["Id"] != first["Id"]


@pytest.mark.parametrize(("suffix", "limit"), [("", 3000), ("*", 15)])
def test_the_paths_in_progress_are_limited_and_those_with_wildcards_apart(cdn, suffix, limit):
    paths = [f"/{number}{suffix}" for number in range(limit)]
    assert refusal(cdn, *paths, f"/a{suffix}") == (400, "TooManyInvalidationsInProgress")
    invalidate(cdn, *paths[:-1])
    cdn.clock.advance(10)
    assert refusal(cdn, *paths[:2], reference="2") == (400, "TooManyInvalidationsInProgress")
    invalidate(cdn, paths[0], reference="3")
    invalidate(cdn, "/x" if suffix else "/x*", reference="4")
    assert invalidate(cdn, *paths[:-1])["Invalidation"]["Status"] == "InProgress"
    cdn.clock.advance(20)
    invalidate(cdn, *paths[:-1], reference="5")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"secret_key": "wrong"}, (403, "SignatureDoesNotMatch")),
        ({"access_key": "WRONG"}, (403, "InvalidClientTokenId")),
        ({"distribution": "ANOTHER"}, (404, "NoSuchDistribution")),
        ({"quantity": 2}, (400, "InconsistentQuantities")),
        ({"reference": ""}, (400, "InvalidArgument")),
    ],
)
def test_what_is_wrong_is_refused(cdn, options, code):
    assert refusal(cdn, "/a", **options) == code
    assert not cdn.invalidations


def test_an_unsigned_request_is_refused(cdn):
    connection = http.client.HTTPConnection(urlsplit(cdn.url).netloc, timeout=5)
    body = f'<InvalidationBatch xmlns="{XMLNS}"><CallerReference>1</CallerReference></InvalidationBatch>'
    connection.request("POST", f"/2020-05-31/distribution/{cdn.distribution}/invalidation", body)
    response = connection.getresponse()
    assert (response.status, b"MissingAuthenticationToken" in response.read()) == (403, True)
    connection.close()


@pytest.mark.parametrize(("with_tags", "gone"), [(True, "/a /b"), (False, "")])
def test_tags_count_where_the_distribution_has_them(with_tags, gone):
    with CloudFront(with_tags=with_tags, seconds=0) as cdn:
        cdn.keep(HOST, "/a", "x, Ice-Cream")
        cdn.keep(HOST, "/b", ",".join([*map(str, range(49)), "ice-cream"]))
        cdn.keep(HOST, "/c", ",".join([*map(str, range(50)), "ice-cream"]))
        invalidate(cdn, "#ICE-cream")
        assert " ".join(target for target in ("/a", "/b", "/c") if not cdn.holds(HOST, target)) == gone


@pytest.mark.parametrize(
    ("kind", "code"),
    [(429, (400, "Throttling")), (500, (500, "InternalError")), (503, (503, "ServiceUnavailable"))],
)
def test_a_status_is_told_in_aws_own_way(cdn, kind, code):
    cdn.fail_next(kind)
    assert refusal(cdn, "/a") == code
    assert not cdn.invalidations
    invalidate(cdn, "/a")


@pytest.mark.parametrize(
    ("kind", "error", "done"),
    [
        ("timeout", ReadTimeoutError, False),
        ("drop", ConnectionClosedError, False),
        ("lost", ConnectionClosedError, True),
    ],
)
def test_no_answer_comes(cdn, kind, error, done):
    cdn.fail_next(kind)
    with pytest.raises(error):
        invalidate(cdn, "/a")
    assert bool(cdn.invalidations) is done
    invalidate(cdn, "/a")
    assert len(cdn.invalidations) == 1


def test_boto3_takes_garbage_for_an_answer_that_says_nothing(cdn):
    cdn.fail_next("garbage")
    assert invalidate(cdn, "/a")["Invalidation"] == {}
    assert not cdn.invalidations
