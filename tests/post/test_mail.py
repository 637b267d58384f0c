"""Mail: a draft unless it is meant, never twice to one patch, never what lists do not want."""

from __future__ import annotations

import asyncio
import mailbox
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from analyzer.post.mail import Server as Mailer
from analyzer.post.mail import read_server

from ..cli.commands import PATCH, TREE, offlint
from .reports import PYTHON, Done, post
from .servers import RefusalError, Request, Service, serve

ROOT = Path(__file__).resolve().parents[2]
MAIL = b"""\
From: offlint <bot@example.org>
To: Some Author <author@example.org>
Cc: linux-mm@example.org, Long <a-reviewer-with-quite-a-long-name@mail.example.org>,\tx@example.org
Subject: Re: [PATCH v1 2/3] mm: change how pages start
Message-Id: <0123456789abcdef@offlint>
In-Reply-To: <2@example.org>
References: <0@example.org>
 <2@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

On Fri, Jun 07, 2024 at 11:09:37AM +0200, S\xc3\xb8me Author wrote:
> +\t__SetPageOffline(page);  \xe2\x80\x94 trailing blanks \x20
.
From here on: keep_page() sets it a second time.
"""
PASSWORD = "hunter2-of-the-tests"


class Server:
    """Take mail and keep it, or fail as told."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.answer = "250 OK"
        self.refuse: str | None = None
        self.address = ""
        self.drops = False  # closes the connection instead of answering
        self.held: threading.Event | None = None  # set when a mail is taken and not answered

    async def handle_RCPT(  # noqa: N802  the name that aiosmtpd calls
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address == self.refuse:
            return "550 no such list"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.taken.append(envelope)
        if self.drops:
            assert server.transport is not None
            server.transport.close()
        if self.held is not None:
            self.held.set()
            await asyncio.sleep(20)
        return self.answer


class Archive(Service):
    """A public-inbox that has some mails."""

    def __init__(self, *held: str) -> None:
        super().__init__()
        self.mails = held

    def answer(self, request: Request) -> tuple[object, dict[str, str]]:
        if request.path.strip("/") not in self.mails:
            raise RefusalError(404, "Message-ID not found")
        return "found", {}


@pytest.fixture
def server() -> Iterator[Server]:
    handler = Server()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    handler.address = f"127.0.0.1:{port}"
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=port,
        authenticator=lambda *a: AuthResult(
            success=isinstance(a[4], LoginPassword) and a[4].password == PASSWORD.encode(),
            handled=False,
        ),
        auth_require_tls=False,
        decode_data=False,
    )
    controller.start()
    yield handler
    controller.stop()


def run(folder: Path, *options: str | Path, mail: bytes = MAIL, **environment: str) -> Done:
    path = folder / "reply.eml"
    path.write_bytes(mail)
    return post("--to", "mail", "--ledger", folder / "l", *options, path, **environment)


def send(
    folder: Path, server: Server, *options: str, mail: bytes = MAIL, **environment: str
) -> Done:
    return run(folder, "--smtp", server.address, "--yes", *options, mail=mail, **environment)


def body(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").partition(b"\n\n")[2]


def test_a_draft_is_the_mail_byte_for_byte(tmp_path: Path) -> None:
    done = run(tmp_path, "--draft", tmp_path / "draft.eml")

    written = (tmp_path / "draft.eml").read_bytes()
    assert (0, body(MAIL)) == (done.status, body(written))
    assert MAIL.partition(b"\n\n")[0] in written.partition(b"\n\n")[0]


def test_a_maildir_has_one_draft_however_often(tmp_path: Path) -> None:
    first = run(tmp_path, "--maildir", tmp_path / "box")
    second = run(tmp_path, "--maildir", tmp_path / "box")

    held = list(mailbox.Maildir(tmp_path / "box"))
    assert ["added to", "already in"] == [" ".join(d.printed.split()[:2]) for d in (first, second)]
    assert [("cur", "D")] == [(m.get_subdir(), m.get_flags()) for m in held]
    assert "<0123456789abcdef@offlint>" == held[0]["Message-Id"]


def test_without_yes_nothing_is_sent(tmp_path: Path, server: Server) -> None:
    done = run(tmp_path, "--smtp", server.address)

    assert (0, []) == (done.status, server.taken)
    assert "would post: mail to author@example.org, linux-mm@example.org" in done.printed


def test_a_mail_goes_to_everybody_as_it_is(tmp_path: Path, server: Server) -> None:
    done = send(tmp_path, server)

    assert (0, 1) == (done.status, len(server.taken))
    content = server.taken[0].content
    assert isinstance(content, bytes)
    assert body(MAIL) == body(content)
    assert [
        "author@example.org",
        "linux-mm@example.org",
        "a-reviewer-with-quite-a-long-name@mail.example.org",
        "x@example.org",
    ] == server.taken[0].rcpt_tos


def test_one_patch_is_answered_once_whatever_the_words(tmp_path: Path, server: Server) -> None:
    other = MAIL.replace(b"0123456789abcdef", b"fedcba").replace(b"second", b"third")

    send(tmp_path, server)
    done = send(tmp_path, server, mail=other)

    assert (0, 1) == (done.status, len(server.taken))
    assert "already there: mail to" in done.printed


def test_another_patch_is_answered_as_well(tmp_path: Path, server: Server) -> None:
    send(tmp_path, server)
    send(tmp_path, server, mail=MAIL.replace(b"In-Reply-To: <2@", b"In-Reply-To: <3@"))

    assert 2 == len(server.taken)


def test_a_refused_mail_can_be_sent_later(tmp_path: Path, server: Server) -> None:
    server.answer = "451 try again later"
    first = send(tmp_path, server)
    server.answer = "250 OK"
    second = send(tmp_path, server)

    assert (2, 0, 1) == (first.status, second.status, len(server.taken))
    assert "the mail was not taken: SMTPDataError" in first.complaint


def test_a_list_that_refuses_is_named_and_the_others_are_not_bothered_again(
    tmp_path: Path, server: Server
) -> None:
    server.refuse = "linux-mm@example.org"

    first, second = send(tmp_path, server), send(tmp_path, server)

    assert (0, 0, 1) == (first.status, second.status, len(server.taken))
    assert "refused for linux-mm@example.org" in first.printed


def test_no_server_is_no_mail_and_no_doubt(tmp_path: Path, server: Server) -> None:
    first = run(tmp_path, "--smtp", "127.0.0.1:1", "--yes")
    second = send(tmp_path, server)

    assert (2, 0, 1) == (first.status, second.status, len(server.taken))


def interrupted(folder: Path, server: Server) -> Done:
    """Lose the connection when the mail is taken and nobody has said so."""
    server.drops = True
    done = send(folder, server)
    server.drops = False
    return done


def test_after_silence_nothing_is_sent_again_on_a_guess(tmp_path: Path, server: Server) -> None:
    first = interrupted(tmp_path, server)
    second = send(tmp_path, server)

    assert (2, 2, 1) == (first.status, second.status, len(server.taken))
    assert "--archive URL asks the list's archive" in second.complaint


@pytest.mark.parametrize(("held", "mails"), [(["0123456789abcdef@offlint"], 1), ([], 2)])
def test_after_silence_the_archive_knows(
    tmp_path: Path, server: Server, held: list[str], mails: int
) -> None:
    interrupted(tmp_path, server)
    with serve(Archive(*held)) as archive:
        done = send(tmp_path, server, "--archive", archive.url)

    assert (0, mails) == (done.status, len(server.taken))


@pytest.mark.slow
def test_a_killed_run_is_not_repeated(tmp_path: Path, server: Server) -> None:
    (tmp_path / "reply.eml").write_bytes(MAIL)
    arguments = ["--to", "mail", "--ledger", tmp_path / "l", "--yes", tmp_path / "reply.eml"]
    server.held = threading.Event()
    with subprocess.Popen(
        [PYTHON, "-m", "analyzer", "post", "--smtp", server.address, *map(str, arguments)],
        cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as ours:  # fmt: skip
        assert server.held.wait(60)
        ours.send_signal(signal.SIGKILL)
    server.held = None

    done = send(tmp_path, server)

    assert (2, 1) == (done.status, len(server.taken))


def test_the_password_is_used_and_never_shown(tmp_path: Path, server: Server) -> None:
    wrong = {"OFFLINT_SMTP_USER": "bot", "OFFLINT_SMTP_PASSWORD": "wrong-but-secret"}
    right = {"OFFLINT_SMTP_USER": "bot", "OFFLINT_SMTP_PASSWORD": PASSWORD}

    first = send(tmp_path, server, **wrong)
    second = send(tmp_path, server, **right)

    assert (2, 0, 1) == (first.status, second.status, len(server.taken))
    printed = first.printed + first.complaint + second.printed + second.complaint
    assert "wrong-but-secret" not in printed
    assert PASSWORD not in printed


@pytest.mark.parametrize(
    ("mail", "words"),
    [
        (MAIL.replace(b"Message-Id", b"X-Id"), "no Message-Id in this mail"),
        (MAIL.replace(b"In-Reply-To", b"X-To"), "no In-Reply-To in this mail"),
        (MAIL.replace(b"From: o", b"X-From: o"), "--from names who sends it"),
        (MAIL.replace(b"text/plain", b"text/html"), "found text/html, but lists take text/plain"),
        (b'{"version": 1}', "no To in this mail"),
    ],
)
def test_what_no_list_wants_is_not_sent(
    tmp_path: Path, server: Server, mail: bytes, words: str
) -> None:
    done = send(tmp_path, server, mail=mail)

    assert (2, []) == (done.status, server.taken)
    assert words in done.complaint


def test_no_finding_is_no_mail(tmp_path: Path, server: Server) -> None:
    done = send(tmp_path, server, mail=b"")

    assert (0, "nothing to say, so no mail\n", []) == (done.status, done.printed, server.taken)


def test_the_sender_can_be_named(tmp_path: Path, server: Server) -> None:
    send(tmp_path, server, "--from", "Me <me@example.org>")

    assert ["me@example.org"] == [e.mail_from for e in server.taken]


@pytest.mark.parametrize(
    "sender",
    ["", " ", "me", "me@", "@here", "<>", "a@b, c@d", "a\nb@c", "\udcff@x", "a <b@c> <d@e>"],
)
def test_a_sender_that_is_no_address_is_refused(tmp_path: Path, sender: str) -> None:
    done = run(tmp_path, "--draft", tmp_path / "draft.eml", "--from", sender)

    assert 2 == done.status
    assert "--from: expected one address, such as NAME <USER@HOST>, found " in done.complaint
    assert not (tmp_path / "draft.eml").exists()


@pytest.mark.parametrize(
    "address",
    [
        "..",
        "a..b",
        "a b",
        "://",
        "smtps://",
        "ftp://x",
        ":25",
        "x:0",
        "x:65536",
        "x:y",
        "é..x",
    ],
)
@pytest.mark.parametrize("yes", [["--yes"], []])
def test_what_is_no_server_is_refused_before_anything_is_noted(
    tmp_path: Path, address: str, yes: list[str]
) -> None:
    done = run(tmp_path, "--smtp", address, *yes)

    assert 2 == done.status
    assert f"--smtp {address}: expected HOST[:PORT] or smtps://HOST[:PORT]" in done.complaint
    assert not (tmp_path / "l").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", ("smtp", "x", 25)),
        ("x:", ("smtp", "x", 25)),
        ("smtp://x.y-z:2525", ("smtp", "x.y-z", 2525)),
        ("smtps://x", ("smtps", "x", 465)),
        ("größe.example", ("smtp", "größe.example", 25)),
    ],
)
def test_a_server_is_read(text: str, expected: tuple[str, str, int]) -> None:
    assert Mailer(*expected) == read_server(text)


def test_what_check_writes_is_what_is_sent(tmp_path: Path, server: Server) -> None:
    path = tmp_path / "written.eml"
    checked = offlint("check", "--quiet", "--tree", TREE, "--format", f"mail={path}", PATCH)

    done = send(tmp_path, server, "--from", "Bot <bot@example.org>", mail=path.read_bytes())

    assert (1, 0, 1) == (checked.status, done.status, len(server.taken))
    content = server.taken[0].content
    assert isinstance(content, bytes)
    assert body(path.read_bytes()) == body(content)
    assert b"In-Reply-To: <20240701100000.1-dev@example.org>" in content
