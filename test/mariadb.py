"""MariaDB for the tests; Django speaks to it through PyMySQL, which needs no compiler, as mysqlclient does.

with MariaDBServer() as server:
    DATABASES = {"default": server.settings("dumper")}
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from test.edges import daemon
from test.servers import HOST, Server


class MariaDBServer(Server):
    """Trusts root of this machine, which has no password, and never waits for the disk."""

    def __init__(self) -> None:
        super().__init__()
        self.data = self.directory / "data"
        if os.geteuid() == 0:  # MariaDB refuses to run as root
            self.user = "nobody"

    @property
    def url(self) -> str:
        return f"mysql://root@{self.address}/mysql"

    def settings(self, name: str) -> dict[str, object]:
        """An entry of ``DATABASES``."""
        import pymysql

        pymysql.install_as_MySQLdb()
        place = {"NAME": name, "USER": "root", "PASSWORD": "", "HOST": HOST, "PORT": self.port}
        return {"ENGINE": "django.db.backends.mysql", **place}

    def connect(self, **options: object):
        import pymysql

        return pymysql.connect(host=HOST, port=self.port, user="root", connect_timeout=5, **options)

    def start(self) -> None:
        if not self.data.exists():
            self._initialise()
        super().start()

    def _initialise(self) -> None:
        install = daemon("mariadb-install-db", "mariadb-server")
        if self.user:
            shutil.chown(self.directory, self.user)
        plain = "--no-defaults --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve"
        subprocess.run(
            [install, *plain.split(), *self.quick(), f"--datadir={self.data}"],
            cwd=self.directory,
            user=self.user,
            check=True,
            capture_output=True,
        )

    def quick(self) -> Sequence[str]:
        return (
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--innodb-doublewrite=0",
            "--innodb-log-file-size=16M",
            "--skip-log-bin",
        )

    def command(self) -> Sequence[str]:
        return [
            daemon("mariadbd", "mariadb-server"),
            "--no-defaults",
            f"--datadir={self.data}",
            f"--bind-address={HOST}",
            f"--port={self.port}",
            f"--socket={self.directory / 'socket'}",
            f"--pid-file={self.directory / 'pid'}",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            *self.quick(),
        ]

    def answers(self) -> bool:
        import pymysql

        try:
            with self.connect() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                return cursor.fetchone() == (1,)
        except pymysql.OperationalError:
            return False
