"""The programs compared: each downloads one shape into an empty folder and is measured the same way."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from collections.abc import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import cache, hf, machine, procs
from kit.procs import Failed
from kit.service import TERMINAL, Service, peak_bytes, process_figures

from origin import Origin
from shapes import Shape

#: Connections every program may use for one file; curl uses one, and 16 over all files.
#: hfdepot's own default is 8 a file and 16 over all.
CONNECTIONS = 16
#: Connections of hfdepot over all files; how many it uses follows what they bring.
#: `aria2c -x16 -j16` may use 256.
CONNECTIONS_IN_ALL = 64

#: No single download of the benchmark may take longer.
LIMIT_SECONDS = 600


@dataclass
class Figures:
    """One run."""

    wall_s: float
    user_s: float
    system_s: float
    peak_bytes: int
    wchar_bytes: int
    write_bytes: int
    requests: int = 0
    sent_bytes: int = 0

    def as_json(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Peer:
    """A program: its name, its version, what it does, and how to run it."""

    name: str
    version: str
    note: str
    download: Callable[[Shape, str, Origin, Path], Figures]


def run(peer: Peer, shape: Shape, condition: str, origin: Origin, out: Path) -> Figures:
    """One measured download into `out`, which is empty before and removed after."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    try:
        mark = origin.mark()
        figures = peer.download(shape, condition, origin, out)
        figures.requests, figures.sent_bytes = origin.requests_since(mark)
        return figures
    finally:
        shutil.rmtree(out, ignore_errors=True)


def hfdepot(binary: Path, connections: int, in_all: int) -> Peer:
    """hfdepot: from POST to the message on the live feed that the job is completed."""
    checked: set[tuple[str, str]] = set()

    def download(shape: Shape, condition: str, origin: Origin, out: Path) -> Figures:
        limits = ("--max-connections", str(in_all), "--connections", str(connections))
        service = Service(binary, out, origin.endpoint(condition), *limits)
        service.start()
        try:
            with service.watch(LIMIT_SECONDS) as feed:
                next(feed)
                service.forget_peak()
                before = service.figures()
                begun = time.monotonic()
                job_id = service.submit(shape.repo)["id"]
                job = _until_ended(feed, job_id)
                wall = time.monotonic() - begun
                after = service.figures()
            if job["status"] != "completed":
                raise Failed(f"hfdepot: {shape.name}, {condition}: {job['status']}: {job.get('error')}")
            if (shape.name, condition) not in checked:
                checked.add((shape.name, condition))
                _check_cache(service.hub, shape)
        finally:
            service.stop()
        spent = {name: after[name] - before[name] for name in before}
        return Figures(**(spent | {"wall_s": wall, "peak_bytes": after["peak_bytes"]}))

    version = machine.first_line([str(binary), "--version"])
    return Peer(
        "hfdepot",
        version,
        f"hashes all bytes, durable checkpoints, HF cache layout; service running before; "
        f"at most {connections} connections a file and {in_all} over all",
        download,
    )


def _until_ended(feed: object, job_id: str) -> dict:
    for message in feed:
        if message["type"] == "job_update" and message["data"]["id"] == job_id:
            if message["data"]["status"] in TERMINAL:
                return message["data"]
    raise Failed("hfdepot closed its live feed before the job ended")


def _check_cache(hub: Path, shape: Shape) -> None:
    faults, blobs = cache.find_faults(hub)
    wanted = len({file.blob for file in shape.files})
    if blobs != wanted:
        faults.append(f"{blobs} blobs instead of {wanted}")
    snapshot = hub / f"models--{shape.repo.replace('/', '--')}" / "snapshots" / shape.commit
    faults += [f"{file.path}: no pointer" for file in shape.files if not (snapshot / file.path).is_file()]
    if faults:
        raise Failed(f"hfdepot: {shape.name}: {len(faults)} faults in the cache: " + "; ".join(faults[:5]))


