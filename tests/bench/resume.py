"""What a crash costs: kill -9 in the middle of one 2 GiB file, start again, count the bytes fetched again.

Each program downloads the file from the stand-in Hub at a limited rate, is killed with SIGKILL once the Hub has
sent half of it, and is started again as a user would (hfdepot: the service; the others: the same command). With
three kills that happens at a quarter, at half and at three quarters; bytes sent again do not count for that.
"Again" are bytes the Hub sent more than once, from its log by spans of the file; bytes still in the kernel's
socket buffers at the kill count, a few hundred KiB a connection at most. A program
that starts anew fetches half of the file again.

A table in Markdown goes to standard output, medians over the runs. Exit code 1 when a file is wrong.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import cache, fixture, hf, machine, procs
from kit.fixture import MIB
from kit.procs import CannotRun, Failed
from kit.service import Service, find_binary
from kit.standin import StandIn

REPO, FILE = "bench/resume", "model.safetensors"

#: Connections every program may use.
CONNECTIONS = 16


class Download:
    """A program at work on the file, in a folder that outlives it."""

    def __init__(self, standin: StandIn, out: Path):
        self.standin = standin
        self.out = out

    def begin(self) -> None:
        """Starts it, for the first time or again."""
        raise NotImplementedError

    def kill(self) -> None:
        """kill -9."""
        raise NotImplementedError

    def finish(self, seconds: float) -> Path:
        """Waits for its end; gives the finished file."""
        raise NotImplementedError


class Hfdepot(Download):
    """The service; the job is submitted once, and goes on by itself after the restart."""

    binary: Path

    def __init__(self, standin: StandIn, out: Path):
        super().__init__(standin, out)
        limits = ("--max-connections", str(CONNECTIONS), "--connections", "8")
        self.service = Service(self.binary, out, standin.endpoint, *limits)
        self.job: str | None = None

    def begin(self) -> None:
        self.service.start()
        if self.job is None:
            self.job = self.service.submit(REPO)["id"]

    def kill(self) -> None:
        self.service.kill()

    def finish(self, seconds: float) -> Path:
        self.service.wait_job(self.job, seconds)
        self.service.stop()
        return _in_cache(self.service.hub, self.standin)


class Command(Download):
    """A program that is started with the same command again."""

    def command(self) -> list:
        """The command line."""
        raise NotImplementedError

    def result(self) -> Path:
        """The finished file."""
        raise NotImplementedError

    def begin(self) -> None:
        environment = hf.env(self.out, self.standin.endpoint)
        self.process = procs.start(self.command(), log=self.out / "log", env=environment)

    def kill(self) -> None:
        if self.process.poll() is not None:
            raise Failed(f"{self.command()[0]} ended before it was killed:\n{procs.tail(self.out / 'log')}")
        procs.kill(self.process)

    def finish(self, seconds: float) -> Path:
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.command()[0]} did not end within {seconds:.0f} s") from None
        finally:
            procs.kill(self.process)
        if code:
            raise Failed(f"{self.command()[0]} ended with code {code}:\n{procs.tail(self.out / 'log')}")
        return self.result()


class Aria2(Command):
    """aria2c, which finds its control file beside the data."""

    def command(self) -> list:
        url = f"{self.standin.endpoint}/{REPO}/resolve/{self.standin.commit(REPO)}/{FILE}"
        count = CONNECTIONS
        return ["aria2c", f"-x{count}", f"-s{count}", f"-j{count}", "-k1M", "-c", "--quiet", "--no-conf",
                "--dir", self.out, "--out", FILE, url]  # fmt: skip

    def result(self) -> Path:
        return self.out / FILE


class Hf(Command):
    """The Hub's own client."""

    def command(self) -> list:
        return [hf.VENV / "bin/hf", "download", REPO]

    def result(self) -> Path:
        return _in_cache(self.out / "hub", self.standin)


def _in_cache(hub: Path, standin: StandIn) -> Path:
    return hub / f"models--{REPO.replace('/', '--')}" / "snapshots" / standin.commit(REPO) / FILE


