"""What a figure must be read with: the machine, its load, the versions."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from datetime import datetime, UTC
from pathlib import Path

from . import procs


def facts(*places: Path) -> dict[str, object]:
    """Cores, load, kernel, memory, SHA instructions, commit; file system of each of `places`."""
    cpu = Path("/proc/cpuinfo").read_text()
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    model = re.search(r"model name\s*: (.*)", cpu)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "cpu": model[1] if model else platform.machine(),
        # x86 calls it sha_ni, arm64 sha2.
        "sha_instructions": bool(re.search(r"\b(sha_ni|sha2)\b", cpu)),
        "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else None,
        "kernel": platform.release(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "commit": first_line(["git", "-C", str(procs.ROOT), "rev-parse", "--short=12", "HEAD"]),
        "file_systems": {str(place): file_system(place) for place in places},
    }


def file_system(place: Path) -> str:
    """Name of the file system a path lies on."""
    return first_line(["stat", "--file-system", "--format=%T", str(place)]) or "unknown"


def first_line(command: list[str]) -> str:
    """First line a command prints; empty when it cannot be run."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or [""])[0].strip()
