"""Runs inside the virtual environment: what the real huggingface_hub sees in a cache, as one JSON document.

Arguments: the Hub cache, then `model:owner/name@revision` or `dataset:owner/name@revision` for each snapshot.
The caller sets HF_HUB_OFFLINE, so nothing can come from anywhere else.
"""

import json
import sys

from huggingface_hub import scan_cache_dir, snapshot_download
from huggingface_hub.constants import HF_HUB_OFFLINE

assert HF_HUB_OFFLINE, "must run offline"
cache, *wanted = sys.argv[1:]
snapshots = {}
for text in wanted:
    kind, _, rest = text.partition(":")
    repo, _, revision = rest.partition("@")
    snapshots[text] = snapshot_download(repo, repo_type=kind, revision=revision, cache_dir=cache)
seen = scan_cache_dir(cache)
json.dump(
    {
        "snapshots": snapshots,
        "warnings": [str(warning) for warning in seen.warnings],
        "repos": {
            f"{repo.repo_type}:{repo.repo_id}": {
                "files": repo.nb_files,
                "refs": sorted(repo.refs),
                "commits": sorted(revision.commit_hash for revision in repo.revisions),
            }
            for repo in seen.repos
        },
    },
    sys.stdout,
)
