"""What both crash scripts do: three downloads that last, small ones that come and go, and a ledger
of everything hfdepot promised a client, kept where no crash can reach it."""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import cache, fixture, procs
from kit.fixture import MIB
from kit.procs import Failed
from kit.service import Service
from kit.standin import StandIn

#: The downloads that last: bytes of the weight files of each repo; 150 small files come on top.
LARGE = {"crash/a": [256 * MIB], "crash/b": [128 * MIB, 96 * MIB], "crash/c": [64 * MIB, 64 * MIB, 64 * MIB]}

#: Part of the volume that should be through when the last crash comes.
DONE_AT_LAST_CRASH = 0.8

#: Jobs at once; a setting made through the API, so it must survive like every other promise.
MAX_ACTIVE = 7


def make_repos(folder: Path, crashes: int) -> int:
    """Fills `folder` for the stand-in Hub; gives the bytes of the large repos."""
    size = sum(fixture.make_repo(folder / repo, large, 150, repo) for repo, large in LARGE.items())
    for number in range(crashes):
        fixture.make_repo(folder / tiny(number), [], 6, number)
    return size


def tiny(number: int) -> str:
    """Name of a small repo, one for each crash."""
    return f"crash/tiny-{number:03}"


def gaps(seed: int, crashes: int, size: int, rate_mib: float) -> list[float]:
    """Seconds of life before each crash: random, and in sum as long as most of the volume needs."""
    chance = random.Random(seed)
    drawn = [chance.random() for _ in range(crashes)]
    seconds = size / (rate_mib * MIB) * DONE_AT_LAST_CRASH
    return [part * seconds / sum(drawn) for part in drawn]


def pause(seconds: float, service: Service) -> None:
    """Lets the service live for so long; it must not end by itself meanwhile."""
    # Not waiting for a condition: the moment of the crash is the random thing under test.
    time.sleep(seconds)
    if service.process.poll() is not None:
        raise Failed(f"hfdepot ended by itself with code {service.process.returncode}:\n{procs.tail(service.log)}")


@dataclass
class Ledger:
    """What a client was told, and so must still hold after any crash."""

    service: Service
    chance: random.Random
    #: Job → repo.
    jobs: dict[str, str] = field(default_factory=dict)
    #: Job → what was acknowledged last: pause, resume, cancel. Absent: only the submission.
    told: dict[str, str] = field(default_factory=dict)
    #: Jobs a client has seen completed.
    completed: set[str] = field(default_factory=set)
    settings_told: bool = False

    def begin(self) -> None:
        """Raises the number of jobs at once, and submits the large repos."""
        status, answer = self.service.ask("POST", "/api/settings", {"maxActive": MAX_ACTIVE})
        if status != 200:
            raise Failed(f"POST /api/settings gave {status}: {answer}")
        self.settings_told = True
        for repo in LARGE:
            self.submit(repo)

    def submit(self, repo: str, **fields: object) -> str:
        """Submits, and notes the job once it is acknowledged."""
        job = self.service.submit(repo, **fields)["id"]
        self.jobs[job] = repo
        return job

    def act(self, crash: int) -> str:
        """One change of mind before a crash; gives what it was, for people."""
        choice = self.chance.random()
        if choice < 0.5:
            self.submit(tiny(crash))
            return "submitted"
        if choice < 0.8:
            # At most one is paused at a time, so that there is always something to interrupt.
            paused = [job for job, word in self.told.items() if word == "pause"]
            if paused:
                return self._tell(paused[0], "POST", "resume") or "nothing to resume"
            job = self.chance.choice([job for job, repo in self.jobs.items() if repo in LARGE])
            return self._tell(job, "POST", "pause") or "nothing to pause"
        # A small job that is cancelled at once, unless it has already ended.
        job = self.submit(tiny(crash))
        return self._tell(job, "DELETE", "cancel") or "too late to cancel"

    def _tell(self, job: str, method: str, word: str) -> str | None:
        path = f"/api/jobs/{job}" if method == "DELETE" else f"/api/jobs/{job}/{word}"
        status, _ = self.service.ask(method, path)
        if status == 200:
            self.told[job] = word
            return word
        if status != 404:
            raise Failed(f"{method} {path} gave {status}")
        return None

    def look(self) -> None:
        """Notes which jobs are completed now."""
        for job in self.jobs.keys() - self.completed:
            if self.service.job(job)["status"] == "completed":
                self.completed.add(job)

    def check(self) -> list[str]:
        """Promises that do not hold, asked of the running service."""
        broken = []
        for job, repo in self.jobs.items():
            status, answer = self.service.ask("GET", f"/api/jobs/{job}")
            if status != 200:
                broken.append(f"job {job} of {repo} was acknowledged and is gone ({status})")
                continue
            shown, told = answer["status"], self.told.get(job)
            if job in self.completed and shown != "completed":
                broken.append(f"job {job} of {repo} was completed and is {shown}")
            elif told == "pause" and shown != "paused":
                broken.append(f"job {job} of {repo} was paused and is {shown}")
            elif told == "cancel" and shown != "cancelled":
                broken.append(f"job {job} of {repo} was cancelled and is {shown}")
            elif told not in ("pause", "cancel") and shown in ("paused", "cancelled", "failed"):
                broken.append(f"job {job} of {repo} is {shown} though nobody asked for it: {answer.get('error')}")
        if self.settings_told:
            shown = self.service.ask("GET", "/api/settings")[1].get("maxActive")
            if shown != MAX_ACTIVE:
                broken.append(f"maxActive was set to {MAX_ACTIVE} and is {shown}")
        return broken

    def finish(self, seconds: float) -> None:
        """Resumes what is paused and waits until every job that was not cancelled is completed."""
        deadline = time.monotonic() + seconds
        for job, word in list(self.told.items()):
            if word == "pause":
                self._tell(job, "POST", "resume")
        for job in self.jobs:
            if self.told.get(job) != "cancel":
                self.service.wait_job(job, max(1.0, deadline - time.monotonic()))
                self.completed.add(job)

    def check_snapshots(self, repos: Path, standin: StandIn) -> list[str]:
        """Differences between what the Hub serves and the snapshots of the completed jobs."""
        faults = []
        for job in self.completed:
            repo = self.jobs[job]
            folder = self.service.hub / f"models--{repo.replace('/', '--')}"
            snapshot = folder / "snapshots" / standin.commit(repo)
            faults += [f"{repo}: {fault}" for fault in cache.snapshot_faults(snapshot, repos / repo)]
        return faults


def leftover_parts(hub: Path) -> list[str]:
    """Part files that are still there. None may be once no job is unfinished."""
    return [str(path.relative_to(hub)) for path in hub.glob("*/.hfdepot/*.part")]


def demand(faults: list[str], when: str) -> None:
    """Ends the script when something is wrong."""
    if faults:
        more = f" (and {len(faults) - 8} more)" if len(faults) > 8 else ""
        raise Failed(f"{when}: " + "; ".join(faults[:8]) + more)
