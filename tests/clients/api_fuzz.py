"""The API keeps what its description promises, tried out by schemathesis with requests made from the description.

A service on the stand-in Hub, everything in a temporary folder, gets requests that fit the description and requests
that do not, one by one and as chains along the links between answers. All checks of schemathesis hold: no server
error, no answer (status, content type, headers, body) that is not described, no request refused that the description
allows, none accepted that it forbids, wrong methods answered 405 with `Allow`.

The seed is printed; `--seed N` runs the same requests again. Exit code 0: holds; 1: does not; 77: could not run.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import packages
from kit import hf, procs
from kit.procs import CannotRun, Failed
from kit.service import Service, find_binary
from kit.standin import StandIn

#: Every kind of destination has a folder, so that no key that the description names is refused for want of one.
ROUTES = ("llm", "diffusion", "audio", "embedding")

CONFIG = """\
hooks = "api_fuzz_hooks"

# A parameter that nobody knows is passed over, as everywhere on the web: clients of other versions send theirs.
[generation]
allow-extra-parameters = false

# A cancelled job stays on the list as such until it is dismissed: DELETE is the word of the API document for cancelling.
[[operations]]
include-name = "DELETE /api/jobs/{id}"
checks.use_after_free.enabled = false
# Only folders of this service can be asked for, and no description knows where they lie.
[[operations]]
include-name = "GET /api/diskfree"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403"]
# A body that cannot be read counts as none there: clients of hfdownloader send what they like.
[[operations]]
include-name = "POST /api/cache/rebuild"
checks.negative_data_rejection.expected-statuses = ["2xx", "4xx"]
# What fits here becomes a WebSocket.
[[operations]]
include-name = "GET /api/ws"
checks.not_a_server_error.expected-statuses = ["101", "2xx", "3xx", "4xx"]
checks.positive_data_acceptance.expected-statuses = ["101", "2xx", "401", "403", "503"]
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hfdepot", metavar="PATH", help="binary (default: the newest of target/{release,debug})")
    parser.add_argument("--seed", type=int, help="of the requests (default: another one each time)")
    parser.add_argument("--examples", type=int, default=12, help="requests an operation in each phase (default 12)")
    parser.add_argument("--seconds", type=int, default=45, help="time for all of them (default 45)")
    parser.add_argument("--operation", action="append", help="only this one, such as 'GET /api/jobs' (may be repeated)")
    options = parser.parse_args()
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    binary = find_binary(options.hfdepot)
    program = hf.install() / "bin" / "schemathesis"
    if not program.is_file():
        hf.install(newest=True)
    if not program.is_file():
        raise CannotRun("schemathesis is not installed; run it once with PyPI at hand")
    repos = packages.make_repos()
    with tempfile.TemporaryDirectory(prefix="hfdepot-api-") as work:
        work = Path(work)
        with StandIn(repos, work / "hub.log") as standin:
            service = Service(binary, work, standin.endpoint, *_options(work))
            service.start()
            try:
                _try(program, service, work, seed, options)
                _is_well(service)
            finally:
                service.stop()
    print(f"the API and its description agree (seed {seed})", flush=True)
    return 0


def _options(work: Path) -> list[str]:
    """Flags win over what requests set: nothing beside the temporary folder and the stand-in is ever reached."""
    folders = [work / name for name in ("local", "mirrors", "exports", *(f"route-{key}" for key in ROUTES))]
    for folder in folders:
        folder.mkdir()
    routes = ",".join(f"{key}={work / f'route-{key}'}" for key in ROUTES)
    return ["--local-dir", str(work / "local"), "--download-routes", routes, "--mirror-root", str(work / "mirrors"), "--export-dir", str(work / "exports")]


def _try(program: Path, service: Service, work: Path, seed: int, options: argparse.Namespace) -> None:
    config = work / "schemathesis.toml"
    config.write_text(CONFIG)
    only = [word for name in options.operation or () for word in ("--include-name", name)]
    command = [program, "--config-file", config, "run", f"http://127.0.0.1:{service.port}/api/openapi.json",
               "--checks", "all", "--seed", seed, "--max-examples", options.examples, "--max-time", options.seconds,
               "--request-timeout", 20, "--continue-on-failure", "--no-shrink", "--no-color",
               "--generation-database", "none", "--warnings", "off", *only]  # fmt: skip
    procs.say(f"schemathesis with seed {seed}")
    environment = procs.clean_env(PYTHONPATH=str(Path(__file__).parent))
    out = work / "schemathesis.log"
    try:
        with open(out, "w") as log:
            done = subprocess.run(
                [str(word) for word in command], cwd=work, env=environment, stdout=log, stderr=log, timeout=options.seconds + 120
            )
    except subprocess.TimeoutExpired:
        raise Failed(f"schemathesis did not end:\n{procs.tail(out, 40)}") from None
    if done.returncode:
        print(out.read_text(), flush=True)
        raise Failed(f"the API and its description do not agree (seed {seed}); see above")
    procs.say(next((line.strip() for line in out.read_text().splitlines() if "generated" in line), ""))


def _is_well(service: Service) -> None:
    """What the requests did to the service must not have cost it anything."""
    if service.process.poll() is not None:
        raise Failed(f"hfdepot ended with code {service.process.returncode}:\n{procs.tail(service.log)}")
    status, summary = service.ask("GET", "/api/summary")
    if status != 200:
        raise Failed(f"GET /api/summary gave {status} after all requests: {summary}")
    log = service.log.read_text(errors="replace")
    for word in ("panicked", "internal error"):
        if word in log:
            line = next(line for line in log.splitlines() if word in line)
            raise Failed(f"the log of the service tells of a fault: {line[:600]}")
    status, verdict = service.ask("GET", "/api/history/verify")
    if (status, verdict.get("ok")) != (200, True):
        raise Failed(f"the history is not sound after all requests: {verdict}")


if __name__ == "__main__":
    procs.run_main(main)
