"""Runs the servers that are measured, and sends them requests."""

import http.client
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

PASSWORD = "correct horse battery staple"


class Process:
    """A server process, which is stopped at the end of a `with` block."""

    def __init__(self, command, host, **options):
        self.host = host
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)

    def url(self, path):
        return f"http://{self.host}{path}"

    def wait_for(self, path):
        """Waits for the first 200 response; returns the seconds since the start of the process."""
        while True:
            try:
                if self.request("GET", path)[0] == 200:
                    return time.monotonic() - self.started
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() - self.started > 30:
                raise SystemExit(f"{self.process.args[0]} does not respond with 200 on {path}")
            time.sleep(0.001)

    def request(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            if token:
                headers["Authorization"] = f"Bearer {token}"
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def memory(self):
        """Resident memory in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def free_host():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def baseline(binary):
    host = free_host()
    process = Process([binary, host], host)
    process.wait_for("/")
    return process


class ApiServer(Process):
    """An api-server with default settings, except address, database, secret, token lifetime, task limit and `more`."""

    def __init__(self, binary, database_url, folder, **more):
        host = free_host()
        environment = {"PATH": os.environ["PATH"], "BIND_ADDR": host, "DATABASE_URL": database_url,
                       "AUTH_SECRET": "a7Kq0vXw2mTzR9bLs4NcYp6EhGd8JfUu", "ACCESS_TOKEN_TTL": "1d", "MAX_TASKS_PER_USER": "1000000", **more}
        # Runs in `folder`, because the server would read a .env in the current directory.
        super().__init__([binary], host, env=environment, cwd=folder)
        self.ready_after = self.wait_for("/readyz")

    def expect(self, status, method, path, body=None, token=None):
        found, text = self.request(method, path, body, token)
        if found != status:
            raise SystemExit(f"{method} {path}: {found} instead of {status}: {text.decode()}")
        return json.loads(text)

    def register(self, email):
        return self.expect(201, "POST", "/api/auth/register", {"email": email, "password": PASSWORD})
