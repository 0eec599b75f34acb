"""Reads a Hugging Face cache and says what is wrong with it. Re-hashes; trusts no name and no size."""

from __future__ import annotations

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_BLOB = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def sha256(path: Path) -> str:
    """SHA-256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_oid(path: Path) -> str:
    """The id Git gives a file's content as a blob."""
    with open(path, "rb") as file:
        start = hashlib.sha1(b"blob %d\0" % os.fstat(file.fileno()).st_size)
        return hashlib.file_digest(file, lambda: start).hexdigest()


def content_id(path: Path, digits: int) -> str:
    """The content's id in the form with so many hex digits: 64 for SHA-256, 40 for Git."""
    return sha256(path) if digits == 64 else git_oid(path)


def repo_folders(hub: Path) -> list[Path]:
    """The repo folders of a cache."""
    if not hub.is_dir():
        return []
    return sorted(path for path in hub.iterdir() if "--" in path.name and not path.name.startswith("."))


def find_faults(hub: Path) -> tuple[list[str], int]:
    """Everything a reader could stumble over, and the number of blobs looked at:

    blobs whose content is not what their name says, foreign names among the blobs, pointers to
    nothing or out of the repo folder, refs that are not exactly a commit or name a missing snapshot."""
    faults: list[str] = []
    blobs: list[Path] = []
    for folder in repo_folders(hub):
        for path in _files(folder / "blobs"):
            if _BLOB.fullmatch(path.name):
                blobs.append(path)
            elif not path.name.endswith(".incomplete"):
                # `.incomplete` is what other programs call their unfinished files.
                faults.append(f"{path.relative_to(hub)}: not a blob's name")
        for path in _files(folder / "snapshots"):
            name = path.relative_to(hub)
            if not path.exists():
                faults.append(f"{name}: dangling pointer to {os.readlink(path)}")
            elif folder not in path.resolve().parents:
                faults.append(f"{name}: points out of its repo folder, to {path.resolve()}")
        for path in _files(folder / "refs"):
            commit = path.read_bytes().decode(errors="replace")
            if not _COMMIT.fullmatch(commit):
                faults.append(f"{path.relative_to(hub)}: holds {commit!r}, not exactly a commit")
            elif not (folder / "snapshots" / commit).is_dir():
                faults.append(f"{path.relative_to(hub)}: names the missing snapshot {commit}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, found in zip(blobs, pool.map(lambda blob: content_id(blob, len(blob.name)), blobs)):
            if found != path.name:
                faults.append(
                    f"{path.relative_to(hub)}: wrong content, its hash is {found} ({path.stat().st_size} bytes)"
                )
    return faults, len(blobs)


def snapshot_faults(snapshot: Path, source: Path) -> list[str]:
    """Differences between a snapshot and the folder its repo was made from, content included."""
    faults = []
    for path in _files(source):
        name = path.relative_to(source)
        here = snapshot / name
        if not here.is_file():
            faults.append(f"{name}: missing in the snapshot")
        elif here.stat().st_size != path.stat().st_size or sha256(here) != sha256(path):
            faults.append(f"{name}: differs from what the Hub serves")
    return faults


def _files(folder: Path) -> list[Path]:
    """All files and links below a folder that need not exist; links are not followed."""
    found = []
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        found += [Path(place, name) for name in names + links]
    return sorted(found)
