"""Hand a mail on: as a draft to a file or a Maildir, or to a mail server."""

from __future__ import annotations

import mailbox
import os
import re
import smtplib
import ssl
from contextlib import closing
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import formatdate, getaddresses, parseaddr
from pathlib import Path
from urllib.parse import quote

from analyzer.base import AnalyzerError
from analyzer.post.client import Client, Patience, RefusedError, SilentError
from analyzer.post.deliver import Found, Item, Outcome, deliver
from analyzer.post.ledger import Ledger
from analyzer.report.plain import plain

_HINT = "a mail is what `offlint check --format mail` writes"
# What came from a mail goes out as it came: no header is folded anew.
_AS_IT_IS = default.clone(refold_source="none")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORTS = {"smtp": 25, "smtps": 465}
_SERVER = re.compile(r"(?:(?P<scheme>smtps?)://)?(?P<host>[\w.-]+)(?::(?P<port>\d{1,5})?)?")
_ADDRESS = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+")
USER, PASSWORD = "OFFLINT_SMTP_USER", "OFFLINT_SMTP_PASSWORD"


def read_mail(path: Path, sender: str | None) -> EmailMessage | None:
    """Return the mail in a file, or None where the file is empty: nothing is to be said.

    Raise AnalyzerError for what no list wants: no Message-Id, no patch that it answers, HTML.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AnalyzerError(f"{path}: cannot read the mail: {error.strerror}") from error
    if not data.strip():
        return None
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    message = message_from_bytes(data, policy=_AS_IT_IS)
    if sender is not None:
        del message["From"]
        message["From"] = _sender(sender)
    for name in ("To", "Message-Id", "In-Reply-To"):
        if not message[name]:
            raise AnalyzerError(f"{path}: no {name} in this mail; {_HINT}")
    if message.get_content_type() != "text/plain":
        kind = plain(message.get_content_type())
        raise AnalyzerError(f"{path}: found {kind}, but lists take text/plain only; {_HINT}")
    if not message["Date"]:
        message["Date"] = formatdate(localtime=True)
    return message


def _sender(text: str) -> str:
    """Return who sends a mail, for its From; raise AnalyzerError where that is not one address."""
    named = getaddresses([text])
    if len(named) != 1 or not _ADDRESS.fullmatch(named[0][1]) or not text.isprintable():
        raise AnalyzerError(
            f"--from: expected one address, such as NAME <USER@HOST>, found {text!r}"
        )
    return text


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server; scheme is smtp or smtps."""

    scheme: str
    host: str
    port: int


def read_server(text: str) -> Server:
    """Return the server that is named; raise AnalyzerError where it is not spelled like one."""
    match = _SERVER.fullmatch(text)
    scheme = (match and match["scheme"]) or "smtp"
    port = int((match and match["port"]) or _PORTS[scheme])
    try:
        (match["host"] if match else "").encode("idna")
    except UnicodeError:
        match = None
    if match is None or not 0 < port < 1 << 16:
        raise AnalyzerError(f"--smtp {plain(text)}: expected HOST[:PORT] or smtps://HOST[:PORT]")
    return Server(scheme, match["host"], port)


def message_id(message: EmailMessage) -> str:
    """Return a mail's Message-Id without its brackets."""
    return str(message["Message-Id"]).strip().strip("<>")


def recipients(message: EmailMessage) -> tuple[str, ...]:
    """Return the addresses that a mail goes to."""
    fields = [str(v) for name in ("To", "Cc") for v in message.get_all(name, [])]
    return tuple(dict.fromkeys(address for _, address in getaddresses(fields) if address))


def write_draft(message: EmailMessage, path: Path) -> None:
    """Write a mail to a file, for a mail program or `git send-email` to take up."""
    try:
        path.write_bytes(message.as_bytes())
    except OSError as error:
        raise AnalyzerError(f"{path}: cannot write the draft: {error.strerror}") from error


