"""What hfdepot stores is what the real Hugging Face programs read, and both can share one cache.

Real model files (from PyPI packages) are served by the stand-in Hub, downloaded with hfdepot, and then read by
the newest huggingface_hub from PyPI:

1. offline: `snapshot_download` finds every snapshot, complete and byte for byte; `scan_cache_dir` and
   `hf cache ls` show the repositories without a warning; `hf cache prune --dry-run` leaves a commit alone
   that was fetched by its hash; `hf cache verify` agrees with every checksum
2. online: `hf download` of what hfdepot stored asks for metadata only, not for a byte of a file
3. together: `hf download` and hfdepot fetch one repository into one cache at the same time, five times
4. in folders of plain files: `hf download --local-dir` fetches nothing of what hfdepot put there, hfdepot nothing of
   what hf did, and an import takes it into the cache
5. the examples of both API documents (curl, jq, bc, monitor.sh, Python websockets, JavaScript), as they stand

Needs PyPI when run for the first time. Exit code 0: holds; 1: does not; 77: could not run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import local_folders
import packages
import seed_examples
from kit import cache, hf, procs
from kit.procs import CannotRun, Failed
from kit.service import Service, find_binary
from kit.standin import StandIn
from packages import DATASET, MODEL, PINNED, VOCABS

LIMITS = ("--max-connections", "16")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--hfdepot", metavar="PATH", help="binary (default: the newest of target/{release,debug}/hfdepot)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="simultaneous downloads (default 5)")
    parser.add_argument(
        "--keep-client", action="store_true", help="use the installed huggingface_hub, do not ask PyPI for a newer one"
    )
    options = parser.parse_args()
    missing = [name for name in ("curl", "jq", "bc", "bash") if not shutil.which(name)]
    if missing:
        raise CannotRun(f"{', '.join(missing)} missing (Debian: apt install {' '.join(missing)})")
    binary = find_binary(options.hfdepot)
    hf.install(newest=not options.keep_client)
    repos = packages.make_repos()
    with tempfile.TemporaryDirectory(prefix="hfdepot-clients-") as work:
        work = Path(work)
        checks = _stored(binary, repos, work)
        checks += _shared(binary, repos, work, options.rounds)
        checks += local_folders.check(binary, repos, work)
        checks += _examples(binary, repos, work)
    print(f"real clients: {checks} checks passed with huggingface_hub {_version()}", flush=True)
    return 0


def _stored(binary: Path, repos: Path, work: Path) -> int:
    """Downloads with hfdepot, reads with the real client; gives the number of checks."""
    home = work / "stored"
    home.mkdir()
    with StandIn(repos, work / "hub.log") as standin:
        service = Service(binary, home, standin.endpoint, *LIMITS)
        service.start()
        try:
            commits = {repo: standin.commit(repo) for repo in (MODEL, VOCABS, PINNED)}
            commits[DATASET] = standin.commit(DATASET, dataset=True)
            jobs = [service.submit(MODEL), service.submit(VOCABS), service.submit(DATASET, dataset=True)]
            jobs.append(service.submit(PINNED, revision=commits[PINNED]))
            for job in jobs:
                service.wait_job(job["id"], 120)
        finally:
            service.stop()
        _no_faults(service.hub)
        _read_offline(service, repos, commits)
        _list(service, commits)
        _prune(service)
        for repo, kind in ((MODEL, "model"), (VOCABS, "model"), (DATASET, "dataset")):
            strict = ("--fail-on-missing-files", "--fail-on-extra-files")
            _hf(service, "cache", "verify", repo, "--repo-type", kind, *strict)
            _fetches_nothing(service, standin, repo, kind)
    return 11


def _no_faults(hub: Path) -> None:
    faults, blobs = cache.find_faults(hub)
    faults += [str(path.relative_to(hub)) + ": left over" for path in hub.glob("*/.hfdepot/*.part")]
    if faults or not blobs:
        raise Failed(f"{blobs} blobs, {len(faults)} faults in the cache: " + "; ".join(faults[:8]))


def _read_offline(service: Service, repos: Path, commits: dict[str, str]) -> None:
    wanted = {f"model:{MODEL}@main": MODEL, f"model:{VOCABS}@main": VOCABS, f"dataset:{DATASET}@main": DATASET,
              f"model:{PINNED}@{commits[PINNED]}": PINNED}  # fmt: skip
    reader = [hf.VENV / "bin/python", Path(__file__).with_name("offline_reader.py"), service.hub, *wanted]
    environment = hf.env(service.cache_root, "http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    done = subprocess.run(reader, capture_output=True, text=True, timeout=120, env=environment)
    if done.returncode:
        raise Failed(f"huggingface_hub cannot read the cache offline: {done.stderr[-800:]}")
    seen = json.loads(done.stdout)
    if seen["warnings"]:
        raise Failed(f"scan_cache_dir warns: {seen['warnings']}")
    for text, repo in wanted.items():
        kind = text.partition(":")[0]
        folder = f"{kind}s--{repo.replace('/', '--')}"
        path = Path(seen["snapshots"][text])
        if path != service.hub / folder / "snapshots" / commits[repo]:
            raise Failed(f"snapshot_download gave {path} for {text}")
        faults = cache.snapshot_faults(path, repos / ("datasets" if kind == "dataset" else "") / repo)
        if faults:
            raise Failed(f"{text}: " + "; ".join(faults[:5]))
        listed = seen["repos"][f"{kind}:{repo}"]
        if listed["commits"] != [commits[repo]] or (repo != PINNED and listed["refs"] != ["main"]):
            raise Failed(f"scan_cache_dir shows {listed} for {text}")


def _list(service: Service, commits: dict[str, str]) -> None:
    done = _hf(service, "cache", "ls", "--format", "json")
    shown = {(entry.get("id") or entry.get("repo_id") or "").partition("/")[2] for entry in json.loads(done.stdout)}
    if missing := commits.keys() - shown:
        raise Failed(f"hf cache ls does not show {missing}: {done.stdout[:600]}")
    if "warn" in done.stderr.lower():
        raise Failed(f"hf cache ls warns: {done.stderr}")


def _prune(service: Service) -> None:
    # Everything in this cache is wanted. Without a ref of its own, a commit fetched by hash would be pruned.
    done = _hf(service, "cache", "prune", "--dry-run", "--format", "human")
    if "nothing to prune" not in done.stdout.lower():
        raise Failed(f"hf cache prune wants something of ours: {done.stdout}{done.stderr}")


def _fetches_nothing(service: Service, standin: StandIn, repo: str, kind: str) -> None:
    standin.control("POST", "reset")
    done = _hf(service, "download", repo, "--repo-type", kind, endpoint=standin.endpoint)
    asked = [f"{entry['method']} {entry['path']}" for entry in standin.requests() if entry["bucket"] != "api"]
    if asked:
        raise Failed(f"hf download of {repo}, which hfdepot had stored, asked for more than metadata: {asked[:5]}")
    if f"/snapshots/{standin.commit(repo, kind == 'dataset')}" not in done.stdout:
        raise Failed(f"hf download of {repo} printed {done.stdout[:300]!r}")


def _shared(binary: Path, repos: Path, work: Path, rounds: int) -> int:
    """hf and hfdepot fetch the same repository into the same cache at the same time."""
    # Slow enough that both are at it for some seconds, whoever starts first.
    with StandIn(repos, work / "slow-hub.log", rate_mib=48) as standin:
        for number in range(rounds):
            home = work / f"shared-{number}"
            home.mkdir()
            service = Service(binary, home, standin.endpoint, *LIMITS)
            service.start()
            try:
                program = [hf.VENV / "bin/hf", "download", MODEL]
                environment = hf.env(service.cache_root, standin.endpoint)
                # In turns: hfdepot first (Python needs half a second to start), or hf first.
                if number % 2:
                    job = service.submit(MODEL)
                other = procs.start(program, log=home / "hf.log", env=environment)
                if not number % 2:
                    procs.poll("hf to ask the Hub", lambda: _hf_has_asked(standin), 30, every=0.01)
                    job = service.submit(MODEL)
                service.wait_job(job["id"], 120)
                if code := other.wait(120):
                    raise Failed(f"hf download ended with code {code} beside hfdepot:\n{procs.tail(home / 'hf.log')}")
            finally:
                service.stop()
            _no_faults(service.hub)
            snapshot = service.hub / f"models--{MODEL.replace('/', '--')}" / "snapshots" / standin.commit(MODEL)
            if faults := cache.snapshot_faults(snapshot, repos / MODEL):
                raise Failed(f"shared cache, round {number + 1}: " + "; ".join(faults[:5]))
            shutil.rmtree(home)
            standin.control("POST", "reset")
    return rounds


def _hf_has_asked(standin: StandIn) -> bool:
    return any("hf_hub/" in (entry["user_agent"] or "") for entry in standin.requests())


def _examples(binary: Path, repos: Path, work: Path) -> int:
    home = work / "examples"
    home.mkdir()
    with StandIn(repos, work / "examples-hub.log", rate_mib=16) as standin:
        service = Service(binary, home, standin.endpoint, *LIMITS)
        service.start()
        try:
            return seed_examples.check(service, home)
        finally:
            service.stop()


def _hf(service: Service, *words: str, endpoint: str = "") -> subprocess.CompletedProcess:
    environment = hf.env(service.cache_root, endpoint or service.endpoint, NO_COLOR="1")
    command = [hf.VENV / "bin/hf", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    if done.returncode:
        raise Failed(
            f"hf {' '.join(words)} ended with code {done.returncode}: {done.stderr[-600:]}{done.stdout[-600:]}"
        )
    return done


def _version() -> str:
    ask = "import importlib.metadata as m; print(m.version('huggingface_hub'))"
    return subprocess.run([hf.VENV / "bin/python", "-c", ask], capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    procs.run_main(main)
