"""The live feed with a thousand clients: what each costs, and how late the last of them hears.

While one job downloads, so many WebSockets are opened, some of which never read a byte; the others note how
old each `job_update` is when it comes. Beside them `GET /api/jobs` is asked ten times a second. In the end the
ones that never read begin to, and must find the newest state of the job.

Bars: every client gets `init`, 24 KiB of memory each, an update is at most 250 ms old (p99), the list of jobs
takes at most 25 ms (p99). All clients live in one process on the same machine, which has to read what it times.
Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import fixture, procs
from kit.fixture import MIB
from kit.procs import Failed
from kit.service import Service, find_binary
from kit.standin import StandIn

REPO, SIZE_MIB, RATE_MIB = "bench/live", 512, 10
TEXT = 0x1

CLIENT_KIB, LAG_MS, JOBS_MS = 24, 250, 25


class Client:
    """One WebSocket that reads text frames."""

    async def open(self, port: int) -> None:
        """Connects, and reads the first frame."""
        # No more is read ahead, so that who reads nothing leaves it where it is.
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
        key = base64.b64encode(os.urandom(16)).decode()
        self._writer.write(
            f"GET /api/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise Failed(f"no WebSocket: {head[:80]!r}")
        first = await self.next()
        if first["type"] != "init":
            raise Failed(f"the first frame is {first['type']}")

    async def next(self) -> dict:
        """The next document."""
        while True:
            kind, length = await self._reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await self._reader.readexactly(2), "big")
            elif length == 127:
                length = int.from_bytes(await self._reader.readexactly(8), "big")
            payload = await self._reader.readexactly(length)
            if kind & 0x0F == TEXT:
                return json.loads(payload)

    def close(self) -> None:
        """Without a word."""
        self._writer.transport.abort()


async def crowd(options: argparse.Namespace, service: Service, job: str) -> bool:
    """All clients; whether the bars are met."""
    before = _resident_bytes(service)
    clients = [Client() for _ in range(options.clients)]
    begun = time.monotonic()
    for start in range(0, len(clients), 50):
        await asyncio.gather(*(client.open(service.port) for client in clients[start : start + 50]))
    took = time.monotonic() - begun
    mute, readers = clients[: options.mute], clients[options.mute :]
    lags: list[float] = []

    async def read(client: Client) -> None:
        while True:
            message = await client.next()
            if message["type"] == "job_update":
                lags.append(time.time() - datetime.fromisoformat(message["data"]["updatedAt"]).timestamp())

    tasks = [asyncio.create_task(read(client)) for client in readers]
    answers = []
    for _ in range(10 * options.seconds):
        await asyncio.sleep(0.1)
        # By a process that has nothing else to do, and times itself.
        command = ["-s", "-o", "/dev/null", "-w", "%{time_total}", f"http://127.0.0.1:{service.port}/api/jobs"]
        asking = await asyncio.create_subprocess_exec("curl", *command, stdout=asyncio.subprocess.PIPE)
        answers.append(float((await asking.communicate())[0]))
    after = _resident_bytes(service)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    if lost := [end for end in ended if not isinstance(end, asyncio.CancelledError)]:
        raise Failed(f"{len(lost)} clients were cut off: {lost[0]!r}")
    await asyncio.to_thread(service.ask, "POST", f"/api/jobs/{job}/pause")
    for client in mute:
        await asyncio.wait_for(_until_paused(client), 30)
    for client in clients:
        client.close()
    rows = [
        ("memory of one client", (after - before) / 1024 / len(clients), CLIENT_KIB, "KiB"),
        ("age of an update, p99", _p99(lags) * 1e3, LAG_MS, "ms"),
        ("GET /api/jobs beside them, p99", _p99(answers) * 1e3, JOBS_MS, "ms"),
    ]
    print(f"{len(clients)} clients connected in {took:.1f} s, {len(mute)} of which read nothing before the end; "
          f"{len(lags)} updates; {before / MIB:.0f} MiB before, {after / MIB:.0f} MiB with them.\n")  # fmt: skip
    print("| what | figure | bar | |\n|---|--:|--:|---|")
    for what, figure, bar, unit in rows:
        print(f"| {what} | {figure:.1f} {unit} | {bar} {unit} | {'met' if figure <= bar else 'MISSED'} |")
    return all(figure <= bar for _, figure, bar, _ in rows)


async def _until_paused(client: Client) -> None:
    while True:
        message = await client.next()
        if message["type"] == "job_update" and message["data"]["status"] == "paused":
            return


def _resident_bytes(service: Service) -> int:
    for line in Path(f"/proc/{service.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise Failed("hfdepot has ended")


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000, help="WebSockets (default 1000)")
    parser.add_argument("--mute", type=int, default=50, help="so many of them read nothing (default 50)")
    parser.add_argument("--seconds", type=int, default=15, help="so long they listen (default 15)")
    parser.add_argument("--hfdepot", metavar="PATH", help="binary (default: the newest of target/{release,debug})")
    options = parser.parse_args()
    repos = procs.KEPT / "live"
    fixture.write_file(repos / REPO / "model.safetensors", SIZE_MIB * MIB, "live")
    with tempfile.TemporaryDirectory(prefix="hfdepot-live-", dir="/dev/shm") as work:
        with StandIn(repos, Path(work) / "hub.log", RATE_MIB) as standin:
            service = Service(find_binary(options.hfdepot), Path(work), standin.endpoint)
            service.start()
            try:
                job = service.submit(REPO)["id"]
                time.sleep(2)
                return 0 if asyncio.run(crowd(options, service, job)) else 1
            finally:
                service.stop()


if __name__ == "__main__":
    procs.run_main(main)
