"""A run that is killed between sending and recording repeats nothing when it is run again."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from .reports import ALL, PYTHON, variables, write_report
from .servers import Fault, Service, serve
from .services import GitHub, Patchwork

pytestmark = pytest.mark.slow  # each starts several interpreters

ROOT = Path(__file__).resolve().parents[2]


def start(arguments: Sequence[str | Path], service: Service) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [PYTHON, "-m", "analyzer", "post", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **variables(service)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def kill_while_sending(arguments: Sequence[str | Path], service: Service) -> bytes:
    """Kill a run when the server has what it sent and has not answered."""
    service.faults.append(Fault("POST", "hold", after=True))
    with start(arguments, service) as ours:
        assert service.held.wait(60), "nothing was sent"
        ours.send_signal(signal.SIGKILL)
        assert ours.stdout is not None
        return ours.stdout.read()


def finish(arguments: Sequence[str | Path], service: Service) -> bytes:
    with start(arguments, service) as ours:
        output, _ = ours.communicate(timeout=60)
    assert 0 == ours.returncode, output
    return output


def test_a_killed_run_leaves_one_check_a_patch(tmp_path: Path) -> None:
    with serve(Patchwork()) as service:
        arguments = (
            *("--to", "patchwork", "--url", f"{service.url}/api", "--yes"),
            *("--ledger", tmp_path / "l", write_report(tmp_path, *ALL)),
        )
        killed = kill_while_sending(arguments, service)
        resumed = finish(arguments, service)

    assert isinstance(service, Patchwork)
    assert [1, 1] == [len(c) for c in service.checks.values()]
    assert b"already there: check `offlint` on patch 1" in resumed
    assert service.token.encode() not in killed + resumed


def test_a_killed_run_leaves_one_comment_a_finding(tmp_path: Path) -> None:
    with serve(GitHub()) as service:
        arguments = (
            *("--to", "github", "--url", service.url, "--project", "o/r", "--number", "7"),
            *("--yes", "--ledger", tmp_path / "l", write_report(tmp_path, *ALL)),
        )
        kill_while_sending(arguments, service)
        finish(arguments, service)
        finish(arguments, service)

    assert isinstance(service, GitHub)
    assert (2, 1) == (len(service.comments), len(service.notes))


def test_two_runs_at_once_do_not_both_post(tmp_path: Path) -> None:
    with serve(Patchwork()) as service:
        arguments = (
            *("--to", "patchwork", "--url", f"{service.url}/api", "--yes"),
            *("--ledger", tmp_path / "l", write_report(tmp_path, *ALL)),
        )
        runs = [start(arguments, service) for _ in range(2)]
        for ours in runs:
            ours.communicate(timeout=60)

    assert isinstance(service, Patchwork)
    assert [1, 1] == [len(c) for c in service.checks.values()]
    assert 2 == len(service.sent("POST"))
