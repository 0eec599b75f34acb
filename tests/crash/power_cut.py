"""A power cut at a random moment breaks no promise and leaves no wrong byte under a final name.

Database, cache and part files lie on an ext4 of their own; everything hfdepot acknowledged is noted outside
of it. At random moments the file system is shut down without flushing (the ioctl that file system developers
use), which loses all that was not synced; the process is killed, the file system mounted anew, and looked at
before hfdepot starts and after. A trial cut first shows that cuts really lose data on this kernel.

Looked at: SQLite's integrity_check on a copy; every blob against the hash in its name; pointers, refs and
snapshots of completed jobs; after the start every acknowledged job, pause, resume, cancel and setting. In the end
every job must be completed. "Again" are bytes the Hub sent more than once; the bar is 192 MiB a cut
(64 MiB for each of three files under way).

Exit code 0: holds; 1: does not, with the reason; 77: could not run (not root, no loop device, …).
"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import scenario
from kit import cache, procs
from kit.fixture import MIB
from kit.procs import Failed
from kit.service import Service, find_binary
from kit.standin import StandIn
from mount import Mount, prove


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="hfdepot-cut-", dir=options.work) as outside:
        outside = Path(outside)
        with Mount(outside, mib=3072) as disk:
            prove(disk)
            procs.say("the trial cut lost what was not synced, and only that")
            binary = find_binary(options.hfdepot)
            repos = procs.KEPT / "crash"
            size = scenario.make_repos(repos, options.cuts)
            procs.say(f"power cut: {options.cuts} cuts, seed {options.seed}, {size // MIB} MiB at {options.rate} MiB/s")
            with StandIn(repos, outside / "hub.log", options.rate) as standin:
                limits = ("--max-connections", "16", "--connections", "8")
                service = Service(binary, disk.place, standin.endpoint, *limits, log=outside / "hfdepot.log")
                try:
                    return _loop(options, disk, service, standin, repos, size, outside)
                finally:
                    # Before unmounting: the process holds files open.
                    if service.process:
                        service.kill()


def _loop(
    options: argparse.Namespace, disk: Mount, service: Service, standin: StandIn, repos: Path, size: int, outside: Path
) -> int:
    begun = time.monotonic()
    chance = random.Random(options.seed)
    ledger = scenario.Ledger(service, chance)
    service.start()
    ledger.begin()
    for number, gap in enumerate(scenario.gaps(options.seed, options.cuts, size, options.rate)):
        if time.monotonic() - begun > options.limit:
            raise Failed(f"not through within {options.limit} s: {number} cuts so far (seed {options.seed})")
        deed = ledger.act(number) if chance.random() < 0.8 else "nothing"
        scenario.pause(gap, service)
        ledger.look()
        disk.cut()
        service.kill()
        disk.unmount()
        disk.mount()
        when = f"after cut {number + 1} (seed {options.seed})"
        faults, blobs = _look(service, outside)
        scenario.demand(faults + ledger.check_snapshots(repos, standin), when)
        procs.say(f"cut {number + 1}/{options.cuts} after {gap:.2f} s, {deed}: {blobs} blobs right")
        service.start()
        scenario.demand(ledger.check(), when)
    ledger.finish(options.limit - (time.monotonic() - begun))
    scenario.demand(ledger.check(), f"in the end (seed {options.seed})")
    if code := service.stop():
        raise Failed(f"hfdepot ended with code {code} on SIGTERM")
    faults, blobs = _look(service, outside)
    faults += ledger.check_snapshots(repos, standin) + scenario.leftover_parts(service.hub)
    scenario.demand(faults, f"in the end (seed {options.seed})")
    disk.unmount()
    disk.check()
    again = standin.summary()["bytes_twice"] / MIB
    print(
        f"power cut: {options.cuts} cuts (seed {options.seed}), {len(ledger.completed)} jobs completed and "
        f"{len(ledger.jobs)} acknowledged jobs known, {blobs} blobs right, {again / options.cuts:.1f} MiB again a cut, "
        f"{time.monotonic() - begun:.0f} s",
        flush=True,
    )
    if again / options.cuts > options.bar:
        raise Failed(f"{again / options.cuts:.1f} MiB fetched again a cut, more than {options.bar} MiB")
    return 0


def _look(service: Service, outside: Path) -> tuple[list[str], int]:
    """Faults on the disk while nobody runs on it, and the number of blobs."""
    faults, blobs = cache.find_faults(service.hub)
    copy = outside / "copy.db"
    # A copy: opening the database would do hfdepot's own recovery for it.
    for suffix in ("", "-wal", "-shm"):
        here, there = service.data_dir / f"hfdepot.db{suffix}", Path(f"{copy}{suffix}")
        there.unlink(missing_ok=True)
        if suffix != "-shm" and here.exists():
            shutil.copyfile(here, there)
    try:
        with closing(sqlite3.connect(copy)) as database:
            answer = [row[0] for row in database.execute("PRAGMA integrity_check")]
            if answer != ["ok"]:
                faults.append("the database is damaged: " + "; ".join(answer[:3]))
            if not list(database.execute("SELECT 1 FROM sqlite_master LIMIT 1")):
                faults.append("the database is empty")
    except sqlite3.DatabaseError as error:
        faults.append(f"the database cannot be read: {error}")
    return faults, blobs


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=20, help="number of power cuts (default 20)")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="default: drawn and printed"
    )
    parser.add_argument("--rate", type=float, default=24, help="MiB/s from the Hub over all connections (default 24)")
    parser.add_argument(
        "--bar", type=float, default=192, help="MiB that may be fetched again a cut, on average (default 192)"
    )
    parser.add_argument("--limit", type=float, default=900, help="seconds for all of it (default 900)")
    parser.add_argument(
        "--hfdepot", metavar="PATH", help="binary (default: the newest of target/{release,debug}/hfdepot)"
    )
    parser.add_argument(
        "--work", type=Path, help="where the image goes (default: a temporary folder; needs up to 3 GiB)"
    )
    options = parser.parse_args()
    if options.cuts < 1 or options.rate <= 0:
        parser.error("--cuts and --rate must be positive")
    return options


if __name__ == "__main__":
    procs.run_main(main)
