"""``manage.py dumper_deliver``; --worker is tested with real processes."""

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

import dumper
from dumper.outbox.models import STORE, Delivery, lines_of
from dumper.rules.tags import path_tag
from test.outbox.rows import later, rows

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("pages", "edge", "by_hand"),
]


@pytest.fixture
def run(capsys):
    """Returns what it says, and the exit status."""

    def run(*options):
        status = 0
        try:
            call_command("dumper_deliver", *options)
        except SystemExit as end:
            status = end.code
        return capsys.readouterr().out.splitlines(), status

    return run


def refused(edge):
    return f"UpstreamError: {edge.url} answered 503"


def test_once_delivers_what_is_due_on_all_databases(run, edge):
    dumper.invalidate_paths(["/a/"])
    dumper.invalidate_paths(["/b/"], using="other")
    assert run() == (["Tried 2."], 0)
    assert edge.purged.keys() == {"/a/", "/b/"}
    assert run() == (["Tried 0."], 0)


def test_once_says_what_is_left_and_why(run, edge):
    edge.mood = "refused"
    dumper.invalidate_paths(["/a/"])
    said, status = run()
    assert said == ["Tried 1.", f"default: edge: 1 waiting: {refused(edge)}"]
    assert status == 0


def test_list_delivers_nothing(run, edge):
    dumper.invalidate_paths(["/a/"])
    dumper.invalidate_paths(["/b/"])
    dumper.invalidate_paths(["/c/"], using="other")
    Delivery.objects.create(target=STORE, lines=lines_of({path_tag("/d/")}))
    assert run("--list") == (["default: store: 1 waiting", "default: edge: 2 waiting", "other: edge: 1 waiting"], 0)
    assert not edge.calls


def test_what_was_given_up_on_is_an_exit_status_until_it_is_retried(run, edge):
    edge.mood = "refused"
    dumper.invalidate_paths(["/a/"])
    dumper.invalidate_paths(["/b/"], using="other")
    for using in ("default", "other"):
        later(86_401, using)
    said, status = run()
    assert status == 1
    assert said == ["Tried 2.", *(f"{using}: edge: 1 given up: {refused(edge)}" for using in ("default", "other"))]
    edge.mood = "done"
    assert run()[1] == run("--list")[1] == 1
    assert run("--retry") == (["2 will be tried once more.", "Tried 2."], 0)
    assert rows() == rows("other") == []
    assert edge.purged.keys() == {"/a/", "/b/"}


def test_retry_tries_now_what_waits_because_it_failed(run, edge):
    edge.mood = "refused"
    dumper.invalidate_paths(["/a/"])
    with override_settings(DUMPER_RETRY_DELAY=60):
        run()
    edge.mood = "done"
    assert run() == (["Tried 0.", f"default: edge: 1 waiting: {refused(edge)}"], 0)
    assert run("--retry") == (["1 will be tried once more.", "Tried 1."], 0)
    assert "/a/" in edge.purged


def test_what_is_delivered_and_comes_again_is_told_from_what_waits(run, edge):
    dumper.invalidate_paths(["/a/"])
    dumper.invalidate_paths(["/b/"])
    Delivery.objects.filter(pk=rows()[0].pk).update(done=1)
    assert run("--list") == (["default: edge: 1 waiting, 1 to be repeated"], 0)


def test_without_a_table_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr("dumper.outbox.management.commands.dumper_deliver.databases", list)
    with pytest.raises(CommandError, match="run manage"):
        call_command("dumper_deliver")


NONSENSE = [("--list", "--retry"), ("--worker", "--list"), ("--interval", "soon"), ("--interval", "0")]


@pytest.mark.parametrize("options", NONSENSE)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(CommandError):
        call_command("dumper_deliver", *options)
