"""A server under test, its process and its HTTP."""

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
    """Anything that listens; stopped at the end of a `with`."""

    def __init__(self, command, host, **how):
        self.host = host
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **how)

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
        """Seconds from the start of the process to its first 200."""
        while True:
            try:
                if self.request("GET", path)[0] == 200:
                    return time.monotonic() - self.started
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() - self.started > 30:
                raise SystemExit(f"{self.process.args[0]} does not answer on {path}")
            time.sleep(0.001)

    def request(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            if token:
                headers["Authorization"] = f"Bearer {token}"
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def memory(self):
        """Resident MiB."""
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
    """Ours, with nothing set but where it listens, where its data is, and `more`."""

    def __init__(self, binary, database_url, folder, **more):
        host = free_host()
        environment = {"PATH": os.environ["PATH"], "BIND_ADDR": host, "DATABASE_URL": database_url,
                       "AUTH_SECRET": "a7Kq0vXw2mTzR9bLs4NcYp6EhGd8JfUu", "ACCESS_TOKEN_TTL": "1d", "MAX_TASKS_PER_USER": "1000000", **more}
        # In the current directory there may be a .env, which would be read.
        super().__init__([binary], host, env=environment, cwd=folder)
        self.ready_after = self.wait_for("/readyz")

    def expect(self, status, method, path, body=None, token=None):
        found, text = self.request(method, path, body, token)
        if found != status:
            raise SystemExit(f"{method} {path}: {found} instead of {status}: {text.decode()}")
        return json.loads(text)

    def register(self, email):
        return self.expect(201, "POST", "/api/auth/register", {"email": email, "password": PASSWORD})