def curl() -> Peer | None:
    """curl with all URLs in one configuration file, 16 transfers at once, one connection a file."""

    def download(shape: Shape, condition: str, origin: Origin, out: Path) -> Figures:
        lines = [f'url = "{url}"\noutput = "{out / path}"\n' for path, url in origin.urls(shape, condition).items()]
        listed = origin.work / "curl.conf"
        listed.write_text("location\nfail\nsilent\nshow-error\ncreate-dirs\n" + "".join(lines))
        figures = _measured(["curl", "--parallel", "--parallel-max", str(CONNECTIONS), "--config", listed], origin)
        _check_sizes("curl", out, shape)
        return figures

    note = "no hash, no sync, one connection a file"
    return (
        Peer("curl", _short(machine.first_line(["curl", "--version"])), note, download)
        if shutil.which("curl")
        else None
    )


def aria2() -> Peer | None:
    """aria2c with all URLs in one input file, 16 at once, 16 connections a file."""

    def download(shape: Shape, condition: str, origin: Origin, out: Path) -> Figures:
        listed = origin.work / "aria2.txt"
        lines = [f"{url}\n  out={path}\n" for path, url in origin.urls(shape, condition).items()]
        listed.write_text("".join(lines))
        count = str(CONNECTIONS)
        command = ["aria2c", f"-x{count}", f"-s{count}", f"-j{count}", "-k1M", "--quiet", "--no-conf",
                   "--dir", out, "--input-file", listed]  # fmt: skip
        figures = _measured(command, origin)
        _check_sizes("aria2", out, shape)
        return figures

    note = "no hash, no sync"
    return (
        Peer("aria2", machine.first_line(["aria2c", "--version"]), note, download) if shutil.which("aria2c") else None
    )


def hf_download() -> Peer | None:
    """The Hub's own client, over plain HTTP (the origin has no Xet)."""
    if not hf.installed():
        return None
    program = hf.VENV / "bin" / "hf"

    def download(shape: Shape, condition: str, origin: Origin, out: Path) -> Figures:
        command = [program, "download", shape.repo, "--max-workers", str(CONNECTIONS)]
        figures = _measured(command, origin, env=hf.env(out, origin.endpoint(condition)))
        snapshot = out / "hub" / f"models--{shape.repo.replace('/', '--')}" / "snapshots" / shape.commit
        _check_sizes("hf", snapshot, shape)
        return figures

    ask = "import importlib.metadata as m; print('huggingface_hub', m.version('huggingface_hub'))"
    version = machine.first_line([str(hf.VENV / "bin" / "python"), "-c", ask])
    return Peer("hf", version, "no hash, no sync, HF cache layout; wall includes Python's start", download)


def _short(version: str) -> str:
    return " ".join(version.split()[:2])


def _check_sizes(name: str, folder: Path, shape: Shape) -> None:
    wrong = [file.path for file in shape.files if not _has_size(folder / file.path, file.size)]
    if wrong:
        raise Failed(f"{name}: {shape.name}: {len(wrong)} files missing or of wrong size, as {wrong[0]}")


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _measured(command: list, origin: Origin, env: dict[str, str] | None = None) -> Figures:
    """Runs a command to its end. Figures are read from /proc while it is a zombie, before it is reaped."""
    log = origin.work / "peer.log"
    log.unlink(missing_ok=True)
    begun = time.monotonic()
    child = procs.start(command, log=log, env=env or procs.clean_env())
    # Memory is gone once a process has ended, and `ru_maxrss` counts this script's own pages
    # as they were at the fork: so the peak is read again and again while it runs.
    peak, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.01):
            try:
                peak = max(peak, peak_bytes(child.pid))
            except OSError:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    guard = threading.Timer(LIMIT_SECONDS, child.kill)
    guard.start()
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        wall = time.monotonic() - begun
        figures = process_figures(child.pid)
    finally:
        guard.cancel()
        ended.set()
        watcher.join()
    if procs.stop(child) != 0:
        raise Failed(f"{command[0]} ended with code {child.returncode}:\n{procs.tail(log)}")
    return Figures(**(figures | {"wall_s": wall, "peak_bytes": peak}))
