"""kill -9 at random moments costs no promise, no wrong byte and hardly a byte fetched twice.

Three repositories with files of 64 to 256 MiB and 450 small files come from the stand-in Hub at a limited
rate, so that the work outlasts all kills. Before most kills something is submitted, paused, resumed or
cancelled. One kill in five strikes while the service is still starting. After each kill it is started again
at once. In the end: everything acknowledged still holds, every job is completed, every blob has the
hash its name says, every snapshot equals what the Hub served, no part file is left.

"Again" are bytes the Hub sent more than once (its log, by spans of each blob); the bar is 1 MiB a kill on
average. Moments and changes of mind are drawn from the seed that is printed.

Exit code 0: holds; 1: does not, with the reason; 77: could not run. Standard output: one line.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import scenario
from kit import cache, procs
from kit.fixture import MIB
from kit.procs import Failed
from kit.service import Service, find_binary
from kit.standin import StandIn


def main() -> int:
    options = _options()
    binary = find_binary(options.hfdepot)
    repos = procs.KEPT / "crash"
    if options.fresh:
        shutil.rmtree(repos, ignore_errors=True)
    size = scenario.make_repos(repos, options.kills)
    procs.say(f"kill loop: {options.kills} kills, seed {options.seed}, {size // MIB} MiB at {options.rate} MiB/s")
    with tempfile.TemporaryDirectory(prefix="hfdepot-kill-", dir=options.work) as home:
        with StandIn(repos, Path(home) / "hub.log", options.rate) as standin:
            limits = ("--max-connections", "16", "--connections", "8")
            service = Service(binary, Path(home), standin.endpoint, *limits)
            try:
                return _loop(options, service, standin, repos, size)
            finally:
                if service.process:
                    service.kill()


def _loop(options: argparse.Namespace, service: Service, standin: StandIn, repos: Path, size: int) -> int:
    begun = time.monotonic()
    chance = random.Random(options.seed)
    ledger = scenario.Ledger(service, chance)
    starts = [service.start()]
    ledger.begin()
    for number, gap in enumerate(scenario.gaps(options.seed, options.kills, size, options.rate)):
        if time.monotonic() - begun > options.limit:
            raise Failed(f"not through within {options.limit} s: {number} kills so far (seed {options.seed})")
        deed = ledger.act(number) if chance.random() < 0.8 else "nothing"
        scenario.pause(gap, service)
        ledger.look()
        service.kill()
        procs.say(f"kill {number + 1}/{options.kills} after {gap:.2f} s, {deed}")
        if chance.random() < 0.2:
            service.start_unready()
            scenario.pause(chance.uniform(0, 0.1), service)
            service.kill()
        starts.append(service.start())
        scenario.demand(ledger.check(), f"after kill {number + 1} (seed {options.seed})")
    ledger.finish(options.limit - (time.monotonic() - begun))
    scenario.demand(ledger.check(), f"in the end (seed {options.seed})")
    if code := service.stop():
        raise Failed(f"hfdepot ended with code {code} on SIGTERM")
    faults, blobs = cache.find_faults(service.hub)
    faults += ledger.check_snapshots(repos, standin) + scenario.leftover_parts(service.hub)
    scenario.demand(faults, f"in the cache (seed {options.seed})")
    figures = standin.summary()
    again = figures["bytes_twice"] / MIB
    text = (
        f"kill loop: {options.kills} kills (seed {options.seed}), {len(ledger.completed)} jobs completed and "
        f"{len(ledger.jobs)} acknowledged jobs known, {blobs} blobs right, {again / options.kills:.2f} MiB again a kill "
        f"({again:.1f} MiB in all of {figures['bytes_sent'] / MIB:.0f}), healthy after "
        f"{statistics.median(starts) * 1000:.0f} ms (median) and {max(starts) * 1000:.0f} ms (worst), "
        f"{time.monotonic() - begun:.0f} s"
    )
    print(text, flush=True)
    if again / options.kills > options.bar:
        raise Failed(f"{again / options.kills:.2f} MiB fetched again a kill, more than {options.bar} MiB")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="number of kills (default 100)")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="default: drawn and printed"
    )
    parser.add_argument("--rate", type=float, default=16, help="MiB/s from the Hub over all connections (default 16)")
    parser.add_argument(
        "--bar", type=float, default=1, help="MiB that may be fetched again a kill, on average (default 1)"
    )
    parser.add_argument("--limit", type=float, default=600, help="seconds for all of it (default 600)")
    parser.add_argument(
        "--hfdepot", metavar="PATH", help="binary (default: the newest of target/{release,debug}/hfdepot)"
    )
    parser.add_argument("--work", type=Path, help="where the cache and the database go (default: a temporary folder)")
    parser.add_argument("--fresh", action="store_true", help="make the repositories anew")
    options = parser.parse_args()
    if options.kills < 1 or options.rate <= 0:
        parser.error("--kills and --rate must be positive")
    return options


if __name__ == "__main__":
    procs.run_main(main)
