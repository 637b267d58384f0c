"""Render a reply to the patch mail as the kernel's lists expect it: plain text, quoted hunks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from email import policy
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from itertools import groupby

from analyzer import __version__
from analyzer.base import Severity
from analyzer.findings import Finding, Migration, Result, Status
from analyzer.report import words
from analyzer.report.letter import Letter, Person
from analyzer.report.plain import plain, tabbed, wrap
from analyzer.report.quote import quoted
from analyzer.report.view import View
from analyzer.spelling import in_words

_WIDTH = 78
_GAPS = 5  # gaps that are named; the rest is counted
#: Message ids above this length would be cut by folding, and are kept on one line instead.
_FOLDABLE = 70
#: A message id that is fit for a header.
_ID = re.compile(r"[!-;=?-~]{1,900}")


def render(view: View) -> bytes:
    """Return one mail for the whole series, and nothing where the series leaves nothing open.

    It answers the patch with the gravest finding. What a later patch mends is not spoken of, and
    what was there before is only counted. The Message-Id depends on the series alone.
    """
    found = view.selected.open
    if not found:
        return b""
    patches = list(dict.fromkeys(_patch(f) for f in found))
    letters = {letter.patch: letter for letter in view.letters}
    main = letters.get(patches[0])
    lines: list[bytes] = []
    for patch in patches:
        about = [f for f in found if _patch(f) == patch]
        lines.extend(_part(about, patch, letters.get(patch), view, is_first=patch == patches[0]))
    lines.extend(line.encode() for line in _closing(view))
    return _message(main, view, b"\n".join(lines) + b"\n")


def _patch(finding: Finding) -> int:
    return finding.introduced_by or 1


def _part(
    findings: Sequence[Finding], patch: int, letter: Letter | None, view: View, *, is_first: bool
) -> Iterator[bytes]:
    """Yield what is said of one patch: its hunks, each with the question right beneath."""
    subject = _subject(patch, letter, view)
    if is_first:
        yield from _encoded(_attribution(letter, subject))
    else:
        yield from _encoded(["", *wrap(f"In the same series, {subject}:", _WIDTH)])
    graves = [f for f in findings if f.severity is not Severity.NOTE]
    groups = groupby(sorted(graves, key=_cause_key), key=_cause_key)
    for n, about in enumerate(list(group) for _, group in groups):
        if n:
            yield b""
        yield from _quote(about[0], letter, view)
        yield from _encoded(_question(about, view))
    notes = [f for f in findings if f.severity is Severity.NOTE]
    if notes:
        if not graves:
            yield from _quote(notes[0], letter, view)
        yield from _encoded(["", "Nothing breaks because of these, but they are no longer true:"])
        for note in notes:
            yield from _encoded(["", *_site(note, view)])


def _cause_key(finding: Finding) -> tuple[str, int, str]:
    cause = finding.cause
    return (cause.span.file, cause.span.line, cause.function) if cause else ("", 0, "")


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (line.encode() for line in lines)


def _subject(patch: int, letter: Letter | None, view: View) -> str:
    if letter is not None and letter.subject:
        return _unencoded(letter.subject)
    named = [p.subject for p in view.selected.result.patches if p.index == patch]
    return _unencoded(named[0]) if named and named[0] else f"patch {patch}"


def _attribution(letter: Letter | None, subject: str) -> list[str]:
    """Return the line that says who wrote what is quoted; without a mail, which patch it is."""
    if letter is None or letter.sender is None:
        return wrap(f"{subject}:", _WIDTH)
    name = plain(letter.sender[0]) or plain(letter.sender[1])
    try:
        date = parsedate_to_datetime(letter.date).strftime("%Y-%m-%d %H:%M %z").strip()
    except ValueError:
        return wrap(f"{name} wrote:", _WIDTH)
    return wrap(f"On {date}, {name} wrote:", _WIDTH)


def _quote(finding: Finding, letter: Letter | None, view: View) -> Iterator[bytes]:
    cause = finding.cause
    if cause is None or letter is None:
        return
    source = view.read(cause.span.file, letter.patch) or b""
    lines = source.split(b"\n")
    text = lines[cause.span.line - 1] if cause.span.line <= len(lines) else None
    yield from quoted(letter, cause.span, text)


def _question(findings: Sequence[Finding], view: View) -> list[str]:
    """Ask about the sites that one change makes stale, each with code and how it is reached."""
    names = list(dict.fromkeys(f"{f.function}()" if f.function else f.file for f in findings))
    now = " ".join(_now(m) for m in view.selected.result.migrations if _is_cause(m, findings[0]))
    when = "then" if now else "after this"
    if len(names) == 1:
        ask = f"Is {names[0]} still right {when}?"
    else:
        ask = f"Are these {len(findings)} places still right {when}?"
    out = ["", *wrap(plain(f"{now} {ask}"), _WIDTH)]
    for finding in findings:
        out.extend(["", *_site(finding, view)])
    return out


def _is_cause(migration: Migration, finding: Finding) -> bool:
    one, other = migration.cause, finding.cause
    if one is None or other is None:
        return False
    return (one.span.file, one.function) == (other.span.file, other.function)


def _now(migration: Migration) -> str:
    after, before = in_words(migration.after), in_words(migration.before)
    start = f"{migration.population} start {after} instead of {before}"
    but = f", except {', '.join(migration.exceptions)}" if migration.exceptions else ""
    by = migration.cause.function if migration.cause is not None else ""
    with_this = f"With this in {by}()" if by else "With this"
    return f"{with_this}, {start}{but}."


def _site(finding: Finding, view: View) -> Iterator[str]:
    """Yield a site as a reader of the code knows it: file and function, code, the way there."""
    head = f"{finding.file}: {finding.function}()" if finding.function else finding.file
    yield from wrap(plain(head), _WIDTH, first="  ", rest="  ")
    yield from (f"\t{line}" for line in _code(finding, view))
    yield from wrap(f"{plain(finding.message)}. [{finding.rule}]", _WIDTH, first="  ", rest="  ")
    if chain := _chain(finding):
        yield from wrap(plain(f"Reached by {chain}"), _WIDTH, first="  ", rest="    ")
    if (end := finding.trace[-1:]) and end[0].has_turned:
        was = f"Before the patch such pages came there {end[0].before}, now {end[0].after}."
        yield from wrap(plain(was), _WIDTH, first="  ", rest="  ")
    if finding.fix is not None:
        yield from ("", "  This would do:", "")
        yield from (tabbed(line) for line in finding.fix.splitlines())


def _code(finding: Finding, view: View) -> list[str]:
    """Return the line of a site; of a longer one, a comment say, what speaks of the old state."""
    source = view.read(finding.file, finding.stage) or b""
    span = finding.span
    lines = [
        tabbed(line.strip().decode("utf-8", "replace"))
        for line in source.split(b"\n")[span.line - 1 : max(span.line, span.end_line)]
    ]
    old = {m.before.casefold() for m in view.selected.result.migrations}
    telling = [line for line in lines if any(word in line.casefold() for word in old)]
    return [line for line in (telling or lines)[:1] if line]


def _chain(finding: Finding) -> str:
    """Return the calls that lead to a finding's end: `f() -> g() -> h()`."""
    calls = [step.function for step in finding.trace if step.is_call]
    names = [*calls, *(step.function for step in finding.trace[-1:])]
    chain = [f"{name}()" for name in dict.fromkeys(names) if name]
    return " -> ".join(chain) if len(chain) > 1 else ""


