"""Measures refreshes: their rate, and how many rows and bytes they leave in the database."""

import sqlite3
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import server, wrk

EMAIL = "refresher@load.example"


class RefreshServer(server.ApiServer):
    """An api-server with weak hashing, because every measurement begins with many logins."""

    def __init__(self, binary, url, folder):
        super().__init__(binary, url, folder, BCRYPT_COST="4", ALLOW_WEAK_HASHING="true")
        self.database = url
        self.register(EMAIL)

    def log_in(self):
        credentials = {"email": EMAIL, "password": server.PASSWORD}
        return self.expect(200, "POST", "/api/auth/login", credentials)["refresh_token"]

    def refresh(self, seconds, connections, sessions):
        """Logs in that many sessions and measures their refreshes with wrk."""
        with ThreadPoolExecutor(4) as pool, tempfile.NamedTemporaryFile("w") as tokens:
            tokens.writelines(f"{token}\n" for token in pool.map(lambda _: self.log_in(), range(sessions)))
            tokens.flush()
            return wrk.drive(self.url("/api/auth/refresh"), seconds, connections, method="POST",
                             refresh_tokens=tokens.name)

    def rows(self):
        """The number of rows in the table of sessions."""
        query = "SELECT count(*) FROM sessions"
        if path := sqlite_file(self.database):
            return sqlite3.connect(path).execute(query).fetchone()[0]
        return int(psql(self.database, query))

    def size(self):
        """MiB on disk: on SQLite the database file with its log, on PostgreSQL the table with its indexes."""
        if path := sqlite_file(self.database):
            return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")) / (1 << 20)
        return int(psql(self.database, "SELECT pg_total_relation_size('sessions')")) / (1 << 20)


def sqlite_file(url):
    return Path(url.removeprefix("sqlite://")) if url.startswith("sqlite://") else None


def psql(url, query):
    return subprocess.run(["psql", "--no-psqlrc", "--tuples-only", "--no-align", f"--dbname={url}",
                           f"--command={query}"], stdout=subprocess.PIPE, text=True, check=True).stdout


def endure(refreshing, seconds, connections, sessions):
    """Returns wrk's figures, the number of rows before and after, and the size in MiB once per second."""
    before, sizes = refreshing.rows(), []
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(refreshing.refresh, seconds, connections, sessions)
        while not running.done():
            sizes.append(refreshing.size())
            time.sleep(1)
    return running.result(), before, refreshing.rows(), sizes
