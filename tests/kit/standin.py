"""The stand-in Hub (`cargo run --example hub`) as a process, with its log of requests."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from pathlib import Path
from urllib.parse import quote

from . import procs
from .procs import CannotRun, Failed


def find_hub() -> Path:
    """The stand-in's binary: `HFDEPOT_HUB_BIN`, else built with cargo (a no-op when up to date)."""
    if given := os.environ.get("HFDEPOT_HUB_BIN"):
        return Path(given).resolve()
    procs.say("building the stand-in Hub")
    built = subprocess.run(["cargo", "build", "--quiet", "--release", "--example", "hub"], cwd=procs.ROOT)
    if built.returncode:
        raise CannotRun("the stand-in Hub does not build: cargo build --release --example hub")
    target = Path(os.environ.get("CARGO_TARGET_DIR", procs.ROOT / "target"))
    return target / "release" / "examples" / "hub"
