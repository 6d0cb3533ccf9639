"""The outbox in the admin, as an administrator sees it."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.urls import reverse

import dumper
from dumper.outbox.models import STORE, Delivery, lines_of
from dumper.rules.tags import path_tag
from test.outbox.rows import rows

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge", "by_hand"),
    pytest.mark.urls("test.outbox.urls"),
]
LIST = "/admin/dumper_outbox/delivery/"


@pytest.fixture(autouse=True)
def ignored():
    with override_settings(DUMPER_PATH_IGNORE_REGEX="^/admin/"):
        yield


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client():
    return client_of(User.objects.create_superuser("admin"))


@pytest.fixture
def dead():
    dumper.invalidate_paths(["/a/", "/b/", "/c/"])
    Delivery.objects.update(is_dead=True, error="UpstreamError: <gone>", attempts=7)
    return rows()[0]


def test_the_list_shows_what_waits_and_what_was_given_up_on(client, dead):
    Delivery.objects.create(target=STORE, lines=lines_of({path_tag("/<script>/")}))
    page = client.get(LIST).content.decode()
    for shown in ("path:/a/ and 2 more", "UpstreamError: &lt;gone&gt;", ">store<", ">edge<", "path:/%3Cscript%3E/"):
        assert shown in page
    assert "<script>/" not in page
    assert client.get(LIST, {"is_dead__exact": "0"}).content.decode().count("UpstreamError") == 0


def test_nobody_adds_or_changes_rows_by_hand(client, dead):
    assert client.get(f"{LIST}add/").status_code == 403
    url = reverse("admin:dumper_outbox_delivery_change", args=[dead.pk])
    assert 'name="target"' not in client.get(url).content.decode()
    client.post(url, {"target": "elsewhere", "lines": "path:/x/"})
    assert (rows()[0].target, rows()[0].lines) == (dead.target, dead.lines)


def act(client, row):
    return client.post(LIST, {"action": "deliver_again", "_selected_action": [row.pk]}, follow=True)


def test_what_was_given_up_on_is_delivered_once_more_when_somebody_says_so(client, dead):
    assert "1 will be delivered once more." in act(client, dead).content.decode()
    (row,) = rows()
    assert (row.is_dead, row.attempts) == (False, 0)
    assert "0 will be delivered once more." in act(client, dead).content.decode()


def test_who_may_only_look_may_not_do_that(dead):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client = client_of(user)
    assert client.get(LIST).status_code == 200
    act(client, dead)
    assert rows()[0].is_dead