def _closing(view: View) -> Iterator[str]:
    """Yield what was looked at, what was not understood, and what is left out."""
    result = view.selected.result
    read = " in ".join(
        (words.counted(result.functions, "function"), words.counted(result.files_read, "file"))
    )
    populations = list(dict.fromkeys(m.population for m in result.migrations))
    if populations:
        read += f", following {words.listed(populations)} from where they are made"
    yield ""
    yield from wrap(plain(f"Looked at: {read}."), _WIDTH)
    if doubts := words.doubts(result):
        yield from wrap(plain(f"Not everything was looked at: {'; '.join(doubts)}."), _WIDTH)
    yield from _gaps(result)
    before = sum(f.status is Status.PRE_EXISTING for f in result.findings)
    if before:
        those = f"{words.counted(before, 'finding')} that {'was' if before == 1 else 'were'}"
        yield from wrap(f"Left out: {those} there before.", _WIDTH)
    yield ""
    yield "-- "
    yield f"offlint {__version__}, static analysis; it can be wrong"


def _gaps(result: Result) -> Iterator[str]:
    if not result.gaps:
        return
    count = words.counted(len(result.gaps), "place")
    yield from wrap(f"Not understood, so nothing is said of it: {count}.", _WIDTH)
    for gap in result.gaps[:_GAPS]:
        where = f"{gap.file}: {gap.function}()" if gap.function else gap.file
        text = plain(f"{where}: {gap.detail}".removeprefix(": "))
        yield from wrap(text, _WIDTH, first="  ", rest="    ")
    if len(result.gaps) > _GAPS:
        yield f"  and {len(result.gaps) - _GAPS} more"


