"""Measures logouts at three servers on one PostgreSQL whose commits are slow, as with a synchronous standby that is
5 ms away, and the time until all servers reject the tokens."""

import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from common import shell
from live import postgres_database

from . import wrk
from .report import at_least, table, target_cell
from .server import SECRET, ApiServer

SERVERS = 3
CONNECTIONS_PER_SERVER = 32
COMMIT_SECONDS = 0.005
# The least logouts per second of all servers together, and the seconds within which all servers must reject the token
# of an ended session.
TARGET = 2000
LONGEST_DELAY = 2
# The most logouts per second and server for which there are enough sessions.
SESSIONS_PER_SECOND = 2500
# Makes a transaction that ends sessions or numbers revocations sleep once, before its commit, while it holds its locks.
SLOW_COMMITS = f"""
    CREATE FUNCTION slow_commit() RETURNS trigger AS $$ BEGIN
        IF coalesce(current_setting('load.slept', TRUE), '') = '' THEN
            PERFORM set_config('load.slept', 'yes', TRUE), pg_sleep({COMMIT_SECONDS});
        END IF;
        RETURN NULL;
    END $$ LANGUAGE plpgsql;
    CREATE CONSTRAINT TRIGGER slow_commit AFTER UPDATE ON sessions DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION slow_commit();
    CREATE CONSTRAINT TRIGGER slow_commit AFTER UPDATE ON revocation_sequence DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION slow_commit();
"""
COPY_SESSION = """
    INSERT INTO sessions (id, user_id, counter, late_recoveries, created_at, last_used_at, expires_at)
    SELECT '{prefix}' || lpad(i::text, 12, '0'), user_id, counter, late_recoveries, created_at, last_used_at, expires_at
    FROM sessions, generate_series(1, {count}) AS i WHERE id = '{id}';
"""


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_session(token: str, session_id: str) -> str:
    """An access token like this one, signed for another session of the same user."""
    header, payload, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims |= {"sid": session_id, "jti": str(uuid.uuid4())}
    content = f"{header}.{base64url(json.dumps(claims).encode())}"
    return f"{content}.{base64url(hmac.digest(SECRET.encode(), content.encode(), hashlib.sha256))}"


class Fleet:
    """Servers on one database with slow commits, which are stopped at the end of a `with` block."""

    def __init__(self, binary, database_url, folder, **settings):
        self.database_url, self.numbers = database_url, itertools.count()
        self.stack = contextlib.ExitStack()
        self.servers = [self.stack.enter_context(ApiServer(binary, database_url, folder, **settings))
                        for _ in range(SERVERS)]
        self.grant = self.servers[0].register("ada@load.example")
        shell("query", database_url, SLOW_COMMITS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def new_tokens(self, count):
        """Creates sessions, and returns their access tokens."""
        prefix = f"00000000-0000-7000-{0x8000 + next(self.numbers):x}-"
        shell("query", self.database_url, COPY_SESSION.format(prefix=prefix, count=count, id=self.grant["session_id"]))
        return [with_session(self.grant["access_token"], f"{prefix}{number:012}") for number in range(1, count + 1)]

    def log_out(self, seconds, may_reject=False):
        """Ends sessions at all servers as fast as they respond."""
        with contextlib.ExitStack() as stack, ThreadPoolExecutor(SERVERS) as pool:
            def measure(server):
                tokens = stack.enter_context(tempfile.NamedTemporaryFile("w"))
                tokens.writelines(f"{token}\n" for token in self.new_tokens(seconds * SESSIONS_PER_SECOND))
                tokens.flush()
                return lambda: wrk.send_requests(server.url("/api/auth/logout"), seconds, CONNECTIONS_PER_SERVER,
                                                 method="POST", access_tokens=tokens.name, may_reject=may_reject)

            measurements = list(pool.map(lambda start: start(), [measure(server) for server in self.servers]))
        return wrk.Measurement(sum(one.requests for one in measurements), sum(one.per_second for one in measurements),
                               max(one.p50 for one in measurements), max(one.p99 for one in measurements))

    def delay(self, token):
        """Ends a session at the first server; returns the seconds until all servers reject the token."""
        self.servers[0].expect(200, "POST", "/api/auth/logout", token=token)
        ended = time.monotonic()
        for server in self.servers:
            while server.request("GET", "/api/auth/session", token=token)[0] == 200:
                time.sleep(0.005)
        return time.monotonic() - ended


def measure(fleet, seconds):
    """Returns the measured logouts, and the delays (see `Fleet.delay`) of further logouts at the same time."""
    delays, is_over, tokens = [], threading.Event(), iter(fleet.new_tokens(100))

    def watch():
        while not is_over.is_set():
            delays.append(fleet.delay(next(tokens)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    measurement = fleet.log_out(seconds)
    is_over.set()
    watcher.join()
    return measurement, delays


def print_tables(options, binary, folder):
    with postgres_database("logouts") as url, Fleet(binary, url, folder) as fleet:
        measurement, delays = measure(fleet, options.seconds)
    table([f"logouts at {SERVERS} servers, commits of {COMMIT_SECONDS * 1e3:.0f} ms", "a second", "p50 ms", "p99 ms",
           "target", "until all servers reject the token, highest ms", "target"],
          [["PostgreSQL", f"{measurement.per_second:.0f}", f"{measurement.p50:.1f}", f"{measurement.p99:.1f}",
            at_least(measurement.per_second, TARGET, options.quick), f"{max(delays) * 1e3:.0f}",
            target_cell(max(delays), f"< {LONGEST_DELAY} s", lambda delay: delay < LONGEST_DELAY)]])
