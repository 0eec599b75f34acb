"""A disk that fails at its n-th call costs at most a retry: no wrong byte, no crash, no job that hangs.

strace makes one system call of the real binary fail, the n-th of each of its threads: pwrite64, fallocate,
fdatasync, fsync and rename, with EIO, ENOSPC or EDQUOT, while a repo with one large and some small files
comes from the stand-in Hub. The calls hit data, folders and database alike. n grows until a run passes in
which nothing was left to fail. Then the same with calls that fail from the n-th on and never work again. In each run the service lives or ends with a sentence; then it is started
again on a sound disk, a job that failed is retried, and everything must be right: the job completed, every
blob with the hash its name says, the snapshot as the Hub served it, no part file left.

A last run delays every fdatasync by two seconds and asks /api/health all the while.

`write` is not among the calls: the program's own wake-ups use it too.

Exit code 0: holds; 1: does not, with the reason; 77: could not run. Standard output: one line.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import cache, fixture, procs
from kit.fixture import MIB
from kit.procs import CannotRun, Failed
from kit.service import TERMINAL, Service, find_binary
from kit.standin import StandIn

REPO = "faults/repo"

#: System calls, as strace names them, and the errors each may end with. A rename and an fsync that
#: find no space are as real as a write that does: quotas, and file systems that write late.
FAULTS = (
    ("pwrite64", ("ENOSPC", "EIO", "EDQUOT")),
    ("fdatasync", ("EIO", "ENOSPC")),
    ("fsync", ("EIO", "EDQUOT")),
    ("rename,renameat,renameat2", ("EIO", "ENOSPC")),
    ("fallocate", ("ENOSPC", "EIO")),
)

#: Calls from which on a disk stays broken.
LASTING_AT = (1, 2, 4, 8, 16, 32, 64, 128)

#: Ends of a failed job that a broken disk may cause, and nothing else may.
DISK_CODES = ("disk_full", "disk_read_only", "disk_error")


class Faulty(Service):
    """The service below strace. The process that is watched and stopped is hfdepot itself."""

    def __init__(self, *words: object, calls: str, inject: str, trace: Path):
        super().__init__(*words)
        self.strace = ["strace", "-D", "-f", "-qq", "-o", trace, "-e", f"trace={calls}", "-e", f"inject={calls}:{inject}"]
        self.trace = trace

    def start_unready(self) -> None:
        command = [*self.strace, "--", self.binary, "serve", "--port", self.port, "--data-dir", self.data_dir,
                   "--cache-dir", self.cache_root, "--endpoint", self.endpoint]  # fmt: skip
        self.process = procs.start(command, log=self.log, env=procs.clean_env())

    def injected(self) -> int:
        """Calls that were made to fail so far."""
        return self.trace.read_text(errors="replace").count("(INJECTED)") if self.trace.exists() else 0


def main() -> int:
    options = _options()
    binary = find_binary(options.hfdepot)
    if not _strace_works():
        raise CannotRun("strace may not trace here (not installed, or ptrace is forbidden): apt-get install strace")
    repos = procs.KEPT / "faults"
    fixture.make_repo(repos / REPO, [6 * MIB], 8, "faults")
    begun = time.monotonic()
    cut_short = []
    with tempfile.TemporaryDirectory(prefix="hfdepot-faults-", dir=options.work) as home:
        with StandIn(repos, Path(home) / "hub.log") as standin:
            runs, struck = 0, 0
            share = options.limit / (len(FAULTS) + 1)
            for (calls, errors), number in zip(FAULTS, itertools.count(1)):
                for n, error in zip(_steps(options.stride), itertools.cycle(errors)):
                    # A disk that stays broken takes seconds a run, so fewer of them.
                    if n in LASTING_AT:
                        place = Path(home) / f"{calls.split(',')[0]}-{n}-on"
                        hits = _run(binary, place, repos, standin, calls, f"error={error}:when={n}+")
                        procs.say(f"{calls.split(',')[0]} {error} from call {n} on: {hits} failed, all right after it")
                        runs, struck = runs + 1, struck + hits
                    place = Path(home) / f"{calls.split(',')[0]}-{n}"
                    hits = _run(binary, place, repos, standin, calls, f"error={error}:when={n}")
                    procs.say(f"{calls.split(',')[0]} {error} at call {n}: {hits} failed, all right after it")
                    shutil.rmtree(place)
                    runs, struck = runs + 1, struck + hits
                    if not hits:
                        break
                    if time.monotonic() - begun > share * number:
                        cut_short.append(f"{calls.split(',')[0]} at {n}")
                        break
            usual, slowest = _slow(binary, Path(home) / "slow", repos, standin)
    text = f"disk faults: {runs} runs with {struck} failed calls, each came right; "
    text += f"/api/health with fdatasync of 2 s: p99 {usual * 1000:.0f} ms, slowest {slowest * 1000:.0f} ms; "
    text += f"{time.monotonic() - begun:.0f} s"
    if cut_short:
        text += f"; not to the last call within the time: {', '.join(cut_short)}"
    print(text, flush=True)
    return 0


def _steps(stride: float):
    """1, 2, 3, …, with gaps that grow by the factor."""
    n = 1
    while True:
        yield n
        n = max(n + 1, int(n * stride))


def _run(binary: Path, place: Path, repos: Path, standin: StandIn, calls: str, inject: str) -> int:
    """One life with a fault and one without; gives the calls that failed."""
    place.mkdir()
    what, lasting = f"{calls} {inject}", inject.endswith("+")
    faulty = Faulty(binary, place, standin.endpoint, calls=calls, inject=inject, trace=place / "trace")
    job = None
    try:
        faulty.start(60)
        status, answer = faulty.ask("POST", "/api/download", {"repo": REPO})
        if status in (200, 202):
            job = answer["id"]
            try:
                end = procs.poll(f"job to end or wait ({what})", lambda: _settled(faulty, job), 2 if lasting else 120, every=0.05)
            except Failed:
                # What cannot be recorded cannot be shown; it must only end in order and come right.
                if not lasting or faulty.process.poll() is not None:
                    raise
                end = {"status": "unknown"}
            if end["status"] == "failed" and end.get("errorCode") not in DISK_CODES:
                raise Failed(f"{what}: the job failed as {end.get('errorCode')}: {end.get('error')}")
        elif status not in (503, 507):
            raise Failed(f"{what}: POST /api/download gave {status}: {answer}")
    except (Failed, OSError) as error:
        # It may refuse to start, or end, on a broken disk; but in order.
        if faulty.process.poll() in (None, 0) or "panicked" in procs.tail(faulty.log, 500):
            raise Failed(f"{what}: {error}\n{procs.tail(faulty.log)}") from None
    if faulty.process.poll() is None:
        procs.stop(faulty.process, 30)
    if faulty.process.returncode < 0:
        raise Failed(f"{what}: hfdepot ended by signal {-faulty.process.returncode}\n{procs.tail(faulty.log)}")
    if "panicked" in procs.tail(faulty.log, 500):
        raise Failed(f"{what}: a panic\n{procs.tail(faulty.log)}")
    # Before anything is mended: nothing wrong may have a final name.
    _demand(cache.find_faults(faulty.hub)[0], f"{what}: right after the fault")
    _come_right(binary, place, repos, standin, job, what)
    return faulty.injected()


def _settled(service: Service, job: str) -> dict | None:
    shown = service.job(job)
    waits = shown["status"] == "queued" and shown.get("waitReason")
    return shown if shown["status"] in TERMINAL or waits else None


def _come_right(binary: Path, place: Path, repos: Path, standin: StandIn, job: str | None, what: str) -> None:
    service = Service(binary, place, standin.endpoint)
    service.start(60)
    try:
        if job is None:
            job = service.ask("POST", "/api/download", {"repo": REPO})[1]["id"]
        if service.job(job)["status"] == "failed":
            status, answer = service.ask("POST", f"/api/jobs/{job}/retry")
            if status != 200:
                raise Failed(f"{what}: retry gave {status}: {answer}")
        service.wait_job(job, 120)
    except Failed as error:
        raise Failed(f"{what}, then on a sound disk: {error}") from None
    finally:
        procs.stop(service.process, 30)
    faults, _ = cache.find_faults(service.hub)
    folder = service.hub / f"models--{REPO.replace('/', '--')}"
    faults += cache.snapshot_faults(folder / "snapshots" / standin.commit(REPO), repos / REPO)
    faults += [str(path) for path in service.hub.glob("*/.hfdepot/*.part")]
    _demand(faults, f"{what}, then on a sound disk")


def _slow(binary: Path, place: Path, repos: Path, standin: StandIn) -> tuple[float, float]:
    """Seconds of the 99th of 100 answers and of the slowest while every sync takes two seconds."""
    place.mkdir()
    calls, trace = "fdatasync", place / "trace"
    service = Faulty(binary, place, standin.endpoint, calls=calls, inject="delay_exit=2000000", trace=trace)
    service.start(120)
    times = []
    try:
        job = service.submit(REPO)["id"]
        deadline = time.monotonic() + 120
        while service.job(job)["status"] not in TERMINAL:
            if time.monotonic() > deadline:
                raise Failed("with slow syncs the job does not end within 120 s")
            begun = time.monotonic()
            status, _ = service.ask("GET", "/api/health")
            times.append(time.monotonic() - begun)
            if status != 200:
                raise Failed(f"with slow syncs /api/health gave {status}")
        service.wait_job(job, 1)
    finally:
        procs.stop(service.process, 60)
    times.sort()
    usual, slowest = times[int(0.99 * (len(times) - 1))], times[-1]
    # Above what a busy machine costs; for the slowest half of one sync.
    if usual > 0.05 or slowest > 1:
        raise Failed(f"/api/health took {usual * 1000:.0f} ms (p99) and {slowest:.2f} s (slowest) while the disk was slow")
    _demand(cache.find_faults(service.hub)[0], "with slow syncs")
    return usual, slowest


def _demand(faults: list[str], when: str) -> None:
    if faults:
        raise Failed(f"{when}: " + "; ".join(faults[:8]))


def _strace_works() -> bool:
    try:
        probe = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "--", "true"]
        return subprocess.run(probe, capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stride", type=float, default=1, help="factor by which n grows (default 1: every n)")
    parser.add_argument("--limit", type=float, default=1800, help="seconds for all of it (default 1800)")
    parser.add_argument("--hfdepot", metavar="PATH", help="binary (default: the newest of target/{release,debug}/hfdepot)")
    parser.add_argument("--work", type=Path, help="where caches and databases go (default: a temporary folder)")
    options = parser.parse_args()
    if options.stride < 1:
        parser.error("--stride must be at least 1")
    return options


if __name__ == "__main__":
    procs.run_main(main)
