"""How quickly hfdepot answers when it has much to tell.

1. 10,000 downloads are enqueued by concurrent clients, each acknowledged when it is on the disk.
2. With them in the table and two downloads running: the list of the newest 100, the summary.
3. Starts with that table, from the start of the process to the first healthy answer.
4. A repo of 100,000 files: its plan (beyond what the Hub itself takes to list it), memory, the largest message on the
   live feed and the scan of the library after it was downloaded.
5. A cache of 1,000 repos with 100,000 files: the list of all.

Prints a table with the bars; exit code 1 when one is missed, 77 when it could not run. `--quick` takes a tenth.
Figures of a debug build or of a machine with other work say little; the load is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import fixture, machine, procs
from kit.procs import Failed
from kit.service import Service, find_binary
from kit.standin import StandIn

MIB = 1 << 20
#: As many as a browser with a script of its own might use.
CLIENTS = 16
#: Bytes of each of the two downloads that run meanwhile, and how fast the Hub gives them.
RUNNING_BYTES, RUNNING_MIB_S = 96 * MIB, 4


class Bars:
    """What was measured, beside what it must be."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, bool]] = []

    def most(self, what: str, value: float, bar: float, unit: str) -> None:
        self._add(what, value, f"≤ {bar:g}", unit, value <= bar)

    def least(self, what: str, value: float, bar: float, unit: str) -> None:
        self._add(what, value, f"≥ {bar:g}", unit, value >= bar)

    def _add(self, what: str, value: float, bar: str, unit: str, holds: bool) -> None:
        self.rows.append((what, f"{value:.4g} {unit}", f"{bar} {unit}", holds))
        procs.say(f"{what}: {value:.4g} {unit} ({bar})")

    def note(self, what: str, value: float, unit: str) -> None:
        self.rows.append((what, f"{value:.4g} {unit}", "-", True))

    def table(self) -> str:
        lines = ["| what | measured | bar | |", "|---|--:|--:|---|"]
        return "\n".join(lines + [f"| {a} | {b} | {c} | {'met' if holds else '**missed**'} |" for a, b, c, holds in self.rows])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the jobs, files and repos")
    parser.add_argument("--hfdepot", metavar="PATH", help="binary (default: target/release/hfdepot)")
    parser.add_argument("--only", choices=("jobs", "files", "cache"), action="append", help="only this part")
    parser.add_argument("--out", type=Path, help="work here (default: the folder for temporary files)")
    options = parser.parse_args()
    binary = find_binary(options.hfdepot)
    parts = options.only or ["jobs", "files", "cache"]
    scale = 10 if options.quick else 1
    bars = Bars()
    with tempfile.TemporaryDirectory(prefix="hfdepot-bench-", dir=options.out) as work:
        work = Path(work)
        facts = machine.facts(work)
        for part in parts:
            home = work / part
            home.mkdir()
            {"jobs": _jobs, "files": _files, "cache": _cache}[part](binary, home, scale, bars)
    print(
        f"{facts['cores']} cores ({facts['cpu']}), {facts['memory_gib']} GiB, Linux {facts['kernel']}, load {facts['load'][0]} "
        f"before and {os.getloadavg()[0]:.2f} after, {next(iter(facts['file_systems'].values()))}, commit {facts['commit']}.\n"
    )
    print(bars.table(), flush=True)
    return 0 if all(holds for *_, holds in bars.rows) else 1


