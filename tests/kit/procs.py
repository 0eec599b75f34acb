"""Processes that a script starts, and only those: start, watch, end by process id."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TypeVar
from collections.abc import Callable

T = TypeVar("T")

#: Top of the source tree.
ROOT = Path(__file__).resolve().parents[2]

#: What the scripts keep between runs: virtual environment, downloaded packages, generated files.
KEPT = ROOT / "tests" / ".cache"

#: Exit code for "could not run here", so that a caller can tell it from passed (0) and failed (1).
CANNOT_RUN = 77

_children: list[subprocess.Popen] = []


class Failed(Exception):
    """A claim did not hold; the text says which."""


class CannotRun(Exception):
    """The machine lacks something the script needs; the text says what and how to get it."""


def say(text: str) -> None:
    """One line for people, at once, on standard error: standard output is for results."""
    print(text, file=sys.stderr, flush=True)


def run_main(main: Callable[[], int | None]) -> None:
    """Runs a script's `main` and turns its way of ending into an exit code."""
    # A polite end must pass the `finally` blocks: they unmount and end children.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        code = main() or 0
    except Failed as error:
        print(f"FAILED: {error}", flush=True)
        code = 1
    except CannotRun as error:
        print(f"CANNOT RUN: {error}", flush=True)
        code = CANNOT_RUN
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def poll(what: str, probe: Callable[[], T | None], seconds: float, every: float = 0.002) -> T:
    """Asks again and again until `probe` gives something other than None or False.

    Raises Failed, naming `what`, when the deadline passes first."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(every)


def accepts(host: str, port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def clean_env(**more: str) -> dict[str, str]:
    """The environment without what would steer hfdepot, Hub clients or proxies, plus `more`."""
    steering = ("HFDEPOT_", "HF_", "HUGGING", "TRANSFORMERS_", "XDG_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(steering) and not name.lower().endswith("_proxy")
    }
    return kept | more


def start(command: list[str | Path], log: Path | None = None, **options) -> subprocess.Popen:
    """Starts a process that is ended, at the latest, when the script ends."""
    out = open(log, "ab") if log else subprocess.DEVNULL
    try:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            **options,
        )
    finally:
        if log:
            out.close()
    _children.append(child)
    return child


def kill(child: subprocess.Popen) -> None:
    """kill -9, and waits until the process is gone."""
    if child.poll() is None:
        child.kill()
    child.wait()
    if child in _children:
        _children.remove(child)


def stop(child: subprocess.Popen, seconds: float = 15) -> int:
    """Asks the process to end, waits, and gives its exit code; kills it after `seconds`."""
    if child.poll() is None:
        child.terminate()
    try:
        code = child.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(child)
        raise Failed(f"process {child.args[0]} did not end within {seconds:.0f} s of SIGTERM") from None
    if child in _children:
        _children.remove(child)
    return code


@atexit.register
def end_children(besides: subprocess.Popen | None = None) -> None:
    """Kills what this script has started and is still running, `besides` one."""
    for child in list(_children):
        if child is not besides:
            kill(child)


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log file, for error texts."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
