import pymysql
import pytest
from django.db.utils import ConnectionHandler

from test.mariadb import MariaDBServer
from test.servers import HOST, family, processes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server():
    with MariaDBServer() as server:
        yield server


@pytest.fixture
def database(server, django_db_blocker):
    """Django's connection to a database of its own."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE DATABASE own")
    handler = ConnectionHandler({"default": server.settings("own")})
    with django_db_blocker.unblock():
        yield handler["default"]
        handler.close_all()


def rows(server, sql):
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_it_answers_until_it_is_stopped_and_leaves_nothing_behind():
    with MariaDBServer() as server:
        assert server.answers()
        members = family(server.process.pid)
    assert not members & processes().keys()
    assert not server.directory.exists()


@pytest.mark.parametrize("kill", [False, True])
def test_what_was_committed_is_there_after_a_restart(kill):
    with MariaDBServer() as server:
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE own")
            cursor.execute("CREATE TABLE own.kept AS SELECT 1 AS number")
            connection.commit()
        server.stop(kill=kill)
        with pytest.raises(pymysql.OperationalError):
            server.connect()
        server.start()
        assert rows(server, "SELECT number FROM own.kept") == ((1,),)


def test_django_speaks_to_it(server, database):
    assert (database.vendor, database.mysql_is_mariadb) == ("mysql", True)
    assert database.settings_dict["HOST"] == HOST
    with database.cursor() as cursor:
        cursor.execute("SELECT %s", ["café ☕"])
        assert cursor.fetchone() == ("café ☕",)


@pytest.mark.parametrize(("end", "seen"), [("commit", 1), ("rollback", 0)])
def test_others_see_what_was_committed_and_nothing_else(server, database, end, seen):
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (number int)")
        database.set_autocommit(False)
        cursor.execute("INSERT INTO kept VALUES (1)")
        assert rows(server, "SELECT count(*) FROM own.kept") == ((0,),)
        getattr(database, end)()
        assert rows(server, "SELECT count(*) FROM own.kept") == ((seen,),)
