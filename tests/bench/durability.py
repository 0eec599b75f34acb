"""What durability costs: one large file at the pace of a 1 Gbit/s line, with syncs and without.

hfdepot downloads the same file from the stand-in Hub into a real file system in turns: as it is, and with a
library in front of it (eatmydata) that answers every sync at once without doing it. The rest is the same, so
the difference of the times is what hfdepot pays for what survives a loss of power.

Bar: at most 2 % more time, medians. Exit code 1 when it is missed, 77 where eatmydata is not there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import fixture, machine, procs
from kit.fixture import MIB
from kit.procs import CannotRun
from kit.service import Service, find_binary
from kit.standin import StandIn

REPO = "bench/durability"
BAR = 0.02


def main() -> int:
    options = _options()
    library = _library()
    repos = procs.KEPT / "durability"
    fixture.write_file(repos / REPO / "model.safetensors", options.mib * MIB, "durability")
    walls: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory(prefix="hfdepot-durability-", dir=options.out) as work:
        with StandIn(repos, Path(work) / "hub.log", options.rate) as standin:
            for number in range(options.runs):
                for durable in (True, False) if number % 2 == 0 else (False, True):
                    wall = _run(options, standin, Path(work) / "run", None if durable else library)
                    walls[durable].append(wall)
                    procs.say(f"{number + 1}/{options.runs} {'with' if durable else 'without'} syncs: {wall:.2f} s")
    with_syncs, without = statistics.median(walls[True]), statistics.median(walls[False])
    cost = with_syncs / without - 1
    facts = machine.facts(options.out)
    print(f"{options.mib} MiB at {options.rate:g} MiB/s into {facts['file_systems'][str(options.out)]}, medians of {options.runs}: "
          f"{with_syncs:.2f} s with syncs, {without:.2f} s without, {cost:+.1%} (bar {BAR:.0%}).")  # fmt: skip
    return 0 if cost <= BAR else 1


def _run(options: argparse.Namespace, standin: StandIn, out: Path, library: str | None) -> float:
    """Seconds from the request to the completed job."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    # What was written before must not be paid for by this run.
    os.sync()
    service = Service(find_binary(options.hfdepot), out, standin.endpoint)
    if library is not None:
        os.environ["LD_PRELOAD"] = library
    try:
        service.start()
    finally:
        os.environ.pop("LD_PRELOAD", None)
    try:
        begun = time.monotonic()
        service.wait_job(service.submit(REPO)["id"], 60 + 6 * options.mib / options.rate)
        return time.monotonic() - begun
    finally:
        service.stop()


def _library() -> str:
    found = sorted(Path("/usr/lib").glob("*/libeatmydata.so"))
    if not found:
        raise CannotRun("libeatmydata.so is missing (Debian: apt install eatmydata)")
    return str(found[0])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=2048, help="size of the file (default 2048)")
    parser.add_argument("--rate", type=float, default=113.5, help="MiB/s from the Hub (default 113.5: 119 MB/s)")
    parser.add_argument("--runs", type=int, default=3, help="rounds; the median counts (default 3)")
    parser.add_argument(
        "--out", type=Path, default=procs.KEPT, help="a folder on a real file system (default tests/.cache)"
    )
    parser.add_argument("--hfdepot", metavar="PATH", help="binary (default: the newest of target/{release,debug})")
    return parser.parse_args()


if __name__ == "__main__":
    procs.run_main(main)
