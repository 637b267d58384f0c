"""Talk to a web service: with a time limit, with patience, and without telling the token."""

from __future__ import annotations

import email.utils
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from analyzer import __version__
from analyzer.base import AnalyzerError
from analyzer.report.plain import plain

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

T = TypeVar("T")

#: A decoded JSON value.
Json = Any

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_FORBIDDEN, _NOT_FOUND, _TOO_MANY = 403, 404, 429
_MINUTE = 60.0


class BusyError(AnalyzerError):
    """Report that a server asks to come back later; wait is what it asks for, in seconds."""

    wait: float | None = None


class RefusedError(AnalyzerError):
    """Report that a server refuses a request for good, and so did nothing."""

    status: int = 0


class SilentError(AnalyzerError):
    """Report that no answer came, so that nobody knows what the server did."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long to try again where a server is busy."""

    attempts: int = 5
    first: float = 1.0  # seconds; doubled each time
    longest: float = 120.0  # a server that asks for more is given up
    sleep: Callable[[float], None] = time.sleep

    def run(self, work: Callable[[], T]) -> T:
        """Do the work until the server is not busy any more; raise BusyError where it stays so."""
        from tenacity import Retrying, retry_if_exception, stop_after_attempt

        return Retrying(
            retry=retry_if_exception(self._is_worth_it),
            stop=stop_after_attempt(self.attempts),
            wait=self._wait,
            sleep=self.sleep,
            reraise=True,
        )(work)

    def _is_worth_it(self, error: BaseException) -> bool:
        return isinstance(error, BusyError) and (error.wait or 0) <= self.longest

    def _wait(self, state: RetryCallState) -> float:
        from tenacity import wait_exponential_jitter

        error = state.outcome and state.outcome.exception()
        if isinstance(error, BusyError) and error.wait is not None:
            return error.wait
        return wait_exponential_jitter(self.first, self.longest, jitter=self.first)(state)


@dataclass(frozen=True, slots=True)
class Client:
    """One service under one address. Reading is tried again by itself, writing is not."""

    http: httpx.Client
    token: str = field(repr=False)
    patience: Patience

    def get(self, path: str, **parameters: str | int) -> Json:
        """Return what the service answers, decoded."""
        return self._decoded(self._read(path, parameters))

    def exists(self, path: str) -> bool:
        """Tell whether the service has a page."""
        try:
            self._read(path, {})
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                return False
            raise
        return True

    def pages(self, path: str, **parameters: str | int) -> Iterator[Json]:
        """Yield the items of all pages of a list."""
        at: str | None = path
        while at is not None:
            answer = self._read(at, parameters if at == path else {})
            yield from self._decoded(answer)
            at = answer.links.get("next", {}).get("url")
            if at is not None and not self._is_ours(at):
                raise AnalyzerError(f"{self.http.base_url}: the next page is on another server")

    def write(self, method: str, path: str, body: Mapping[str, Json]) -> Json:
        """Send something once; raise BusyError, RefusedError or SilentError where it fails."""
        return self._decoded(self._ask(method, path, body=body))

    def _read(self, path: str, parameters: Mapping[str, str | int]) -> httpx.Response:
        return self.patience.run(lambda: self._ask("GET", path, parameters=parameters))

    def _is_ours(self, url: str) -> bool:
        ours, theirs = urlsplit(str(self.http.base_url)), urlsplit(url)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: Mapping[str, Json] | None = None,
    ) -> httpx.Response:
        import httpx

        try:
            answer = self.http.request(method, path, params=parameters or None, json=body)
        except httpx.TransportError as error:
            raise SilentError(
                f"{self.http.base_url}: no answer to {method} {path}: "
                f"{type(error).__name__} {self._hide(str(error))}"
            ) from None
        if answer.is_success:
            return answer
        said = self._hide(plain(answer.text))[:300]
        message = f"{self.http.base_url}: {method} {path}: {answer.status_code} {said}"
        if answer.status_code == _TOO_MANY or answer.is_server_error or _is_throttled(answer):
            busy = BusyError(message)
            busy.wait = _wait_of(answer)
            raise busy
        refused = RefusedError(message + self._advice(answer.status_code))
        refused.status = answer.status_code
        raise refused

    def _decoded(self, answer: httpx.Response) -> Json:
        try:
            return answer.json()
        except ValueError:
            raise AnalyzerError(
                f"{answer.url}: the answer is not JSON; is --url the address of the API?"
            ) from None

    def _advice(self, status: int) -> str:
        if status in (401, 403):
            return "; is the token right, and may it write there?" if self.token else "; no token"
        return ""

    def _hide(self, text: str) -> str:
        return text.replace(self.token, "***") if self.token else text


