"""What the line sees under a bandwidth limit: the bytes of each second, where they arrive.

A limit that is only kept where a program reads says little: the kernel takes in what nobody has read yet.
So this counts the bytes of the network interface itself, in a network namespace of its own with nothing
else in it, while hfdepot downloads from the stand-in Hub. Each row is one number of connections; the
worst second is the worst of all spans of one second, begun every 0.1 s, the mean is over the whole download.
Bytes of the interface count, so headers and the listings of the Hub are in them as well.

Bars: no second above 1.25, and of the large file the mean within 5 % of the limit; headers of small files weigh as
much. Exit code 1 when one is missed, 77 where no namespace can be made.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import fixture, procs
from kit.fixture import MIB
from kit.procs import CannotRun, Failed
from kit.service import TERMINAL, Service, find_binary
from kit.standin import StandIn, find_hub

#: Set in the process that runs in the namespace.
INSIDE = "HFDEPOT_BENCH_NAMESPACE"

#: Time between two looks at the counter, and looks in a second.
EVERY_S, LOOKS = 0.1, 10

#: linux/sockios.h and linux/if.h.
SIOCSIFFLAGS, IFF_UP = 0x8914, 1

WORST, OFF = 1.25, 0.05

LARGE, SMALL = "bench/large", "bench/small"


def main() -> int:
    options = _options()
    if os.environ.get(INSIDE) is None:
        return _again_in_namespace(options)
    _raise_loopback()
    rate = options.rate * MIB
    repos = procs.KEPT / "limit"
    sizes = [int(rate * options.seconds)]
    shutil.rmtree(repos, ignore_errors=True)
    fixture.make_repo(repos / LARGE, sizes, 0, "limit")
    small = int(rate * options.seconds / (32 << 10))
    fixture.make_repo(repos / SMALL, [], small, "limit")
    rows = []
    with tempfile.TemporaryDirectory(prefix="hfdepot-limit-", dir=options.out) as work:
        with StandIn(repos, Path(work) / "hub.log") as standin:
            for repo, connections in [(LARGE, count) for count in options.connections] + [(SMALL, 16)]:
                rows.append(_run(options, standin, Path(work) / "run", repo, connections, rate))
                procs.say(f"{repo} with {connections}: worst second {rows[-1][2]:.3f}, mean {rows[-1][4]:.3f}")
    shutil.rmtree(repos)
    print(f"Bytes on the interface over the limit of {options.rate:g} MiB/s.\n")
    print("| repo | connections | worst second | worst after 3 s | mean |\n|---|--:|--:|--:|--:|")
    for repo, connections, worst, later, mean in rows:
        print(f"| {repo} | {connections} | {worst:.2f} | {later:.2f} | {mean:.2f} |")
    held = all(worst <= WORST and (repo == SMALL or abs(mean - 1) <= OFF) for repo, _, worst, _, mean in rows)
    return 0 if held else 1


def _again_in_namespace(options: argparse.Namespace) -> int:
    if not shutil.which("unshare") or os.geteuid() != 0:
        raise CannotRun("a network namespace needs root and unshare (Debian: apt install util-linux)")
    # Built before: within there is no network.
    environment = os.environ | {INSIDE: "1", "HFDEPOT_HUB_BIN": str(find_hub())}
    return subprocess.run(["unshare", "--net", sys.executable, *sys.argv], env=environment).returncode


def _raise_loopback() -> None:
    """A new namespace has a loopback interface that is down; netdevice(7) says how to raise it."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def _run(
    options: argparse.Namespace, standin: StandIn, out: Path, repo: str, connections: int, rate: float
) -> tuple[str, int, float, float, float]:
    """One download; gives the worst second, the worst after three seconds, and the mean, over the limit."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    count = str(connections)
    limits = ("--max-speed", f"{options.rate:g}MiB", "--connections", count, "--max-connections", count)
    service = Service(find_binary(options.hfdepot), out, standin.endpoint, *limits)
    service.start()
    try:
        # As it is used: a service that has run for a while before somebody asks for something.
        time.sleep(1)
        job = service.submit(repo)["id"]
        seen = [(time.monotonic(), _arrived())]
        # One question in two seconds hardly counts on the line.
        while service.job(job)["status"] not in TERMINAL:
            for _ in range(2 * LOOKS):
                time.sleep(EVERY_S)
                seen.append((time.monotonic(), _arrived()))
            if seen[-1][0] - seen[0][0] > 5 * options.seconds + 30:
                raise Failed(f"{repo} did not end in time")
        if service.job(job)["status"] != "completed":
            raise Failed(f"{repo}: {service.job(job)}")
    finally:
        service.stop()
    speeds = list(_seconds(seen))
    # Until the last look that saw much come: the end of the download.
    busy = max(index for index in range(1, len(seen)) if seen[index][1] - seen[index - 1][1] > rate * EVERY_S / 10)
    mean = (seen[busy][1] - seen[0][1]) / (seen[busy][0] - seen[0][0])
    later = [speed for at, speed in speeds if at >= seen[0][0] + 3]
    return repo, connections, max(speed for _, speed in speeds) / rate, max(later) / rate, mean / rate


def _seconds(seen: list[tuple[float, int]]) -> Iterator[tuple[float, float]]:
    """Begin and speed of every span of a second, a look more where the looks came late."""
    for begin, (at, before) in enumerate(seen):
        for then, after in seen[begin:]:
            if then - at >= 1:
                yield at, (after - before) / (then - at)
                break


def _arrived() -> int:
    """Bytes that the interface has taken in."""
    lines = Path("/proc/self/net/dev").read_text().splitlines()
    return int(next(line for line in lines if line.strip().startswith("lo:")).split()[1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=8, help="the limit in MiB/s (default 8)")
    parser.add_argument("--seconds", type=int, default=15, help="length of one download (default 15)")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 4, 16], help="a row for each (default 1 4 16)")
    parser.add_argument("--out", type=Path, default=Path("/dev/shm"), help="download here (default /dev/shm)")
    parser.add_argument("--hfdepot", metavar="PATH", help="binary (default: the newest of target/{release,debug})")
    return parser.parse_args()


if __name__ == "__main__":
    procs.run_main(main)
