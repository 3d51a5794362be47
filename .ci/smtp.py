"""Helpers for checks of mails: a real SMTP server, aiosmtpd, with faults, its mails, the outbox, and requests."""

import asyncio
import email
import email.policy
import logging
import re
import secrets
import sqlite3
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from common import need, require_equal, run_inside_venv, shell
from live import call, postgres_database

AIOSMTPD = "aiosmtpd==1.4.6"
ENGINES = ["SQLite", "PostgreSQL"]
SENDER = "Example <no-reply@api.example>"
PASSWORD = "correct horse battery staple"
# Registrations send no mail, so that the checks know every mail.
MAIL_SETTINGS = {"MAIL_FROM": SENDER, "EMAIL_VERIFICATION": "off"}
RESET = "/api/auth/password-reset"
# aiosmtpd logs every failed handshake, which the checks cause.
logging.getLogger("mail").setLevel(logging.CRITICAL + 1)


def run_with_aiosmtpd(*arguments: str) -> int:
    """Runs the program again, in a new virtual environment with aiosmtpd; returns the exit status."""
    return run_inside_venv(AIOSMTPD, *arguments)


# ---- the SMTP server


class Silence(Exception):
    """Raised by `greeting` or `recipient` of a `Script`: the server never replies."""


class LostReply(Exception):
    """Raised by `text` of a `Script`: the server accepts the mail, and closes the connection without a reply."""


@dataclass(frozen=True)
class Script:
    """The faults of an SMTP server: functions that return a reply, or None to accept. `greeting` and `recipient` may
    raise `Silence`, and `text` may raise `LostReply`."""

    greeting: Callable[[], str | None] = lambda: None
    recipient: Callable[[str], str | None] = lambda address: None
    text: Callable[[EmailMessage], str | None] = lambda mail: None


class Handler:
    """Called by aiosmtpd for each recipient and mail. `attempts` are the recipients, `mails` the accepted mails."""

    def __init__(self, script: Script):
        self.script = script
        self.attempts: list[str] = []
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.attempts.append(address)
        try:
            refusal = self.script.recipient(address)
        except Silence:
            await asyncio.Event().wait()
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        mail = parse_mail(envelope.content)
        try:
            refusal = self.script.text(mail)
        except LostReply:
            self.mails.append(mail)
            server.transport.abort()
            return "250 2.0.0 Ok"
        if refusal:
            return refusal
        self.mails.append(mail)
        return "250 2.0.0 Ok"


@dataclass(frozen=True)
class RunningSmtp:
    port: int
    handler: Handler

    @property
    def mails(self) -> list[EmailMessage]:
        return list(self.handler.mails)

    def url(self, parameters: str = "?tls=none") -> str:
        return f"smtp://127.0.0.1:{self.port}{parameters}"


@contextmanager
def smtp_server(script: Script | None = None, tls: ssl.SSLContext | None = None, **options) -> Iterator[RunningSmtp]:
    """Runs an SMTP server during the block. `tls` encrypts from the first byte; `options` are those of aiosmtpd."""
    from aiosmtpd.smtp import SMTP

    handler = Handler(script or Script())

    class FaultySmtp(SMTP):
        has_greeted = False

        async def push(self, status):
            if not self.has_greeted:
                self.has_greeted = True
                try:
                    status = handler.script.greeting() or status
                except Silence:
                    await asyncio.Event().wait()
            await super().push(status)

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    listening = loop.create_server(lambda: FaultySmtp(handler, loop=loop, **options), "127.0.0.1", 0, ssl=tls)
    server = loop.run_until_complete(listening)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield RunningSmtp(server.sockets[0].getsockname()[1], handler)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def create_certificate(folder: Path, name: str) -> None:
    """Writes NAME.pem, a certificate for localhost that is its own authority, and NAME.key."""
    need("openssl")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
                   check=True, stderr=subprocess.DEVNULL)


# ---- mails


def parse_mail(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n")


def token_of(mail: EmailMessage) -> str | None:
    """The token in the link of the mail; None for a notice without a link."""
    found = re.search(r"#([\w.-]+)$", text_of(mail), re.MULTILINE)
    return found and found[1]


def check_mail(mail: EmailMessage, challenge_id: str) -> None:
    """Checks the headers and the parts of a mail for a forgotten password."""
    require_equal("Message-ID", mail["Message-ID"], f"<{challenge_id}@api.example>")
    require_equal("From", mail["From"], SENDER)
    require_equal("Auto-Submitted", mail["Auto-Submitted"], "auto-generated")
    require_equal("the type", mail.get_content_type(), "multipart/alternative")
    require_equal("the types of the parts", [part.get_content_type() for part in mail.iter_parts()],
                  ["text/plain", "text/html"])
    html = mail.get_body(("html",)).get_content()
    require_equal("HTML has link and code", (token_of(mail) in html, code_of(mail) in html), (True, True))


def code_of(mail: EmailMessage) -> str:
    return re.search(r"^([2-9A-Z]{8})$", text_of(mail), re.MULTILINE)[1]


# ---- the outbox


def query(url: str, sql: str) -> list[list[str]]:
    """Runs SQL in a database of either engine; returns the rows as texts, with NULL as an empty text."""
    if url.startswith("sqlite://"):
        connection = sqlite3.connect(url.removeprefix("sqlite://"), timeout=30)
        try:
            with connection:
                rows = connection.execute(sql).fetchall()
        finally:
            connection.close()
        return [["" if value is None else str(value) for value in row] for row in rows]
    return [row.split("|") for row in shell("query", url, sql).splitlines()]


def count(url: str, rows: str) -> int:
    return int(query(url, f"SELECT COUNT(*) FROM {rows}")[0][0])


WAITING = "outbox WHERE next_attempt_at IS NOT NULL"


def pass_time(url: str) -> None:
    """Makes every waiting mail due now: otherwise another attempt follows after a minute or longer, and a lease ends
    after 15 minutes. Reduces the number of attempts to at most one, because the pause grows with that number, and would
    become longer than the link is valid. Must not be called while a process sends a mail: it would be sent twice."""
    query(url, "UPDATE outbox SET next_attempt_at = created_at, leased_until = NULL, "
               "attempts = CASE WHEN attempts > 0 THEN 1 ELSE 0 END WHERE next_attempt_at IS NOT NULL")


@contextmanager
def new_database(engine: str, folder: Path) -> Iterator[str]:
    """Yields the URL of a new database of this engine. The file of SQLite is in the folder."""
    if engine == "SQLite":
        yield f"sqlite://{folder}/{secrets.token_hex(4)}.db"
    else:
        with postgres_database("mail") as url:
            yield url


# ---- requests


def register(base: str, address: str) -> None:
    status, response = call(f"{base}/api/auth/register", {"email": address, "password": PASSWORD})
    if status != 201:
        raise SystemExit(f"register {address}: {status} {response}")


def request_reset(base: str, address: str) -> str:
    """Requests a mail for a forgotten password; returns the challenge id."""
    status, response = call(base + RESET, {"email": address})
    if status != 202:
        raise SystemExit(f"request a reset of {address}: {status} {response}")
    return response["challenge_id"]


def confirm(base: str, new_password: str, **proof: str) -> tuple[int, dict]:
    return call(f"{base}{RESET}/confirm", {"new_password": new_password, **proof})
