"""The examples of both API documents, run as they stand: curl, jq, bc, a shell script, Python's websockets, JavaScript.

Only the port is replaced, and where a document has a placeholder, its value. Each example says what its output must be.
"""

from __future__ import annotations

import json
import shutil
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


def _refused(error: str, details: str = "") -> Callable[[dict], bool]:
    """An error with the keys of both documents and this text."""

    def holds(it: dict) -> bool:
        return (it["ok"], it["error"], it["error_detail"]["message"]) == (False, error, error) and details in it.get("details", "")

    return holds


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
    ('curl "http://localhost:8080/api/analyze/owner/repo?revision=v1.0"', _refused("Analysis failed", "404: repository not found")),
    ("curl http://localhost:8080/api/jobs/a1b2c3d4e5f6", _refused("Job not found")),
    ("curl -X DELETE http://localhost:8080/api/jobs/a1b2c3d4e5f6", _refused("Job not found or already completed")),
    ("curl -X POST http://localhost:8080/api/jobs/a1b2c3d4e5f6/pause", _refused("Job not found or not running")),
    ("curl -X POST http://localhost:8080/api/jobs/a1b2c3d4e5f6/resume", _refused("Job not found or not paused")),
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
        # The same two filters, embedded: one download, asked for twice.
        "curl -X POST http://localhost:8080/api/download \\\n" + _JSON + " \\\n"
        '-d \'{ "repo": "TheBloke/Mistral-7B-Instruct-v0.2-GGUF:q4_k_m,q5_k_m" }\'',
        lambda it: it["message"] == "Download already in progress"
        and (it["job"]["repo"], it["job"]["filters"]) == (SEED, ["q4_k_m", "q5_k_m"]),
    ),
    (
        "curl -X POST http://localhost:8080/api/download \\\n" + _JSON + " \\\n"
        '-d \'{"repo": "TheBloke/Mistral-7B-Instruct-v0.2-GGUF", "filters": ["q4_k_m"]}\'',
        lambda it: it["status"] == "queued" and it["filters"] == ["q4_k_m"] and it["excludes"] == [],
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
    ("curl http://localhost:8080/api/jobs", lambda it: it["count"] == len(it["jobs"]) == 5),
]  # fmt: skip

