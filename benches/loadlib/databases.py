"""Creates the databases of the servers, counts their sessions, and measures their size."""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from common import shell
from live import postgres_database

from .report import MIB


@dataclass(frozen=True)
class Database:
    """A database, with the name of its engine."""

    engine: str
    url: str

    @property
    def sqlite_file(self) -> Path:
        return Path(self.url.removeprefix("sqlite://"))

    def count_sessions(self) -> int:
        sql = "SELECT count(*) FROM sessions"
        if self.engine == "SQLite":
            return sqlite3.connect(self.sqlite_file).execute(sql).fetchone()[0]
        return int(shell("query", self.url, sql))

    def size(self) -> float:
        """MiB on disk: on SQLite the database file with its log; on PostgreSQL the table of sessions with its indexes,
        because all databases share one log."""
        if self.engine == "SQLite":
            files = self.sqlite_file.parent.glob(f"{self.sqlite_file.name}*")
            return sum(file.stat().st_size for file in files) / MIB
        return int(shell("query", self.url, "SELECT pg_total_relation_size('sessions')")) / MIB


@contextlib.contextmanager
def new_databases(folder: Path):
    """Yields a list of an empty SQLite database in the folder and an empty PostgreSQL database, which is dropped after
    the block."""
    folder.mkdir(exist_ok=True)
    with postgres_database("load") as url:
        yield [Database("SQLite", f"sqlite://{folder}/auth.db"), Database("PostgreSQL", url)]
