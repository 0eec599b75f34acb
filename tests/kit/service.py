"""hfdepot as its users see it: a process to start, kill and stop, and an HTTP API to ask."""

from __future__ import annotations

import http.client
import json
import os
import time
from pathlib import Path

from . import procs
from .procs import Failed
from .ws import WebSocket

#: States a job does not leave by itself.
TERMINAL = ("completed", "failed", "cancelled")


def find_binary(given: str | None = None) -> Path:
    """The binary to test: as given, else `HFDEPOT_BIN`, else the newest of release and debug build."""
    named = given or os.environ.get("HFDEPOT_BIN")
    target = Path(os.environ.get("CARGO_TARGET_DIR", procs.ROOT / "target"))
    built = [Path(named)] if named else [target / kind / "hfdepot" for kind in ("release", "debug")]
    there = [path for path in built if path.is_file()]
    if not there:
        raise Failed(f"no hfdepot binary at {' or '.join(map(str, built))}; build it with: cargo build --release")
    return max(there, key=lambda path: path.stat().st_mtime).resolve()


class Service:
    """One hfdepot on one data directory and one cache, over any number of restarts."""

    def __init__(self, binary: Path, home: Path, endpoint: str, *options: str, log: Path | None = None):
        self.binary = binary
        self.data_dir = home / "data"
        self.cache_root = home / "cache"
        #: The Hub cache, as `HF_HUB_CACHE` would name it.
        self.hub = self.cache_root / "hub"
        self.endpoint = endpoint
        self.options = options
        self.log = log or home / "hfdepot.log"
        self.port = procs.free_port()
        self.process = None

    def start(self, seconds: float = 30) -> float:
        """Starts it and waits until it answers; gives the seconds from start to healthy."""
        begun = time.monotonic()
        self.start_unready()
        procs.poll("hfdepot to answer /api/health", self._healthy, seconds)
        return time.monotonic() - begun

    def start_unready(self) -> None:
        """Starts it and does not wait."""
        command = [self.binary, "serve", "--port", self.port, "--data-dir", self.data_dir,
                   "--cache-dir", self.cache_root, "--endpoint", self.endpoint, *self.options]  # fmt: skip
        self.process = procs.start(command, log=self.log, env=procs.clean_env())

    def _healthy(self) -> bool:
        if self.process.poll() is not None:
            raise Failed(f"hfdepot ended at start with code {self.process.returncode}:\n{procs.tail(self.log)}")
        try:
            return self.ask("GET", "/api/health")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9."""
        procs.kill(self.process)

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        return procs.stop(self.process)

    def ask(self, method: str, path: str, body: object = None, seconds: float = 30) -> tuple[int, dict]:
        """One API request; gives status and JSON body. OSError when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            data = None if body is None else json.dumps(body)
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text) if text else {}
        except ValueError:
            raise Failed(f"{method} {path} answered {answer.status} without JSON: {text[:200]!r}") from None

    def submit(self, repo: str, **fields: object) -> dict:
        """Submits a download that must be new (202); gives the job."""
        status, job = self.ask("POST", "/api/download", {"repo": repo, **fields})
        if status != 202:
            raise Failed(f"POST /api/download for {repo} gave {status}: {job}")
        return job

    def job(self, job_id: str) -> dict:
        """A job that must be known."""
        status, job = self.ask("GET", f"/api/jobs/{job_id}")
        if status != 200:
            raise Failed(f"job {job_id} is not known: GET gave {status}")
        return job

    def wait_job(self, job_id: str, seconds: float, wanted: str = "completed") -> dict:
        """Waits, asking every 20 ms, until the job has ended, and as `wanted`."""

        def ended() -> dict | None:
            if self.process.poll() is not None:
                raise Failed(f"hfdepot ended with code {self.process.returncode}:\n{procs.tail(self.log)}")
            job = self.job(job_id)
            return job if job["status"] in TERMINAL else None

        job = procs.poll(f"job {job_id} to end", ended, seconds, every=0.02)
        if job["status"] != wanted:
            raise Failed(f"job {job_id} of {job['repo']} ended as {job['status']}, not {wanted}: {job.get('error')}")
        return job

    def watch(self, timeout: float) -> WebSocket:
        """A connection to the live feed."""
        return WebSocket("127.0.0.1", self.port, "/api/ws", timeout)

    def figures(self) -> dict[str, float]:
        """CPU seconds, peak resident bytes and bytes written of the process so far."""
        return process_figures(self.process.pid)

    def forget_peak(self) -> None:
        """Lets the peak of resident memory begin anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


def process_figures(pid: int) -> dict[str, float]:
    """`user_s`, `system_s`, `peak_bytes`, `wchar_bytes`, `write_bytes` of a process, from /proc."""
    # The command's name in brackets may hold spaces; fields are counted from its end.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    io = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return {
        "user_s": int(fields[11]) / tick,
        "system_s": int(fields[12]) / tick,
        "peak_bytes": peak_bytes(pid),
        "wchar_bytes": int(io["wchar"]),
        "write_bytes": int(io["write_bytes"]),
    }


def peak_bytes(pid: int) -> int:
    """Peak resident memory; 0 once the process has ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
