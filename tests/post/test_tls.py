"""SMTP under encryption: from the start, or from STARTTLS on, and never with a stranger."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from .reports import Done
from .test_mail import MAIL as TEXT
from .test_mail import PASSWORD, Server, body, run

pytestmark = [
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
    # aiosmtpd does not know that smtps is encrypted.
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
]

LOGIN = {"OFFLINT_SMTP_USER": "bot", "OFFLINT_SMTP_PASSWORD": PASSWORD}


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Return a certificate that a host signed for itself, and its key; both last a day."""
    cert, key = folder / f"{host}.pem", folder / f"{host}.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-days", "1", "-nodes", "-newkey", "ec"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={host}"),
            *("-addext", f"subjectAltName=DNS:{host}", "-out", cert, "-keyout", key),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("mine"), "localhost")


@contextmanager
def serving(held: tuple[Path, Path], scheme: str) -> Iterator[Server]:
    """Run a mail server with a certificate, for smtps or for STARTTLS, that wants a password."""
    handler = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*held)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    handler.address = f"smtps://localhost:{port}" if scheme == "smtps" else f"localhost:{port}"
    is_whole = scheme == "smtps"
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=port,
        ssl_context=context if is_whole else None,
        tls_context=None if is_whole else context,
        require_starttls=not is_whole,
        auth_required=True,
        auth_require_tls=not is_whole,
        authenticator=lambda *a: AuthResult(
            success=isinstance(a[4], LoginPassword) and a[4].password == PASSWORD.encode(),
            handled=False,
        ),
        decode_data=False,
    )
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()


def send(folder: Path, server: Server, trusted: Path, **environment: str) -> Done:
    """Send a mail, with one certificate that the system trusts."""
    return run(
        folder, "--smtp", server.address, "--yes",
        SSL_CERT_FILE=str(trusted), **{**LOGIN, **environment},
    )  # fmt: skip


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_a_mail_goes_out_encrypted(tmp_path: Path, mine: tuple[Path, Path], scheme: str) -> None:
    with serving(mine, scheme) as server:
        done = send(tmp_path, server, mine[0])

    assert 0 == done.status, done
    assert [body(TEXT)] == [body(envelope.original_content or b"") for envelope in server.taken]
    assert PASSWORD not in done.printed + done.complaint


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_a_server_that_nobody_vouches_for_gets_neither_mail_nor_password(
    tmp_path: Path, mine: tuple[Path, Path], scheme: str
) -> None:
    (tmp_path / "other").mkdir()
    trusted, _ = certificate(tmp_path / "other", "localhost")
    with serving(mine, scheme) as server:
        done = send(tmp_path, server, trusted)

    assert (2, []) == (done.status, server.taken)
    assert "localhost: not sent: SSLCertVerificationError" in done.complaint


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_a_server_with_the_name_of_another_gets_neither_mail_nor_password(
    tmp_path: Path, scheme: str
) -> None:
    other = certificate(tmp_path, "mail.example.org")
    with serving(other, scheme) as server:
        done = send(tmp_path, server, other[0])

    assert (2, []) == (done.status, server.taken)
    assert "not valid for 'localhost'" in done.complaint


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_a_wrong_password_is_not_shown(
    tmp_path: Path, mine: tuple[Path, Path], scheme: str
) -> None:
    with serving(mine, scheme) as server:
        done = send(tmp_path, server, mine[0], OFFLINT_SMTP_PASSWORD="wrong-but-secret")

    assert (2, []) == (done.status, server.taken)
    assert "SMTPAuthenticationError" in done.complaint
    assert "wrong-but-secret" not in done.printed + done.complaint