def main() -> int:
    options = _options()
    repos = procs.KEPT / "resume"
    size = options.mib * MIB
    fixture.write_file(repos / REPO / FILE, size, "resume")
    digest = cache.sha256(repos / REPO / FILE)
    peers = _peers(options)
    if shutil.disk_usage(options.out).free < 1.2 * size:
        raise CannotRun(f"{options.out} has less than {1.2 * size / MIB:.0f} MiB free; see --out")
    facts = machine.facts(options.out)
    kills = options.kills or [1, 3]
    again: dict[tuple[str, int], list[int]] = {(name, count): [] for count in kills for name in peers}
    with tempfile.TemporaryDirectory(prefix="hfdepot-resume-", dir=options.out) as work:
        with StandIn(repos, Path(work) / "hub.log", options.rate) as standin:
            for number in range(options.runs):
                for place in range(len(again)):
                    name, count = list(again)[(number + place) % len(again)]
                    values = again[name, count]
                    values.append(_run(peers[name], standin, Path(work) / "run", size, digest, count))
                    procs.say(f"{number + 1}/{options.runs} {name:8} killed {count}×: {values[-1] / MIB:8.2f} MiB again")
    print(f"kill -9 in the middle of {options.mib} MiB, {options.rate:.0f} MiB/s, {CONNECTIONS} connections, medians of {options.runs}; "
          f"{facts['cores']} cores, Linux {facts['kernel']}, commit {facts['commit']}.\n")  # fmt: skip
    print("| program | kills | MiB again | worst | of the file |\n|---|--:|--:|--:|--:|")
    for (name, count), values in again.items():
        median = statistics.median(values)
        print(f"| {name} | {count} | {median / MIB:.2f} | {max(values) / MIB:.2f} | {median / size:.2%} |")
    return 0


def _run(peer: type[Download], standin: StandIn, out: Path, size: int, digest: str, kills: int) -> int:
    """So many kills and restarts, evenly over the file; gives the bytes sent more than once."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    standin.control("POST", "reset")
    # The Hub sends at a known rate; far more than that would be a hang.
    seconds = 60 + 6 * kills * size / (standin.rate_mib * MIB)
    download = peer(standin, out)
    download.begin()
    try:
        for number in range(1, kills + 1):
            mark = size * number // (kills + 1)
            procs.poll(f"{number}/{kills + 1} of the file", lambda: _came(standin) >= mark, seconds, every=0.02)
            download.kill()
            download.begin()
        if cache.sha256(download.finish(seconds)) != digest:
            raise Failed(f"{peer.__name__} ended with a wrong file")
        return standin.summary()["bytes_twice"]
    finally:
        procs.end_children(besides=standin.process)
        shutil.rmtree(out, ignore_errors=True)


def _came(standin: StandIn) -> int:
    """Bytes of the file that were sent at least once."""
    summary = standin.summary()
    return summary["bytes_sent"] - summary["bytes_twice"]


def _peers(options: argparse.Namespace) -> dict[str, type[Download]]:
    wanted = options.peer or ["hfdepot", "aria2", "hf"]
    peers: dict[str, type[Download]] = {}
    if "hfdepot" in wanted:
        Hfdepot.binary = find_binary(options.hfdepot)
        peers["hfdepot"] = Hfdepot
    if "aria2" in wanted:
        if not shutil.which("aria2c"):
            raise CannotRun("aria2c is missing (Debian: apt install aria2)")
        peers["aria2"] = Aria2
    if "hf" in wanted:
        hf.install()
        peers["hf"] = Hf
    return peers


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=2048, help="size of the file (default 2048)")
    parser.add_argument("--rate", type=float, default=100, help="MiB/s from the Hub (default 100, about 1 Gbit/s)")
    parser.add_argument("--runs", type=int, default=3, help="rounds; the median counts (default 3)")
    parser.add_argument("--kills", type=int, action="append", help="kills in one download (default: 1, and 3)")
    parser.add_argument("--peer", action="append", choices=["hfdepot", "aria2", "hf"], help="only this program")
    parser.add_argument("--out", type=Path, default=Path("/dev/shm"), help="download here (default /dev/shm)")
    parser.add_argument(
        "--hfdepot", metavar="PATH", help="binary (default: the newest of target/{release,debug}/hfdepot)"
    )
    options = parser.parse_args()
    if options.runs < 1 or options.mib < 1 or options.rate <= 0 or min(options.kills or [1]) < 1:
        parser.error("--runs, --mib, --rate and --kills must be positive")
    return options


if __name__ == "__main__":
    procs.run_main(main)
