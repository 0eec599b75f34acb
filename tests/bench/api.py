"""How quick the API stays with a long queue, a repo of many files and a large cache.

Four looks at one release build on loopback, each with a bar:

- queue: jobs are enqueued by eight clients at once, each answered when it is on disk. With all of them in the
  table and two downloads under way, `GET /api/jobs?limit=100` and `GET /api/summary` are asked in turn over one
  kept connection; then the service is stopped and started, and killed and started.
- plan: the plan of a repo with very many files; the time that the stand-in Hub takes to list them to a client
  that does nothing else is subtracted. The peak of resident memory is taken over plan and download of it.
- live: the longest message on the WebSocket while that repo is planned and downloaded.
- cache: a cache of many repos made by another program is indexed, listed, and looked through again.

A table in Markdown goes to standard output; the exit code is 1 when a bar is missed.
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import fixture, machine, procs
from kit.fixture import MIB
from kit.procs import Failed
from kit.service import Service, find_binary
from kit.standin import StandIn

BUSY = ("bench/busy-a", "bench/busy-b")
HUGE = "bench/huge"
#: Clients that enqueue at once.
CLIENTS = 8
#: Times that each answer is asked for.
ASKED = 500
#: Beyond it a frame is too long for the WebSocket of many clients.
MESSAGE_BAR = 512 << 10


@dataclass
class Line:
    """A figure with its bar."""

    name: str
    value: float
    bar: float
    unit: str
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the bar is reached."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def main() -> int:
    options = _options()
    binary = find_binary(options.hfdepot)
    if "debug" in binary.parts:
        procs.say(f"warning: {binary} is a debug build; its figures say nothing")
    with tempfile.TemporaryDirectory(prefix="hfdepot-api-", dir=options.out) as work:
        place = Path(work)
        facts = machine.facts(place)
        served = place / "served"
        for repo in BUSY:
            fixture.write_file(served / repo / "model.safetensors", 512 * MIB, "bench-api")
        _many_files(served / HUGE, options.files)
        lines: list[Line] = []
        with StandIn(served, place / "hub.log") as hub:
            lines += _queue(binary, place / "queue", hub, options.jobs)
            lines += _plan(binary, place / "plan", hub, options.files)
        lines += _cache(binary, place / "cache", options.repos, options.cached)
    facts["load_after"] = [round(value, 2) for value in os.getloadavg()]
    print(_report(facts, lines))
    return 0 if all(line.met for line in lines) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--jobs", type=int, help="jobs in the table (default 10000)")
    parser.add_argument("--files", type=int, help="files of the large repo (default 100000)")
    parser.add_argument("--repos", type=int, help="repos of the large cache (default 1000)")
    parser.add_argument("--cached", type=int, help="files in each of them (default 100)")
    parser.add_argument(
        "--out", type=Path, default=Path(tempfile.gettempdir()), help="where everything lies (default: the temp folder)"
    )
    parser.add_argument("--hfdepot", metavar="PATH", help="binary (default: target/release/hfdepot)")
    options = parser.parse_args()
    for name, count in {"jobs": 10_000, "files": 100_000, "repos": 1_000, "cached": 100}.items():
        usual = count // 10 if options.quick and name != "cached" else count
        setattr(options, name, getattr(options, name) or usual)
    return options


class Client:
    """One kept connection."""

    def __init__(self, service: Service):
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        data = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def _queue(binary: Path, home: Path, hub: StandIn, jobs: int) -> list[Line]:
    home.mkdir()
    service = Service(binary, home, hub.endpoint)
    service.start()
    # 512 MiB at this speed outlast the questions.
    running = [service.submit(repo, maxSpeed="4MiB")["id"] for repo in BUSY]
    rate = jobs / _timed(lambda: _enqueue(service, jobs))
    procs.poll(
        "both downloads to run", lambda: all(service.job(job)["progress"]["downloadedBytes"] for job in running), 60
    )
    client = Client(service)
    times = {path: _asked(client, path) for path in ("/api/jobs?limit=100", "/api/summary")}
    still = [service.job(job)["status"] for job in running]
    if still != ["running", "running"]:
        raise Failed(f"the two downloads did not run all the time: {still}")
    service.stop()
    starts = [service.start()]
    for _ in range(4):
        service.kill()
        starts.append(service.start())
    service.stop()
    lines = [Line(f"{jobs:,} jobs enqueued, durable", rate, 200, "jobs/s", at_least=True)]
    lines += [_p99(f"GET {path} with {jobs:,} jobs, two running", found, 25) for path, found in times.items()]
    lines.append(
        Line(f"start to healthy with {jobs:,} jobs", max(starts) * 1e3, 500, "ms", note="worst of 5, 4 after kill -9")
    )
    return lines


def _enqueue(service: Service, jobs: int) -> None:
    """Enqueues that many jobs that do not start."""
    wrong: list[str] = []

    def work(client: Client, numbers: range) -> None:
        for number in numbers:
            body = {"repo": f"bench/repo-{number:06}", "notBefore": "2999-01-01T00:00:00Z"}
            status, answer = client.ask("POST", "/api/download", body)
            if status != 202:
                wrong.append(f"{status}: {answer[:200]!r}")
                return

    workers = [
        threading.Thread(target=work, args=(Client(service), range(first, jobs, CLIENTS))) for first in range(CLIENTS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if wrong:
        raise Failed(f"POST /api/download gave {wrong[0]}")


def _plan(binary: Path, home: Path, hub: StandIn, files: int) -> list[Line]:
    home.mkdir()
    hub_time = statistics.median(_timed(lambda: _list_tree(hub, files)) for _ in range(3))
    service = Service(binary, home, hub.endpoint)
    service.start()
    before = service.figures()["peak_bytes"]
    plans = []
    for _ in range(3):
        begun = time.monotonic()
        status, plan = service.ask("POST", "/api/plan", {"repo": HUGE}, seconds=120)
        plans.append(time.monotonic() - begun)
        if status != 200 or plan["totalFiles"] != files:
            raise Failed(f"the plan of {HUGE} gave {status}: {str(plan)[:200]}")
    longest, frames = 0, 0
    with service.watch(60) as feed:
        job = service.submit(HUGE)["id"]
        until = time.monotonic() + 30
        for message in feed:
            longest, frames = max(longest, feed.length), frames + 1
            if time.monotonic() > until or _is_end(message, job):
                break
        fetched = service.job(job)["progress"]["completedFiles"]
        service.ask("DELETE", f"/api/jobs/{job}")
        growth = service.figures()["peak_bytes"] - before
    service.stop()
    own = statistics.median(plans) - hub_time
    return [
        Line(
            f"plan of {files:,} files, beyond the Hub's time", own, 3, "s", note=f"median of 3; the Hub {hub_time:.1f} s"
        ),
        Line(
            f"memory grown by plan and download of {files:,} files", growth / MIB, 150, "MiB",
            note=f"{fetched:,} files fetched in 30 s",
        ),
        Line("longest message on the WebSocket", longest / 1024, MESSAGE_BAR / 1024, "KiB", note=f"of {frames:,}"),
    ]  # fmt: skip


def _is_end(message: dict, job: str) -> bool:
    data = message.get("data") or {}
    return message.get("type") == "job_update" and data.get("id") == job and data.get("status") == "completed"


def _list_tree(hub: StandIn, files: int) -> None:
    """Lists a tree page by page, as any client has to."""
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=60)
    path, entries = f"/api/models/{HUGE}/tree/main?recursive=true&expand=false", 0
    while path:
        connection.request("GET", path)
        answer = connection.getresponse()
        entries += sum(entry["type"] == "file" for entry in json.loads(answer.read()))
        link = answer.getheader("Link") or ""
        path = link[link.find("<") + 1 : link.find(">")].replace(hub.endpoint, "") if 'rel="next"' in link else ""
    if entries != files:
        raise Failed(f"the stand-in Hub lists {entries} files of {files}")


def _many_files(folder: Path, files: int) -> None:
    for first in range(0, files, 1000):
        part = folder / f"part-{first // 1000:03}"
        part.mkdir(parents=True)
        for number in range(first, min(first + 1000, files)):
            (part / f"item-{number:06}.txt").write_text(f"{number}\n")


def _cache(binary: Path, home: Path, repos: int, files: int) -> list[Line]:
    home.mkdir()
    service = Service(binary, home, "http://127.0.0.1:1")
    _fill(service.hub, repos, files)
    begun = time.monotonic()
    service.start()
    client = Client(service)

    def count() -> bool:
        return json.loads(client.ask("GET", "/api/cache")[1])["count"] == repos

    procs.poll("the cache to be indexed", count, 120, every=0.05)
    first = time.monotonic() - begun
    listed = _asked(client, "/api/cache")
    one = _asked(client, "/api/cache/bench/repo-0000")
    (service.hub / "models--bench--repo-0001" / "refs" / "other").write_text("f" * 40)
    again = _timed(lambda: client.ask("GET", "/api/cache"))
    service.stop()
    what = f"{repos:,} repos and {repos * files:,} files"
    return [
        Line(f"start to a listed cache of {what}", first, 30, "s"),
        _p99(f"GET /api/cache, {what}", listed, 250),
        _p99("GET /api/cache/{owner}/{name}", one, 50),
        Line("GET /api/cache after a change in one repo", again * 1e3, 1000, "ms"),
    ]


def _fill(hub: Path, repos: int, files: int) -> None:
    """A cache as huggingface_hub leaves it."""
    for number in range(repos):
        repo = hub / f"models--bench--repo-{number:04}"
        commit = f"{number:040x}"
        for folder in ("blobs", "refs", f"snapshots/{commit}"):
            (repo / folder).mkdir(parents=True)
        (repo / "refs" / "main").write_text(commit)
        for place in range(files):
            content = f"{number} {place}".encode()
            blob = hashlib.sha1(b"blob %d\0%s" % (len(content), content)).hexdigest()
            (repo / "blobs" / blob).write_bytes(content)
            (repo / "snapshots" / commit / f"file-{place:03}.txt").symlink_to(f"../../blobs/{blob}")


def _timed(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def _asked(client: Client, path: str) -> list[float]:
    """Seconds of each answer."""
    times = []
    for _ in range(ASKED):
        begun = time.monotonic()
        status, answer = client.ask("GET", path)
        times.append(time.monotonic() - begun)
        if status != 200:
            raise Failed(f"GET {path} gave {status}: {answer[:200]!r}")
    return times


def _p99(name: str, times: list[float], bar_ms: float) -> Line:
    cuts = statistics.quantiles(times, n=100)
    return Line(name, cuts[98] * 1e3, bar_ms, "ms", note=f"p99 of {len(times)}; median {cuts[49] * 1e3:.1f} ms")


def _report(facts: dict, lines: list[Line]) -> str:
    rows = [
        f"| {line.name} | {line.value:,.1f} {line.unit} | {'≥' if line.at_least else '≤'} {line.bar:,.0f} {line.unit} |"
        f" {'met' if line.met else 'MISSED'} | {line.note} |"
        for line in lines
    ]
    head = f"{facts['cpu']}, {facts['cores']} cores, load {facts['load'][0]} before and {facts['load_after'][0]} after"
    return "\n".join([head, "", "| what | figure | bar | | |", "|---|---|---|---|---|", *rows])


if __name__ == "__main__":
    procs.run_main(main)
