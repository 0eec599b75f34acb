"""The real Hugging Face client in a virtual environment of its own, and how to run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from . import procs
from .procs import CannotRun

VENV = procs.KEPT / "venv"

#: What the checks need from PyPI, in its newest form: users will have the newest too.
PACKAGES = ("huggingface_hub", "websockets", "schemathesis")


def installed() -> bool:
    """Whether the environment is there with its programs."""
    return (VENV / "bin" / "hf").is_file()


def install(newest: bool = False) -> Path:
    """Makes the environment when it is missing, brings it up to date when asked; gives its path."""
    if installed() and not newest:
        return VENV
    procs.say(f"installing {', '.join(PACKAGES)} into {VENV.relative_to(procs.ROOT)}")
    if not (VENV / "bin" / "python").is_file():
        made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True)
        if made.returncode:
            raise CannotRun(
                f"cannot make a virtual environment (Debian: apt install python3-venv): {made.stderr}{made.stdout}"
            )
    pip = [VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--upgrade", *PACKAGES]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode and not installed():
        raise CannotRun(f"cannot install {', '.join(PACKAGES)} from PyPI: {done.stderr[-600:]}")
    if done.returncode:
        procs.say("PyPI does not answer; going on with the version already installed")
    return VENV


def env(home: Path, endpoint: str, **more: str) -> dict[str, str]:
    """The environment for the real client: `home` as `HF_HOME`, plain HTTP, no calls to anywhere else."""
    return procs.clean_env(
        HF_HOME=str(home),
        HF_ENDPOINT=endpoint,
        HF_HUB_DISABLE_XET="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_DISABLE_UPDATE_CHECK="1",
        HF_HUB_DISABLE_PROGRESS_BARS="1",
        HF_HUB_DISABLE_IMPLICIT_TOKEN="1",
        **more,
    )
