"""Folders of plain files, shared with `hf download --local-dir`: what one fetched, the other does not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from kit import cache, hf
from kit.procs import Failed
from kit.service import Service
from kit.standin import StandIn
from packages import DATASET, MODEL


def check(binary: Path, repos: Path, work: Path) -> int:
    """Both ways, a model and a dataset, and an import of what hf left; gives the number of checks."""
    home = work / "local"
    folder = home / "folder"
    folder.mkdir(parents=True)
    with StandIn(repos, work / "local-hub.log") as standin:
        service = Service(binary, home, standin.endpoint, "--local-dir", str(folder))
        service.start()
        try:
            for repo, kind in ((MODEL, "model"), (DATASET, "dataset")):
                _ours_then_hf(service, standin, repos, folder, repo, kind)
                shutil.rmtree(folder / repo)
                _hf_then_ours(service, standin, repos, folder, repo, kind)
            _imported(service, standin, repos, folder)
        finally:
            service.stop()
    return 5


def _ours_then_hf(service: Service, standin: StandIn, repos: Path, folder: Path, repo: str, kind: str) -> None:
    _ours(service, repo, kind)
    standin.control("POST", "reset")
    _hf(service, standin, folder, repo, kind)
    if asked := _bodies(standin):
        raise Failed(f"hf download --local-dir of {repo}, which hfdepot had fetched, asked for {asked[:5]}")
    _whole(repos, folder, repo, kind)


def _hf_then_ours(service: Service, standin: StandIn, repos: Path, folder: Path, repo: str, kind: str) -> None:
    _hf(service, standin, folder, repo, kind)
    standin.control("POST", "reset")
    job = _ours(service, repo, kind)
    if asked := _bodies(standin):
        raise Failed(f"hfdepot fetched {repo} again, which hf had put into the folder: {asked[:5]}")
    if job["networkBytes"]:
        raise Failed(f"hfdepot counts {job['networkBytes']} bytes from the network for {repo}")
    _whole(repos, folder, repo, kind)


def _imported(service: Service, standin: StandIn, repos: Path, folder: Path) -> None:
    """What lies in the folder of hf is taken into the cache, where hf then finds it."""
    asked = {"dir": str(folder), "dryRun": False}
    status, done = service.ask("POST", "/api/cache/import", asked)
    # The record of hf does not tell models from datasets; the dataset here would be a model.
    if status != 200 or done["errors"] or not done["adopted"]:
        raise Failed(f"the import answered {status}: {done}")
    snapshot = service.hub / f"models--{MODEL.replace('/', '--')}" / "snapshots" / standin.commit(MODEL)
    if faults := cache.snapshot_faults(snapshot, repos / MODEL):
        raise Failed(f"imported {MODEL}: " + "; ".join(faults[:5]))


def _ours(service: Service, repo: str, kind: str) -> dict:
    job = service.submit(repo, dataset=kind == "dataset")
    return service.wait_job(job["id"], 120)


def _hf(service: Service, standin: StandIn, folder: Path, repo: str, kind: str) -> None:
    command = [hf.VENV / "bin/hf", "download", repo, "--repo-type", kind, "--local-dir", folder / repo]
    environment = hf.env(service.cache_root, standin.endpoint, NO_COLOR="1")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    if done.returncode:
        raise Failed(f"hf download --local-dir of {repo} ended with code {done.returncode}: {done.stderr[-600:]}")


def _bodies(standin: StandIn) -> list[str]:
    """Requests for bytes of files; asking for what a file is costs none."""
    asked = [entry for entry in standin.requests() if entry["bucket"] != "api" and entry["method"] == "GET"]
    return [f"{entry['method']} {entry['path']}" for entry in asked]


def _whole(repos: Path, folder: Path, repo: str, kind: str) -> None:
    faults = cache.snapshot_faults(folder / repo, repos / ("datasets" if kind == "dataset" else "") / repo)
    if faults:
        raise Failed(f"{repo} in a folder of plain files: " + "; ".join(faults[:5]))