def _is_throttled(answer: httpx.Response) -> bool:
    """Tell whether a 403 speaks of too many requests: GitHub sends that where others send 429."""
    return answer.status_code == _FORBIDDEN and (
        "Retry-After" in answer.headers or _is_used_up(answer) or _is_secondary(answer)
    )


def _is_used_up(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("X-RateLimit-Remaining") == "0")


def _is_secondary(answer: httpx.Response) -> bool:
    return "secondary rate limit" in answer.text.lower()


def _wait_of(answer: httpx.Response) -> float | None:
    """Return the seconds that an answer asks to wait; None where it leaves that to us."""
    wait = wait_asked(answer.headers.get("Retry-After"))
    if wait is not None:
        return wait
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if _is_used_up(answer) and reset.isdecimal():
        return max(0.0, int(reset) - time.time())
    # GitHub may ban who comes back sooner.
    return _MINUTE if _is_secondary(answer) else None


def wait_asked(header: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for; None where it asks for nothing."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        at = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def read_token(variables: Sequence[str], path: Path | None) -> str:
    """Return the token from a file or from the first variable of the environment that has one.

    Raise AnalyzerError where there is none. No message ever holds any of it.
    """
    if path is not None:
        try:
            token, where = path.read_text("utf-8").strip(), str(path)
        except OSError as error:
            raise AnalyzerError(f"{path}: cannot read the token: {error.strerror}") from None
        except UnicodeDecodeError:
            raise AnalyzerError(f"{path}: cannot read the token: not UTF-8 text") from None
    else:
        where = next((v for v in variables if os.environ.get(v)), variables[0])
        token = os.environ.get(where, "").strip()
    if not token:
        raise AnalyzerError(f"no token in {where}: set {variables[0]} or name a --token-file")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise AnalyzerError(f"{where}: this is no token: it holds blanks or other odd characters")
    return token


def open_client(
    url: str,
    headers: Mapping[str, str],
    token: str,
    *,
    timeout: float,
    patience: Patience,
    option: str = "--url",
) -> Client:
    """Return a client for the service at a URL; option names the URL in messages.

    Raise AnalyzerError where it is no URL, or an unsafe one.
    """
    import httpx

    try:
        httpx.URL(url)
        parts = urlsplit(url)
    except (ValueError, httpx.InvalidURL):
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AnalyzerError(f"{option} {plain(url)}: expected https://HOST/...")
    if parts.username or parts.password:
        raise AnalyzerError(
            f"{option}: no user or password there: tokens come from the environment"
        )
    if token and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise AnalyzerError(f"{option} {plain(url)}: a token is sent by https only")
    agent = {"User-Agent": f"offlint/{__version__}", "Accept": "application/json"}
    # The machine's own authorities. Plain HTTP stays on this machine and trusts nobody.
    trusted = (
        ssl.create_default_context()
        if parts.scheme == "https"
        else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    http = httpx.Client(
        base_url=url.rstrip("/") + "/",
        headers={**agent, **headers},
        timeout=timeout,
        verify=trusted,
    )
    return Client(http, token, patience)
