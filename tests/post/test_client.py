"""Patience, and reading reports and tokens."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from analyzer.base import AnalyzerError
from analyzer.post.client import (
    BusyError,
    Client,
    Patience,
    RefusedError,
    read_token,
    wait_asked,
)
from analyzer.post.ledger import Entry, open_ledger
from analyzer.post.report import parse_report, read_report

from .reports import ALL, write_report


@dataclass
class Server:
    """Be busy some times, asking for a pause, and then answer."""

    busy: int
    wait: float | None = None
    asked: int = 0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> str:
        self.asked += 1
        if self.asked <= self.busy:
            error = BusyError("busy")
            error.wait = self.wait
            raise error
        return "done"

    def patience(self) -> Patience:
        return Patience(sleep=self.slept.append)


def test_pauses_grow() -> None:
    server = Server(4)

    assert "done" == server.patience().run(server)
    assert [True] * 4 == [2**n <= s <= 2**n + 1 for n, s in enumerate(server.slept)]


def test_a_server_says_how_long_to_wait() -> None:
    server = Server(2, wait=17)

    server.patience().run(server)

    assert [17, 17] == server.slept


def test_a_server_that_asks_for_an_hour_is_given_up_at_once() -> None:
    server = Server(2, wait=3600)

    with pytest.raises(BusyError):
        server.patience().run(server)

    assert (1, []) == (server.asked, server.slept)


def test_patience_ends() -> None:
    server = Server(99)

    with pytest.raises(BusyError):
        server.patience().run(server)

    assert 5 == server.asked


def test_a_refusal_is_final() -> None:
    server = Server(0)

    def refuse() -> str:
        server()
        raise RefusedError("no")

    with pytest.raises(RefusedError):
        server.patience().run(refuse)

    assert 1 == server.asked


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("Tue, 24 Nov 2026 06:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 05:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    now = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)

    assert seconds == wait_asked(header, now)


def refusing(text: str, headers: dict[str, str]) -> Client:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, text=text, headers=headers)

    http = httpx.Client(base_url="https://x.example", transport=httpx.MockTransport(answer))
    return Client(http, "", Patience())


@pytest.mark.parametrize(
    ("text", "headers", "seconds"),
    [
        ("", {"Retry-After": "7"}, 7),
        ("", {"X-RateLimit-Remaining": "0"}, 30),
        ("You have exceeded a secondary rate limit.", {"X-RateLimit-Remaining": "9"}, 60),
    ],
)
def test_a_403_can_ask_for_patience(text: str, headers: dict[str, str], seconds: float) -> None:
    reset = {"X-RateLimit-Reset": str(round(time.time()) + 30)}

    with pytest.raises(BusyError) as caught:
        refusing(text, {**headers, **reset}).write("POST", "/", {})

    assert caught.value.wait == pytest.approx(seconds, abs=5)


def test_any_other_403_is_a_refusal() -> None:
    with pytest.raises(RefusedError):
        refusing("Forbidden", {"X-RateLimit-Remaining": "9"}).write("POST", "/", {})


def test_a_report_comes_back_as_it_was_written(tmp_path: Path) -> None:
    result = read_report(write_report(tmp_path, *ALL))

    assert {f.fingerprint for f in ALL} == {f.fingerprint for f in result.findings}
    assert ["1@example.org", "2@example.org"] == [p.message_id for p in result.patches]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "version: found None, expected 1"),
        (b'{"version": 2}', "version: found 2, expected 1"),
        (b'{"version": 1}', "'tool' is a required property"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_report_is_named(text: bytes, words: str) -> None:
    with pytest.raises(AnalyzerError, match=words):
        parse_report(text, "r.json")


@pytest.mark.parametrize("text", ["", "two words", "a\nb", "t\u00f6ken", "a\x00b"])
def test_what_is_no_token_is_not_sent_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)

    with pytest.raises(AnalyzerError) as caught:
        read_token(["X_TOKEN"], path)

    assert not text or text not in str(caught.value)


def test_the_ledger_outlives_its_run(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "posts.sqlite"
    with open_ledger(path) as ledger:
        ledger.intend("a", "1")
        ledger.record("b", "2", "remote")
        ledger.intend("c", "3")
        ledger.forget("c")
        ledger.forget("b")
    with open_ledger(path) as ledger:
        held = [ledger.entry(key) for key in "abc"]

    assert [Entry("1", None), Entry("2", "remote"), None] == held


def test_a_broken_ledger_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "posts.sqlite"
    path.write_bytes(b"this is no database, and longer than a header of one hundred bytes" * 3)

    with pytest.raises(AnalyzerError, match="cannot use the ledger"), open_ledger(path):
        pass
