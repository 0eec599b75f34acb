"""What is downloaded in the benchmark: four repositories of generated files, kept between runs."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import cache, fixture, procs
from kit.fixture import GIB, KIB, MIB


@dataclass(frozen=True)
class File:
    """One file of a shape: path in the repo, bytes, kept by LFS or by Git, id of its content."""

    path: str
    size: int
    lfs: bool
    blob: str
    #: Id in the Git tree: the content's, or for LFS the pointer's.
    oid: str


@dataclass(frozen=True)
class Shape:
    """One repository: where its files lie and what they are."""

    name: str
    title: str
    folder: Path
    files: tuple[File, ...]

    @property
    def repo(self) -> str:
        return f"bench/{self.name}"

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def commit(self) -> str:
        """A commit id that depends on the content only."""
        return hashlib.sha1(json.dumps([(file.path, file.blob) for file in self.files]).encode()).hexdigest()


#: name → (title, kept by LFS). Sizes: see `_wanted`.
SHAPES = {
    "one": ("one 2 GiB file (LFS)", True),
    "small": ("3,000 files of 1-64 KiB in folders (Git)", False),
    "small-lfs": ("3,000 files of 1-64 KiB in folders (LFS)", True),
    "large": ("8 files of 256 MiB (LFS)", True),
    "gguf": ("6 GGUF files of 100-400 MiB (LFS)", True),
}

#: Left out unless asked for by name.
OPTIONAL = ("small-lfs",)


def _wanted(name: str, divisor: int) -> dict[str, int]:
    """Path → bytes. `divisor` makes large files smaller, and small files fewer."""
    if name == "one":
        return {"model.safetensors": 2 * GIB // divisor}
    if name == "large":
        return {f"model-{number:05}-of-00008.safetensors": 256 * MIB // divisor for number in range(1, 9)}
    if name == "gguf":
        quants = {"Q2_K": 100, "Q3_K_M": 150, "Q4_K_M": 210, "Q5_K_M": 260, "Q6_K": 320, "Q8_0": 400}
        return {f"bench-7b.{quant}.gguf": mib * MIB // divisor for quant, mib in quants.items()}
    sizes = random.Random("small")
    return {
        f"shard{number // 250:02}/item-{number:04}.txt": sizes.randint(KIB, 64 * KIB)
        for number in range(3000 // divisor)
    }


def make(name: str, divisor: int, kept: Path) -> Shape:
    """Makes the files of a shape, or takes those of an earlier run; hashes them once."""
    title, lfs = SHAPES[name]
    title = title if divisor == 1 else f"{title}, 1/{divisor}"
    # Both small shapes share their files.
    folder = kept / f"{name.removesuffix('-lfs')}-{divisor}"
    wanted = _wanted(name, divisor)
    listed = folder.with_suffix(".json")
    known = json.loads(listed.read_text()) if listed.is_file() else {}
    if known.keys() != wanted.keys():
        procs.say(f"making {title}")
        for path, size in wanted.items():
            fixture.write_file(folder / path, size, name)
        with ThreadPoolExecutor() as pool:
            ids = pool.map(lambda path: [cache.sha256(folder / path), cache.git_oid(folder / path)], wanted)
            known = dict(zip(wanted, ids))
        listed.write_text(json.dumps(known))
    files = []
    for path, size in wanted.items():
        sha256, git = known[path]
        if lfs:
            pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
            oid = hashlib.sha1(f"blob {len(pointer)}\0{pointer}".encode()).hexdigest()
            files.append(File(path, size, True, sha256, oid))
        else:
            files.append(File(path, size, False, git, git))
    return Shape(name, title, folder, tuple(files))
