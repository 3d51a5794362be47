"""Refreshes: how many a second, and what many of them leave behind in the database."""

import sqlite3
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import server, wrk

EMAIL = "traveller@load.example"


class RefreshServer(server.ApiServer):
    """Ours, with logins that cost next to nothing, because every measurement begins with many."""

    def __init__(self, binary, url, folder):
        super().__init__(binary, url, folder, BCRYPT_COST="4", ALLOW_WEAK_HASHING="true")
        self.database = url
        self.register(EMAIL)

    def log_in(self):
        person = {"email": EMAIL, "password": server.PASSWORD}
        return self.expect(200, "POST", "/api/auth/login", person)["refresh_token"]

    def refresh(self, seconds, connections, sessions):
        """wrk's figures for refreshes of that many new sessions."""
        with ThreadPoolExecutor(4) as pool, tempfile.NamedTemporaryFile("w") as tokens:
            tokens.writelines(f"{token}\n" for token in pool.map(lambda _: self.log_in(), range(sessions)))
            tokens.flush()
            return wrk.drive(self.url("/api/auth/refresh"), seconds, connections, method="POST",
                             refresh_tokens=tokens.name)

    def rows(self):
        """Rows in the table of sessions."""
        question = "SELECT count(*) FROM sessions"
        if path := sqlite_file(self.database):
            return sqlite3.connect(path).execute(question).fetchone()[0]
        return int(psql(self.database, question))

    def size(self):
        """MiB on disk: the file and its log, or the table with its indexes."""
        if path := sqlite_file(self.database):
            return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")) / (1 << 20)
        return int(psql(self.database, "SELECT pg_total_relation_size('sessions')")) / (1 << 20)


def sqlite_file(url):
    return Path(url.removeprefix("sqlite://")) if url.startswith("sqlite://") else None


def psql(url, question):
    return subprocess.run(["psql", "--no-psqlrc", "--tuples-only", "--no-align", f"--dbname={url}",
                           f"--command={question}"], stdout=subprocess.PIPE, text=True, check=True).stdout


def endure(refreshing, seconds, connections, sessions):
    """wrk's figures, rows before and after, MiB once a second."""
    before, sizes = refreshing.rows(), []
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(refreshing.refresh, seconds, connections, sessions)
        while not running.done():
            sizes.append(refreshing.size())
            time.sleep(1)
    return running.result(), before, refreshing.rows(), sizes