#: When all of these have ended.
CACHE_EXAMPLES: list[tuple[str, Callable[[dict], bool]]] = [
    (
        "curl http://localhost:8080/api/cache",
        lambda it: {(r["repo"], r["type"]) for r in it["repos"]} == {(SEED, "model"), (SEED_DATASET, "dataset")}
        and it["count"] == 2 and all(r["path"].startswith(it["cacheDir"] + "/") for r in it["repos"]),
    ),
    ('curl "http://localhost:8080/api/cache?type=model"', lambda it: [(r["repo"], r["type"]) for r in it["repos"]] == [(SEED, "model")]),
    (
        "curl http://localhost:8080/api/cache/TheBloke/Mistral-7B-Instruct-v0.2-GGUF",
        lambda it: (it["repo"], it["type"], it["snapshots"]) == (SEED, "model", ["main"])
        and it["path"].endswith("/models--TheBloke--Mistral-7B-Instruct-v0.2-GGUF"),
    ),
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

#: The second document has no commands: method, path, body → status, what the answer must satisfy. At the end, in order.
REQUESTS: list[tuple[str, str, object, int, Callable[[dict], bool]]] = [
    ("GET", "/api/health", None, 200, lambda it: {"status", "version", "time"} <= it.keys()),
    ("GET", "/api/search?q=Qwen%20GGUF&sort=downloads&limit=40&filter=gguf", None, 200, lambda it: isinstance(it["results"], list)),
    ("GET", "/api/search?datasets=true&q=fineweb", None, 200, lambda it: isinstance(it["results"], list)),
    (
        "GET", f"/api/analyze/{SEED}?revision=main&dataset=false", None, 200,
        lambda it: it["is_dataset"] is False and it["recommended_download"]["repo"] == SEED
        and it["recommended_filters"] == it["recommended_download"]["filters"] == ["q4_k_m"]
        and {"id", "label", "filter_value", "recommended", "files"} <= it["selectable_items"][0].keys(),
    ),
    (
        "POST", "/api/plan",
        {"repo": "owner/name", "revision": "main", "dataset": False, "filters": ["q4_k_m"], "excludes": [], "exactMatch": False},
        404, _refused("Failed to scan repository"),
    ),
    (
        "POST", "/api/plan",
        {"repo": SEED, "revision": "main", "dataset": False, "filters": ["q4_k_m"], "excludes": [], "exactMatch": False},
        200, lambda it: [f["path"] for f in it["files"] if f["lfs"]] == ["mistral-7b-instruct-v0.2.Q4_K_M.gguf"],
    ),
    ("POST", "/api/download", {"repo": "gpt2"}, 400, _refused("Invalid repo format", "Expected owner/name")),
    ("GET", "/api/jobs", None, 200, lambda it: len(it["jobs"]) == it["count"]),
    ("GET", "/api/settings", None, 200, lambda it: {"cacheDir", "localDir", "localScanDirs", "proxy"} <= it.keys()),
    (
        # Directories are locked: the answer is kind, and nothing changes.
        "POST", "/api/settings",
        {"cacheDir": "I:\\huggingface", "localDir": "D:\\Models", "localScanDirs": ["D:\\Models", "I:\\LM Studio\\models"]},
        200, lambda it: it["success"] is True,
    ),
    ("GET", "/api/settings", None, 200, lambda it: ":\\" not in json.dumps([it["cacheDir"], it["localDir"], it["localScanDirs"]])),
    ("GET", "/api/cache", None, 200, lambda it: all(r["source"] == "HF cache" and r["downloadStatus"] in ("complete", "filtered") for r in it["repos"])),
    ("POST", "/api/cache/rebuild", None, 200, lambda it: it["success"] is True),
    ("GET", "/api/mirror/targets", None, 200, lambda it: it == {"targets": [], "count": 0}),
    ("POST", "/api/mirror/targets", {"name": "nas", "path": "{work}/nas"}, 200, lambda it: it["message"] == 'Added target "nas"'),
    ("POST", "/api/mirror/diff", {"target": "nas"}, 200, lambda it: it["summary"]["missing"] == len(it["diffs"]) == 3),
    ("POST", "/api/mirror/push", {"target": "nas"}, 200, lambda it: it["success"] is True and it["copied"] == 3),
    ("POST", "/api/mirror/pull", {"target": "nas"}, 200, lambda it: it["message"] == "Nothing to do - destination is in sync"),
    ("POST", "/api/mirror/diff", {"target": "nas"}, 200, lambda it: it["diffs"] == [] and it["summary"]["inSync"] == 3),
    ("DELETE", "/api/mirror/targets/nas", None, 200, lambda it: it["message"] == 'Removed target "nas"'),
    ("GET", "/api/history", None, 200, lambda it: it["total"] == len(it["entries"]) >= 6 and {"outputDir", "hubDir", "status"} <= it["entries"][0].keys()),
    ("GET", "/api/diskfree", None, 200, lambda it: 0 < it["free"] < it["total"] and it["path"] == it["effectiveHubDir"]),
    ("GET", "/api/diskfree?path=/path/to/cache", None, 400, _refused("Invalid path")),
    ("DELETE", f"/api/cache/{SEED}?type=model", None, 200, lambda it: (it["success"], it["message"]) == (True, f"Deleted {SEED} from cache")),
    ("GET", f"/api/cache/{SEED}", None, 404, _refused("Repository not found in cache")),
]  # fmt: skip

#: Start, pause and resume, as one script.
PAUSE_RESUME = """JOB_ID=$(curl -s -X POST http://localhost:8080/api/download \\
-H "Content-Type: application/json" \\
-d '{"repo": "owner/large-model"}' | jq -r '.id')
"""
PAUSE = 'curl -X POST "http://localhost:8080/api/jobs/$JOB_ID/pause"'
RESUME = 'curl -X POST "http://localhost:8080/api/jobs/$JOB_ID/resume"'


def check(service: Service, work: Path) -> int:
    """Runs everything against a service with no jobs on a Hub slow enough to be paused; gives the number of examples."""
    watchers = [_start_monitor(service, work, "monitor.py", VENV / "bin/python", "-u")]
    if node := shutil.which("node"):
        # A class of its own in Node up to 20; browsers and later versions have it.
        watchers.append(_start_monitor(service, work, "monitor.js", node, "--experimental-websocket"))
    for command, holds in EXAMPLES:
        _expect(service, command, holds)
    wanted = {SEED: "completed", SEED_DATASET: "completed", "CompVis/stable-diffusion-v1-4": "failed"}
    for job in service.ask("GET", "/api/jobs")[1]["jobs"]:
        service.wait_job(job["id"], 120, wanted[job["repo"]])
    for command, holds in CACHE_EXAMPLES + SETTINGS_EXAMPLES:
        _expect(service, command, holds)
    service.ask("POST", "/api/settings", {"token": ""})
    _pause_and_resume(service)
    for command, holds in JQ_EXAMPLES:
        printed = _bash(service, command)
        if not holds(printed):
            raise Failed(f"{command} printed {printed[:300]!r}")
    for watcher, printed in watchers:
        _monitor_saw(watcher, printed)
    _send_all(service, work)
    _order_what_is_recommended(service)
    curls = EXAMPLES + CACHE_EXAMPLES + SETTINGS_EXAMPLES
    return len(curls) + len(JQ_EXAMPLES) + len(REQUESTS) + len(watchers) + 4


def _send_all(service: Service, work: Path) -> None:
    for method, path, body, wanted, holds in REQUESTS:
        if body is not None:
            body = json.loads(json.dumps(body).replace("{work}", str(work)))
        status, answer = service.ask(method, path, body, 60)
        if status != wanted or not holds(answer):
            raise Failed(f"{method} {path} {body} answered {status}, not {wanted}: {json.dumps(answer)[:600]}")


def _order_what_is_recommended(service: Service) -> None:
    """`recommended_download` is a ready-to-send body; what comes of it can be dismissed when it has ended."""
    order = service.ask("GET", f"/api/analyze/{SEED}?revision=main&dataset=false")[1]["recommended_download"]
    status, job = service.ask("POST", "/api/download", order)
    if (status, job.get("filters")) != (202, ["q4_k_m"]):
        raise Failed(f"recommended_download {order} answered {status}: {job}")
    service.wait_job(job["id"], 60)
    dismissed = service.ask("POST", f"/api/jobs/{job['id']}/dismiss")
    if dismissed != (200, {"success": True, "message": "Job dismissed"}):
        raise Failed(f"dismiss answered {dismissed}")
    if (gone := service.ask("GET", f"/api/jobs/{job['id']}"))[0] != 404:
        raise Failed(f"a dismissed job is still there: {gone}")


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


def _start_monitor(service: Service, work: Path, name: str, *program: object) -> tuple[object, Path]:
    script, printed = work / name, work / f"{name}.out"
    script.write_text(_here((Path(__file__).parent / "seed" / name).read_text(), service))
    watcher = procs.start([*program, script], log=printed, env=procs.clean_env())
    if name.endswith(".js"):
        procs.poll(f"{name} to be connected", lambda: "Connected" in printed.read_text(), 30)
    return watcher, printed


def _monitor_saw(watcher: object, log: Path) -> None:
    if watcher.poll() is not None:
        raise Failed(f"{log.stem} ended by itself: {procs.tail(log)}")
    procs.kill(watcher)
    if f"{SEED}: 100.0%" not in (printed := log.read_text()):
        raise Failed(f"{log.stem} never saw {SEED} at 100.0%: {printed[-300:]!r}")


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
