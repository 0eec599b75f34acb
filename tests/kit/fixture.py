"""Repositories made of generated files: the same names, sizes and bytes for the same seed."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

#: A file is written in pieces of this size.
_PIECE = 8 * MIB


def write_file(path: Path, size: int, seed: object) -> None:
    """Writes `size` pseudo-random bytes, unless the file is there with that size."""
    if path.is_file() and path.stat().st_size == size:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    source = random.Random(f"{seed}/{path.name}")
    unfinished = path.with_name(path.name + ".tmp")
    with open(unfinished, "wb") as file:
        for start in range(0, size, _PIECE):
            file.write(source.randbytes(min(_PIECE, size - start)))
    unfinished.rename(path)


def make_repo(folder: Path, large: list[int], small: int, seed: object) -> int:
    """A model-like repo: `large` weight files of these sizes and `small` files of 1 to 64 KiB in folders.

    Gives the sum of all sizes. What an earlier run left in `folder` is used when it fits, else removed."""
    sizes = random.Random(f"{seed}/sizes")
    wanted = {f"model-{number:05}.safetensors": size for number, size in enumerate(large)}
    for number in range(small):
        wanted[f"part{number // 100:02}/item-{number:04}.txt"] = sizes.randint(KIB, 64 * KIB)
    if folder.is_dir():
        there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        if there - wanted.keys():
            shutil.rmtree(folder)
    for name, size in wanted.items():
        write_file(folder / name, size, seed)
    return sum(wanted.values())