class Client:
    """One kept connection, as browsers and scripts with a session have it."""

    def __init__(self, service: Service):
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        data = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def _p99(client: Client, path: str, times: int) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds."""
    spans = []
    for _ in range(times):
        begun = time.perf_counter()
        status, text = client.ask("GET", path)
        spans.append((time.perf_counter() - begun) * 1000)
        if status != 200:
            raise Failed(f"GET {path} gave {status}: {text[:200]!r}")
    spans.sort()
    return statistics.median(spans), spans[max(0, -(-len(spans) * 99 // 100) - 1)]


def _jobs(binary: Path, home: Path, scale: int, bars: Bars) -> None:
    jobs = 10_000 // scale
    hub = home / "hub"
    for number in range(2):
        fixture.write_file(hub / "bench" / f"large-{number}" / "model.safetensors", RUNNING_BYTES, number)
    with StandIn(hub, home / "hub.log", rate_mib=RUNNING_MIB_S) as standin:
        service = Service(binary, home, standin.endpoint, "--max-active", "2")
        service.start()
        try:
            # Nothing starts while they come in: what is measured is the queue.
            service.ask("PUT", "/api/limits", {"pausedUntil": "forever"})
            bars.least(f"{jobs:,} downloads enqueued, {CLIENTS} clients", _enqueue(service, jobs), 200, "jobs/s")
            for number in range(2):
                service.submit(f"bench/large-{number}", priority=1000)
            service.ask("PUT", "/api/limits", {"pausedUntil": None})
            procs.poll("two downloads to run", lambda: _running(service) == 2, 60, every=0.05)
            client = Client(service)
            for path in ("/api/jobs?limit=100", "/api/summary"):
                median, slow = _p99(client, path, 400 if scale == 1 else 100)
                bars.most(f"`GET {path}` with {jobs:,} jobs, 2 running: p99 (median {median:.1f})", slow, 25, "ms")
            if _running(service) != 2:
                raise Failed("the two downloads ended before all was measured")
            service.ask("PUT", "/api/limits", {"pausedUntil": "forever"})
            starts = []
            for _ in range(5):
                service.stop()
                starts.append(service.start() * 1000)
            bars.most(f"start to healthy with {jobs:,} jobs (worst of 5)", max(starts), 500, "ms")
        finally:
            service.stop()


def _enqueue(service: Service, jobs: int) -> float:
    """Jobs acknowledged a second."""
    local = threading.local()

    def submit(number: int) -> None:
        if not hasattr(local, "client"):
            local.client = Client(service)
        status, text = local.client.ask("POST", "/api/download", {"repo": f"bench/repo-{number:05}"})
        if status != 202:
            raise Failed(f"POST /api/download gave {status}: {text[:200]!r}")

    begun = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in pool.map(submit, range(jobs), chunksize=50):
            pass
    return jobs / (time.monotonic() - begun)


def _running(service: Service) -> int:
    return service.ask("GET", "/api/summary")[1]["running"]


def _files(binary: Path, home: Path, scale: int, bars: Bars) -> None:
    files = 100_000 // scale
    folder = home / "hub" / "bench" / "many"
    for number in range(files):
        path = folder / f"part{number // 1000:03}" / f"item-{number:06}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n")
    with StandIn(home / "hub", home / "hub.log") as standin:
        service = Service(binary, home, standin.endpoint)
        service.start()
        try:
            service.ask("POST", "/api/plan", {"repo": "bench/none"})
            before = service.figures()["peak_bytes"]
            begun = time.monotonic()
            status, plan = service.ask("POST", "/api/plan", {"repo": "bench/many"}, seconds=120)
            took = time.monotonic() - begun
            if status != 200 or plan["totalFiles"] != files:
                raise Failed(f"the plan of {files} files gave {status} with {plan.get('totalFiles')} files")
            bars.most(f"plan of {files:,} files, beyond the Hub's time", took - _listing(standin), 3, "s")
            job = _download(service, files, bars)
            grown = (service.figures()["peak_bytes"] - before) / MIB
            bars.most(f"memory that plan and download of {files:,} files took", grown, 150, "MiB")
            begun = time.monotonic()
            status, listed = service.ask("GET", "/api/cache?fresh=true", seconds=120)
            bars.note(f"library looked through after {files:,} files", time.monotonic() - begun, "s")
            if (status, listed["count"]) != (200, 1) or listed["repos"][0]["fileCount"] != files:
                raise Failed(f"the library does not show job {job}: {json.dumps(listed)[:300]}")
        finally:
            service.stop()


def _listing(standin: StandIn) -> float:
    """Seconds that the Hub takes to list the repo, asked by a client that does nothing with it."""
    begun = time.monotonic()
    path: str | None = "/api/models/bench/many/tree/main?recursive=true"
    connection = http.client.HTTPConnection("127.0.0.1", standin.port, timeout=60)
    while path:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        link = answer.headers.get("Link", "")
        path = link[link.index("<") + 1 : link.index(">")].removeprefix(standin.endpoint) if 'rel="next"' in link else None
    return time.monotonic() - begun


def _download(service: Service, files: int, bars: Bars) -> str:
    largest = 0
    begun = time.monotonic()
    with service.watch(300) as feed:
        job = service.submit("bench/many")["id"]
        for message in feed:
            largest = max(largest, len(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()))
            data = message["data"]
            if message["type"] == "job_update" and data["id"] == job and data["status"] in ("completed", "failed"):
                if data["status"] == "failed":
                    raise Failed(f"the download of {files} files failed: {data['error']}")
                break
    bars.note(f"download of {files:,} small files", time.monotonic() - begun, "s")
    bars.most("largest message on the live feed", largest / 1024, 512, "KiB")
    return job


def _cache(binary: Path, home: Path, scale: int, bars: Bars) -> None:
    repos = 1000 // scale
    service = Service(binary, home, "http://127.0.0.1:9")
    for number in range(repos):
        _cached_repo(service.hub / f"models--bench--repo-{number:04}", number)
    service.start()
    try:
        begun = time.monotonic()
        status, listed = service.ask("GET", "/api/cache?fresh=true", seconds=300)
        bars.note(f"first look at {repos:,} repos with {repos * 100:,} files", time.monotonic() - begun, "s")
        if (status, listed["count"]) != (200, repos):
            raise Failed(f"the library has {listed.get('count')} repos, not {repos}")
        begun = time.monotonic()
        service.ask("GET", "/api/cache?fresh=true", seconds=300)
        bars.note("second look, nothing changed", time.monotonic() - begun, "s")
        median, slow = _p99(Client(service), "/api/cache", 100 if scale == 1 else 50)
        bars.most(f"`GET /api/cache` of {repos:,} repos: p99 (median {median:.1f})", slow, 250, "ms")
        median, slow = _p99(Client(service), "/api/cache/bench/repo-0001", 100)
        bars.most(f"`GET /api/cache/{{owner}}/{{name}}`: p99 (median {median:.1f})", slow, 50, "ms")
    finally:
        service.stop()


def _cached_repo(folder: Path, number: int) -> None:
    """A repo of 100 small files as the Hugging Face tools leave it."""
    commit = hashlib.sha1(str(number).encode()).hexdigest()
    for name in ("blobs", "refs", f"snapshots/{commit}"):
        (folder / name).mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit)
    for place in range(100):
        content = f"{number} {place}\n".encode()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        (folder / "blobs" / blob).write_bytes(content)
        (folder / "snapshots" / commit / f"file-{place:03}.json").symlink_to(f"../../blobs/{blob}")


if __name__ == "__main__":
    procs.run_main(main)
