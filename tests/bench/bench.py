"""How fast and how cheap hfdepot downloads, beside curl, aria2c and hf, in the same minutes on the same machine.

All programs take turns on the same local origin (nginx), each into an empty folder, in an order that
moves on by one each round; a figure is the median of the rounds. hfdepot is timed from the request
(POST /api/download) to the message on its live feed that the job is completed, with the service started
before; the others from start to end of their process. All may use 16 connections a file; over all files
curl uses 16, hfdepot at most 64 and only as many as bring something (its defaults are 8 a file, 16 over all).
hfdepot hashes everything it fetches and makes it durable; the others do not.
hfdepot's result is re-hashed once per shape and condition, those of the others are checked for size.

Reading the table: `wall/curl` and `CPU/curl` below 1 are better than curl. `MB/s` is 10^6 bytes. `CPU` is user and
system time of the program alone, `RSS` its peak of resident memory, `written` the bytes given to write
calls (on a real disk: bytes that went to its queue) over the size, `sent` the bytes the origin sent over the size.
Differences below a tenth, or rows with a wide min-max, mean nothing on a machine with other work.

A table in Markdown goes to standard output, all runs with the facts of the machine to a JSON file.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import hf, machine, procs
from kit.procs import CannotRun, Failed
from kit.service import find_binary

import peers as programs
from origin import CONDITIONS, Origin
from peers import CONNECTIONS, CONNECTIONS_IN_ALL, Figures, Peer
from shapes import OPTIONAL, SHAPES, Shape, make

MIB = 1 << 20


def main() -> int:
    options = _options()
    shapes = [make(name, 4 if options.quick else 1, options.kept) for name in options.shape]
    peers = _peers(options)
    options.out.mkdir(parents=True, exist_ok=True)
    largest = max(shape.size for shape in shapes)
    free = shutil.disk_usage(options.out).free
    if free < largest * 1.2:
        raise CannotRun(
            f"{options.out} has {free >> 20} MiB free, {int(largest * 1.2) >> 20} MiB are needed; see --out"
        )
    facts = machine.facts(options.out, options.kept)
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="hfdepot-bench-") as work,
        tempfile.TemporaryDirectory(prefix="hfdepot-bench-", dir=options.out) as out,
        Origin(shapes, options.condition, Path(work)) as origin,
    ):
        for shape in shapes:
            for condition in options.condition:
                rows += _rotate(peers, shape, condition, origin, Path(out) / "run", options.runs)
    facts["load_after"] = [round(value, 2) for value in os.getloadavg()]
    on_disk = "tmpfs" not in facts["file_systems"][str(options.out)]
    print(_report(facts, peers, rows, options, on_disk))
    result = {"machine": facts, "connections": CONNECTIONS, "runs": options.runs, "rows": rows,
              "peers": {peer.name: {"version": peer.version, "note": peer.note} for peer in peers}}  # fmt: skip
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1))
    procs.say(f"all runs: {options.json}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a quarter of the bytes and files, two conditions")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="only this shape (may be repeated)")
    parser.add_argument(
        "--condition", action="append", choices=CONDITIONS, help="only this condition (may be repeated)"
    )
    parser.add_argument("--peer", action="append", choices=["hfdepot", "curl", "aria2", "hf"], help="only this program")
    parser.add_argument("--runs", type=int, default=3, help="rounds; the median counts (default 3)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("/dev/shm"),
        help="download here (default /dev/shm; a folder on ext4 shows what syncs cost)",
    )
    parser.add_argument(
        "--kept", type=Path, default=procs.KEPT / "bench", help="where the origin's generated files are kept"
    )
    parser.add_argument(
        "--connections", type=int, default=CONNECTIONS, help=f"hfdepot: at most so many a file (default {CONNECTIONS})"
    )
    parser.add_argument(
        "--in-all",
        type=int,
        default=CONNECTIONS_IN_ALL,
        help=f"hfdepot: at most so many over all files (default {CONNECTIONS_IN_ALL})",
    )
    parser.add_argument("--hfdepot", metavar="PATH", help="binary (default: target/release/hfdepot)")
    parser.add_argument("--json", type=Path, default=procs.KEPT / "bench" / "last.json", help="file for all runs")
    options = parser.parse_args()
    options.shape = options.shape or [name for name in SHAPES if name not in OPTIONAL]
    options.condition = options.condition or (["plain", "delayed"] if options.quick else list(CONDITIONS))
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    return options


def _peers(options: argparse.Namespace) -> list[Peer]:
    wanted = options.peer or ["hfdepot", "curl", "aria2", "hf"]
    found = []
    if "hfdepot" in wanted:
        binary = find_binary(options.hfdepot)
        if "debug" in binary.parts:
            procs.say(f"warning: {binary} is a debug build; its figures say nothing")
        found.append(programs.hfdepot(binary, options.connections, options.in_all))
    if "hf" in wanted:
        try:
            hf.install()
        except CannotRun as reason:
            procs.say(f"without hf: {reason}")
    for name, maker in {"curl": programs.curl, "aria2": programs.aria2, "hf": programs.hf_download}.items():
        if name in wanted:
            peer = maker()
            if peer:
                found.append(peer)
            elif name != "hf":
                raise CannotRun(f"{name} is missing (Debian: apt install curl aria2)")
    return found


def _rotate(peers: list[Peer], shape: Shape, condition: str, origin: Origin, out: Path, runs: int) -> list[dict]:
    """All programs, `runs` times, each round beginning with another one."""
    results: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
    for path in sorted(shape.folder.rglob("*")):
        # The first program must not pay for reading the origin's files from the disk.
        if path.is_file():
            with open(path, "rb") as file:
                while file.read(8 * MIB):
                    pass
    for number in range(runs):
        for place in range(len(peers)):
            peer = peers[(number + place) % len(peers)]
            figures = programs.run(peer, shape, condition, origin, out)
            if figures.sent_bytes < shape.size:
                raise Failed(f"{peer.name} finished {shape.name} with {figures.sent_bytes} of {shape.size} bytes sent")
            results[peer.name].append(figures)
            cpu = figures.user_s + figures.system_s
            procs.say(
                f"{shape.name:9} {condition:8} {number + 1}/{runs} {peer.name:8} {figures.wall_s:7.2f} s, CPU {cpu:6.2f} s"
            )
    rows = []
    for name, all_runs in results.items():
        median = {key: statistics.median(run.as_json()[key] for run in all_runs) for key in all_runs[0].as_json()}
        walls = [run.wall_s for run in all_runs]
        median["cpu_s"] = statistics.median(run.user_s + run.system_s for run in all_runs)
        rows.append({"shape": shape.name, "title": shape.title, "bytes": shape.size, "files": len(shape.files),
                     "condition": condition, "peer": name, "median": median, "wall_min_s": min(walls),
                     "wall_max_s": max(walls), "runs": [run.as_json() for run in all_runs]})  # fmt: skip
    return rows


def _report(facts: dict, peers: list[Peer], rows: list[dict], options: argparse.Namespace, on_disk: bool) -> str:
    lines = [
        f"{facts['cores']} cores ({facts['cpu']}), SHA instructions: {'yes' if facts['sha_instructions'] else 'no'}, "
        f"{facts['memory_gib']} GiB, Linux {facts['kernel']}, load {facts['load'][0]} before and {facts['load_after'][0]} after, "
        f"commit {facts['commit']}, {facts['at']}.",
        f"Medians of {options.runs} rotating runs, {CONNECTIONS} connections a file, into {facts['file_systems'][str(options.out)]}.",
        "",
        *(f"- {peer.name}: {peer.version}; {peer.note}" for peer in peers),
    ]
    written_key = "write_bytes" if on_disk else "wchar_bytes"
    head = None
    for row in rows:
        if head != (row["title"], row["condition"]):
            head = (row["title"], row["condition"])
            lines += [
                "",
                f"**{row['title']}, {CONDITIONS[row['condition']]}**",
                "",
                "| program | wall s (min-max) | MB/s | CPU s | RSS MiB | written | sent | requests | wall/curl | CPU/curl |",
                "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
            ]
            curl = next(
                (
                    other["median"]
                    for other in rows
                    if (other["title"], other["condition"], other["peer"]) == (*head, "curl")
                ),
                None,
            )
        median, size = row["median"], row["bytes"]
        ratio = {key: f"{median[key] / curl[key]:.2f}" if curl and curl[key] else "-" for key in ("wall_s", "cpu_s")}
        lines.append(
            f"| {row['peer']} | {median['wall_s']:.2f} ({row['wall_min_s']:.2f}-{row['wall_max_s']:.2f}) "
            f"| {size / median['wall_s'] / 1e6:.0f} | {median['cpu_s']:.2f} | {median['peak_bytes'] / MIB:.0f} "
            f"| {median[written_key] / size:.2f} | {median['sent_bytes'] / size:.2f} | {median['requests']:.0f} "
            f"| {ratio['wall_s']} | {ratio['cpu_s']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    procs.run_main(main)