def add_to_maildir(message: EmailMessage, path: Path) -> bool:
    """Put a mail into a Maildir, flagged as a draft; return False where it is there already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        box = mailbox.Maildir(path, create=True)
        held = (str(m["Message-Id"] or "").strip() for m in box)
        if str(message["Message-Id"]).strip() in held:
            return False
        draft = mailbox.MaildirMessage(message)
        draft.set_subdir("cur")  # what is new has no flags
        draft.set_flags("D")
        box.add(draft)
        box.flush()
    except OSError as error:
        raise AnalyzerError(f"{path}: cannot use this Maildir: {error.strerror}") from error
    return True


def item_of(message: EmailMessage) -> Item:
    """Return a mail as something to post: one answer to one mail, whatever it says."""
    answered = str(message["In-Reply-To"]).strip().strip("<>")
    return Item(
        key=f"mail {parseaddr(str(message['From']))[1]} {answered}",
        title=f"mail to {', '.join(recipients(message))}",
        text=message.as_bytes().decode("utf-8", "replace"),
        once=True,
    )


def send(
    message: EmailMessage,
    server: Server,
    ledger: Ledger,
    *,
    archive: Client | None,
    timeout: float,
) -> tuple[Outcome, tuple[str, ...]]:
    """Send a mail by SMTP unless the same patch was answered before.

    Return also the addresses that the server refused while it took the mail for others. A mail
    server cannot be asked what it has sent: where an earlier run ended in between, the archive
    of the list is asked; without one the mail is not sent, and AnalyzerError says so.
    """
    refused: list[str] = []

    def find(unsure: bool) -> Found | None:
        if not unsure:
            return None
        if archive is None:
            raise AnalyzerError(
                f"an earlier run ended while it sent <{message_id(message)}>, and nobody knows "
                "whether it went out: --archive URL asks the list's archive"
            )
        # A public-inbox has every mail under its Message-Id.
        there = archive.exists(f"{quote(message_id(message), safe='@')}/")
        return Found(message_id(message), is_same=True) if there else None

    def transmit(_found: Found | None) -> str:
        refused.extend(_transmit(message, server, timeout))
        return message_id(message)

    outcome = deliver(item_of(message), ledger, Patience(attempts=1), find, transmit)
    return outcome, tuple(refused)


def _transmit(message: EmailMessage, server: Server, timeout: float) -> tuple[str, ...]:
    """Give a mail to a server; return the addresses that it refused."""
    host = server.host
    try:
        smtp = _connected(server, timeout)
    except (OSError, smtplib.SMTPException) as error:
        raise RefusedError(f"{host}: not sent: {_said(error)}") from None
    with closing(smtp):
        try:
            _authenticate(smtp, host)
        except (OSError, smtplib.SMTPException) as error:
            raise RefusedError(f"{host}: not sent: {_said(error)}") from None
        return _handed_over(smtp, message, host)


def _handed_over(smtp: smtplib.SMTP, message: EmailMessage, host: str) -> tuple[str, ...]:
    """Send a mail; return the addresses that the server refused."""
    try:
        # Not send_message(), which writes `>From` where a line of the text begins with `From`.
        sender = parseaddr(str(message["From"]))[1]
        body = re.sub(rb"\r\n?|\n", b"\r\n", message.as_bytes())
        eight = () if body.isascii() else ("BODY=8BITMIME",)
        return tuple(sorted(smtp.sendmail(sender, recipients(message), body, eight)))
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        raise RefusedError(f"{host}: the mail was not taken: {_said(error)}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise SilentError(f"{host}: no answer: {_said(error)}") from None


def _connected(server: Server, timeout: float) -> smtplib.SMTP:
    """Connect to a server; with smtps it has to prove that it is the host."""
    # Only the constructor learns the host's name, and without a context nothing is verified.
    if server.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=context)
    return smtplib.SMTP(server.host, server.port, timeout=timeout)


def _authenticate(smtp: smtplib.SMTP, host: str) -> None:
    """Encrypt where the server can, and log in where the environment names a user."""
    smtp.ehlo()
    is_secret = isinstance(smtp, smtplib.SMTP_SSL)
    if not is_secret and smtp.has_extn("starttls"):
        smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo()
        is_secret = True
    user, password = os.environ.get(USER), os.environ.get(PASSWORD, "")
    if not user:
        return
    if not is_secret and host not in _LOOPBACK:
        raise RefusedError(f"{host}: no encryption there, so no password is sent")
    smtp.login(user, password)


def _said(error: Exception) -> str:
    """Return what went wrong; a server that repeats the password is not repeated."""
    text, password = plain(str(error)), os.environ.get(PASSWORD)
    return f"{type(error).__name__}: {text.replace(password, '***') if password else text}"
