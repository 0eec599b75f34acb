"""The stand-in Hub (`cargo run --example hub`) as a process, with its log of requests."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from pathlib import Path
from urllib.parse import quote

from . import procs
from .procs import CannotRun, Failed


def find_hub() -> Path:
    """The stand-in's binary: `HFDEPOT_HUB_BIN`, else built with cargo (a no-op when up to date)."""
    if given := os.environ.get("HFDEPOT_HUB_BIN"):
        return Path(given).resolve()
    procs.say("building the stand-in Hub")
    built = subprocess.run(["cargo", "build", "--quiet", "--release", "--example", "hub"], cwd=procs.ROOT)
    if built.returncode:
        raise CannotRun("the stand-in Hub does not build: cargo build --release --example hub")
    target = Path(os.environ.get("CARGO_TARGET_DIR", procs.ROOT / "target"))
    return target / "release" / "examples" / "hub"


class StandIn:
    """A stand-in Hub serving a folder that holds `owner/name/…` and `datasets/owner/name/…`."""

    def __init__(self, folder: Path, log: Path, rate_mib: float | None = None):
        self.port = procs.free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        command: list = [find_hub(), folder, "--port", self.port, "--cdn-port", procs.free_port()]
        self.rate_mib = rate_mib
        if rate_mib:
            command += ["--rate", int(rate_mib * (1 << 20))]
        self.log = log
        self.process = procs.start(command, log=log)
        procs.poll("the stand-in Hub to have read what it serves", self._ready, 120)

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        procs.kill(self.process)

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            raise Failed(f"the stand-in Hub ended with code {self.process.returncode}:\n{procs.tail(self.log)}")
        # It listens before it has hashed all it serves; it says where it is when it is through.
        return self.endpoint.encode() in self.log.read_bytes()

    def control(self, method: str, route: str, body: object = None) -> object:
        """A call below `/__stand-in/`: `log`, `summary`, `faults`, `reset`, …"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            data = None if body is None else json.dumps(body)
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, f"/__stand-in/{route}", data, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise Failed(f"the stand-in Hub answered {answer.status} to {method} {route}: {text[:200]!r}")
        return json.loads(text) if text else None

    def summary(self) -> dict:
        """Figures: `bytes_sent`, `bytes_twice`, `requests`, `heads`, `authorization_at_cdn`, …"""
        return self.control("GET", "summary")

    def requests(self) -> list[dict]:
        """All requests, oldest first."""
        return self.control("GET", "log")["requests"]

    def commit(self, repo: str, dataset: bool = False) -> str:
        """The commit that `main` of a repo stands at."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            kind = "datasets" if dataset else "models"
            connection.request("GET", f"/api/{kind}/{quote(repo)}/revision/main")
            answer = connection.getresponse()
            return json.loads(answer.read())["sha"]
        finally:
            connection.close()