def _message(letter: Letter | None, view: View, body: bytes) -> bytes:
    ids = [] if letter is None else [*letter.references, letter.message_id]
    ids = [i for i in dict.fromkeys(ids) if _ID.fullmatch(i)]
    width = _WIDTH if all(len(i) <= _FOLDABLE for i in ids) else 998
    mail = EmailMessage(policy.default.clone(max_line_length=width, cte_type="8bit"))
    if view.sender:
        mail["From"] = plain(view.sender)
    if letter is not None:
        _address(mail, letter)
    subject = _subject(letter.patch if letter else 1, letter, view)
    mail["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    mail["Message-ID"] = _own_id(view)
    if letter is not None and letter.message_id in ids:
        mail["In-Reply-To"] = f"<{letter.message_id}>"
        mail["References"] = " ".join(f"<{i}>" for i in ids)
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = f'text/plain; charset="{_charset(letter, body)}"'
    mail["Content-Transfer-Encoding"] = "8bit"
    mail.set_payload(body.decode("ascii", "surrogateescape"))
    return mail.as_bytes()


def _unencoded(text: str) -> str:
    """Return a text for a header on one line; what looks like an encoded word stays as it is."""
    return plain(text).replace("=?", "= ?")


def _address(mail: EmailMessage, letter: Letter) -> None:
    to = _addresses([letter.sender] if letter.sender else [])
    known = {a.addr_spec.lower() for a in to}
    others = [a for a in _addresses(letter.others) if a.addr_spec.lower() not in known]
    if to:
        mail["To"] = to
    if others:
        mail["Cc"] = list({a.addr_spec.lower(): a for a in others}.values())


def _addresses(people: Iterable[Person]) -> list[Address]:
    """Return those people whose addresses are fit for a header."""
    found = []
    for name, address in people:
        try:
            found.append(Address(_unencoded(name), addr_spec=address))
        except (ValueError, HeaderParseError, IndexError):
            continue
    return found


def _own_id(view: View) -> str:
    """Return a Message-Id that a second run on the same series arrives at again."""
    keys = [letter.key for letter in view.letters]
    keys = keys or [f"{p.message_id}\0{p.subject}" for p in view.selected.result.patches]
    digest = hashlib.blake2b("\n".join(keys).encode("utf-8", "replace"), digest_size=16)
    domain = parseaddr(view.sender)[1].rpartition("@")[2] or "offlint.invalid"
    return f"<offlint-{digest.hexdigest()}@{domain}>"


def _charset(letter: Letter | None, body: bytes) -> str:
    """Return the encoding of the body: quoted lines keep the one that they came in."""
    for name in ("utf-8", letter.charset if letter is not None else ""):
        try:
            body.decode(name or "utf-8")
        except (UnicodeDecodeError, LookupError):
            continue
        return name or "utf-8"
    return "iso-8859-1"
