"""The examples of the API document, run as they stand: curl, jq, bc, a shell script, Python's websockets.

Only the port is replaced. Each example says what its output must be.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import procs
from kit.hf import VENV
from kit.procs import Failed
from kit.service import Service

from packages import SEED, SEED_DATASET, SEED_LARGE

_JSON = '-H "Content-Type: application/json"'

#: Command → what its JSON answer must satisfy.
EXAMPLES: list[tuple[str, Callable[[dict], bool]]] = [
    ("curl http://localhost:8080/api/health", lambda it: it["status"] == "ok" and it["version"] and it["time"].endswith("Z")),
    (
        'curl http://localhost:8080/api/analyze/TheBloke/Mistral-7B-Instruct-v0.2-GGUF',
        lambda it: it["type"] == "gguf" and {q["name"] for q in it["gguf"]["quantizations"]} == {"Q4_K_M", "Q5_K_M", "Q8_0"},
    ),
    (
        'curl "http://localhost:8080/api/analyze/facebook/flores?dataset=true"',
        lambda it: it["is_dataset"] is True and it["type"] == "dataset",
    ),
    (
        "curl -X POST http://localhost:8080/api/plan \\\n" + _JSON + " \\\n"
        '-d \'{"repo": "TheBloke/Mistral-7B-Instruct-v0.2-GGUF", "filters": ["q4_k_m"]}\'',
        lambda it: [f["path"] for f in it["files"] if f["lfs"]] == ["mistral-7b-instruct-v0.2.Q4_K_M.gguf"]
        and it["totalFiles"] == len(it["files"]) and it["totalSize"] == sum(f["size"] for f in it["files"]),
    ),
    (
        "curl -X POST http://localhost:8080/api/download \\\n" + _JSON + " \\\n"
        "-d '{\n\"repo\": \"TheBloke/Mistral-7B-Instruct-v0.2-GGUF\",\n\"filters\": [\"q4_k_m\", \"q5_k_m\"]\n}'",
        lambda it: it["status"] == "queued" and it["filters"] == ["q4_k_m", "q5_k_m"] and len(it["id"]) == 12,
    ),
    (
        "curl -X POST http://localhost:8080/api/download \\\n" + _JSON + " \\\n"
        '-d \'{"repo": "TheBloke/Mistral-7B-Instruct-v0.2-GGUF"}\'',
        lambda it: it["status"] == "queued" and it["error"] == "" and it["startedAt"] is None and it["files"] == [],
    ),
    (
        "curl -X POST http://localhost:8080/api/download \\\n" + _JSON + " \\\n"
        '-d \'{"repo": "facebook/flores", "dataset": true}\'',
        lambda it: it["isDataset"] is True and it["revision"] == "main",
    ),
    (
        "curl -X POST http://localhost:8080/api/download \\\n" + _JSON + " \\\n"
        '-d \'{"repo": "CompVis/stable-diffusion-v1-4", "revision": "fp16"}\'',
        lambda it: it["revision"] == "fp16" and it["status"] == "queued",
    ),
    ("curl http://localhost:8080/api/jobs", lambda it: it["count"] == len(it["jobs"]) == 4),
]  # fmt: skip

#: While nothing runs: the example's token is one that no Hub knows.
SETTINGS_EXAMPLES: list[tuple[str, Callable[[dict], bool]]] = [
    ("curl http://localhost:8080/api/settings", lambda it: {"cacheDir", "connections", "maxActive", "multipartThreshold", "verify", "retries", "endpoint"} <= it.keys()),
    (
        "curl -X POST http://localhost:8080/api/settings \\\n" + _JSON + " \\\n"
        "-d '{\n\"token\": \"hf_xxxxx\",\n\"connections\": 16,\n\"maxActive\": 8\n}'",
        lambda it: (it["success"], it["message"]) == (True, "Settings updated"),
    ),
    ("curl http://localhost:8080/api/settings", lambda it: (it["connections"], it["maxActive"], "hf_xxxxx" in it["token"]) == (16, 8, False)),
]  # fmt: skip

#: The jq lines of the document → what they must print.
JQ_EXAMPLES: list[tuple[str, Callable[[str], bool]]] = [
    ("curl -s http://localhost:8080/api/jobs | jq '.jobs[] | select(.status == \"running\")'", lambda out: out == ""),
    (
        "curl -s http://localhost:8080/api/jobs | jq '[.jobs[].progress.bytesPerSecond] | add'",
        lambda out: out.isdigit(),
    ),
    ("curl -s http://localhost:8080/api/jobs | jq -r '.jobs[].repo'", lambda out: SEED in out.splitlines()),
]

#: Start, pause and resume, as one script.
PAUSE_RESUME = """JOB_ID=$(curl -s -X POST http://localhost:8080/api/download \\
-H "Content-Type: application/json" \\
-d '{"repo": "owner/large-model"}' | jq -r '.id')
"""
PAUSE = 'curl -X POST "http://localhost:8080/api/jobs/$JOB_ID/pause"'
RESUME = 'curl -X POST "http://localhost:8080/api/jobs/$JOB_ID/resume"'


def check(service: Service, work: Path) -> int:
    """Runs everything against a service with no jobs on a Hub slow enough to be paused; gives the number of examples."""
    watcher = _start_monitor(service, work)
    for command, holds in EXAMPLES:
        _expect(service, command, holds)
    wanted = {SEED: "completed", SEED_DATASET: "completed", "CompVis/stable-diffusion-v1-4": "failed"}
    for job in service.ask("GET", "/api/jobs")[1]["jobs"]:
        service.wait_job(job["id"], 120, wanted[job["repo"]])
    for command, holds in SETTINGS_EXAMPLES:
        _expect(service, command, holds)
    service.ask("POST", "/api/settings", {"token": ""})
    _pause_and_resume(service)
    for command, holds in JQ_EXAMPLES:
        printed = _bash(service, command)
        if not holds(printed):
            raise Failed(f"{command} printed {printed[:300]!r}")
    printed = _monitor_saw(watcher, work)
    if f"{SEED}: 100.0%" not in printed:
        raise Failed(f"monitor.py never saw {SEED} at 100.0%: {printed[-300:]!r}")
    return len(EXAMPLES) + len(SETTINGS_EXAMPLES) + len(JQ_EXAMPLES) + 4


def _pause_and_resume(service: Service) -> None:
    job_id = _bash(service, PAUSE_RESUME + "echo $JOB_ID")
    procs.poll("the large job to run", lambda: service.job(job_id)["status"] == "running", 30)
    for command, word, message in ((PAUSE, "paused", "Job paused"), (RESUME, None, "Job resumed")):
        answer = json.loads(_bash(service, f"JOB_ID={job_id}\n{command}"))
        if answer != {"success": True, "message": message}:
            raise Failed(f"{command} answered {answer}")
        shown = service.job(job_id)["status"]
        if (shown == "paused") != (word == "paused"):
            raise Failed(f"after '{message}' the job is {shown}")
    script = (Path(__file__).parent / "seed/monitor.sh").read_text()
    printed = _bash(service, script, job_id).splitlines()
    if printed[-1:] != ["Job completed"] or not any(line.startswith("Progress: ") for line in printed):
        raise Failed(f"monitor.sh printed {printed}")
    if service.job(job_id)["repo"] != SEED_LARGE:
        raise Failed("the large job is not the large job")


def _start_monitor(service: Service, work: Path) -> object:
    script = work / "monitor.py"
    script.write_text(_here((Path(__file__).parent / "seed/monitor.py").read_text(), service))
    return procs.start([VENV / "bin/python", "-u", script], log=work / "monitor.out", env=procs.clean_env())


def _monitor_saw(watcher: object, work: Path) -> str:
    if watcher.poll() is not None:
        raise Failed(f"monitor.py ended by itself: {procs.tail(work / 'monitor.out')}")
    procs.kill(watcher)
    return (work / "monitor.out").read_text()


def _expect(service: Service, command: str, holds: Callable[[dict], bool]) -> None:
    printed = _bash(service, command)
    try:
        fine = holds(json.loads(printed))
    except (ValueError, KeyError, TypeError) as error:
        raise Failed(f"{command} answered {printed[:400]!r} ({error!r})") from error
    if not fine:
        raise Failed(f"{command} answered {printed[:400]!r}")


def _bash(service: Service, script: str, *arguments: str) -> str:
    command = ["bash", "-c", _here(script, service), "bash", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=procs.clean_env())
    if done.returncode:
        raise Failed(f"{script} ended with code {done.returncode}: {done.stderr[-300:]}")
    return done.stdout.strip()


def _here(script: str, service: Service) -> str:
    return script.replace("localhost:8080", f"localhost:{service.port}")
