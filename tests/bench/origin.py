"""A local origin that speaks enough of the Hub protocol: nginx with generated configuration.

127.0.0.1 is the Hub, 127.0.0.2 the CDN (another origin, so credentials and cookies must stay behind).
Git files come from the Hub with 200; LFS files by a 302 with `X-Linked-ETag` and `X-Linked-Size`.
Listings come in pages of 1,000 entries with `Link`, as on the real Hub. nginx sends files with
`sendfile`, so that the origin takes as little of the machine as can be from what is measured.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import procs
from kit.procs import CannotRun

from shapes import Shape

HUB, CDN = "127.0.0.1", "127.0.0.2"

#: Entries on one page of a listing: the real Hub's number.
PAGE = 1000

#: name → what the table says of it.
CONDITIONS = {
    "plain": "no limit",
    "limited": "20 MiB/s a connection",
    "delayed": "40 ms round trip",
}


@dataclass
class Address:
    """Where clients reach the origin under one condition."""

    hub: str
    cdn: str


class Origin:
    """nginx, and the relay for the delayed condition. Started by `with`."""

    def __init__(self, shapes: list[Shape], conditions: list[str], work: Path):
        if not shutil.which("nginx"):
            raise CannotRun("nginx is missing (Debian: apt install nginx-light)")
        self.shapes = shapes
        self.conditions = conditions
        self.work = work
        self.log = work / "access.log"
        self.addresses: dict[str, Address] = {}
        self._children: list = []

    def __enter__(self) -> Origin:
        self._write_api()
        servers, relays = [], []
        for condition in self.conditions:
            hub, cdn = f"{HUB}:{procs.free_port(HUB)}", f"{CDN}:{procs.free_port(CDN)}"
            seen = Address(hub, cdn)
            if condition == "delayed":
                seen = Address(f"{HUB}:{procs.free_port(HUB)}", f"{CDN}:{procs.free_port(CDN)}")
                relays += [f"{seen.hub}={hub}", f"{seen.cdn}={cdn}"]
            limit = "limit_rate 20m;" if condition == "limited" else ""
            servers += [self._hub_server(hub, seen.cdn, limit), self._cdn_server(cdn, limit)]
            self.addresses[condition] = seen
        self.status = f"{HUB}:{procs.free_port(HUB)}"
        servers.append(f"server {{ listen {self.status}; access_log off; location / {{ stub_status; }} }}\n")
        config = self.work / "nginx.conf"
        config.write_text(self._config(servers))
        nginx = ["nginx", "-e", self.work / "error.log", "-p", self.work, "-c", config, "-g", "daemon off;"]
        self._children.append(procs.start(nginx, log=self.work / "nginx.out"))
        if relays:
            proxy = [sys.executable, Path(__file__).with_name("delay_proxy.py"), "--ms", "40", *relays]
            self._children.append(procs.start(proxy, log=self.work / "relay.out"))
        for address in self.addresses.values():
            for place in (address.hub, address.cdn):
                host, port = place.rsplit(":", 1)
                procs.poll(f"the origin at {place} ({self.work}/error.log)", lambda: procs.accepts(host, int(port)), 10)
        return self

    def __exit__(self, *_: object) -> None:
        # nginx ends its worker itself when it is asked politely.
        for child in reversed(self._children):
            procs.stop(child)

    def endpoint(self, condition: str) -> str:
        """Base URL to give to clients of the Hub."""
        return f"http://{self.addresses[condition].hub}"

    def urls(self, shape: Shape, condition: str) -> dict[str, str]:
        """Path → URL, for tools that take a list of URLs."""
        base = f"{self.endpoint(condition)}/{shape.repo}/resolve/{shape.commit}"
        return {file.path: f"{base}/{file.path}" for file in shape.files}

    def mark(self) -> int:
        """A place in the access log, to count from."""
        return self.log.stat().st_size

    def requests_since(self, mark: int) -> tuple[int, int]:
        """Number of requests, and body bytes sent for them, since a mark; waits for answers under way."""
        # nginx logs a request when its answer has ended, which may be after the client has.
        procs.poll("nginx to end its answers", self._idle, 30)
        with open(self.log, "rb") as log:
            log.seek(mark)
            lines = log.read().splitlines()
        return len(lines), sum(int(line.split()[2]) for line in lines)

    def _idle(self) -> bool:
        # "Reading: 0 Writing: 1 Waiting: n"; the one that is writing is the answer to this question.
        with urllib.request.urlopen(f"http://{self.status}/") as answer:
            words = answer.read().decode().split()
        return words[words.index("Reading:") + 1] == "0" and words[words.index("Writing:") + 1] == "1"

    def _write_api(self) -> None:
        for shape in self.shapes:
            base = self.work / "www/api/models" / shape.repo
            info = {
                "_id": shape.commit[:24], "id": shape.repo, "modelId": shape.repo, "author": "bench",
                "sha": shape.commit, "private": False, "gated": False, "disabled": False, "downloads": 0, "likes": 0,
                "lastModified": "2026-01-02T03:04:05.000Z", "createdAt": "2026-01-02T03:04:05.000Z", "tags": [],
                "siblings": [{"rfilename": file.path} for file in shape.files],
            }  # fmt: skip
            branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": shape.commit}
            _write(base.with_suffix(".json"), info)
            _write(base / "revision/main.json", info)
            _write(base / f"revision/{shape.commit}.json", info)
            _write(base / "refs.json", {"branches": [branch], "tags": [], "converts": []})
            entries = _tree(shape)
            for page in range(0, len(entries), PAGE):
                suffix = f".{page}" if page else ""
                _write(base / f"tree/{shape.commit}{suffix}.json", entries[page : page + PAGE])

    def _config(self, servers: list[str]) -> str:
        pages, ids = [], []
        for shape in self.shapes:
            path = f"/api/models/{shape.repo}/tree/{shape.commit}"
            entries = len(_tree(shape))
            for page in range(PAGE, entries, PAGE):
                before = f".{page - PAGE}" if page > PAGE else ""
                pages.append(f'"{path}{before}" "{page}";')
            ids += [f'"{shape.name}/{file.path}" "{file.blob}";' for file in shape.files if not file.lfs]
        user = "user root;" if os.geteuid() == 0 else ""
        temp = " ".join(f"{kind}_temp_path {self.work}/temp-{kind};" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
        return f"""{user} worker_processes 1; pid {self.work}/nginx.pid; error_log {self.work}/error.log;
events {{ worker_connections 4096; }}
http {{
  {temp}
  log_format short '$request_method $status $body_bytes_sent $server_port $request_uri';
  access_log {self.log} short;
  sendfile on; tcp_nopush on; tcp_nodelay on; etag off;
  keepalive_requests 1000000; keepalive_timeout 300s;
  default_type application/octet-stream;
  map_hash_max_size 65536; map_hash_bucket_size 256; variables_hash_max_size 2048;
  map $request_uri $api_path {{ "~^(?<p>[^?]*)" $p; }}
  map $arg_cursor $page {{ default ""; "~^[0-9]+$" ".$arg_cursor"; }}
  map "$api_path$page" $next_page {{ default ""; {" ".join(pages)} }}
  map $next_page $link {{ "" ""; default '<http://$http_host$api_path?recursive=true&expand=false&cursor=$next_page>; rel="next"'; }}
  map "$shape/$file" $git_id {{ default ""; {" ".join(ids)} }}
  {"".join(servers)}
}}
"""

    def _hub_server(self, listen: str, cdn: str, limit: str) -> str:
        redirects = []
        for shape in self.shapes:
            for file in shape.files:
                if file.lfs:
                    redirects.append(
                        f"location = /{shape.repo}/resolve/{shape.commit}/{file.path} {{"
                        f" add_header X-Repo-Commit {shape.commit}; add_header X-Linked-Size {file.size};"
                        f" add_header X-Linked-ETag '\"{file.blob}\"';"
                        f" return 302 http://{cdn}/{shape.folder.name}/{file.path}?Expires=4000000000; }}\n"
                    )
        git = "".join(
            f"location ~ ^/bench/(?<shape>{shape.name})/resolve/{shape.commit}/(?<file>.+)$ {{"
            f" alias {shape.folder}/$file; add_header X-Repo-Commit {shape.commit};"
            f" add_header ETag '\"$git_id\"'; {limit} }}\n"
            for shape in self.shapes
        )
        return f"""server {{ listen {listen} backlog=4096;
  location /api/ {{ root {self.work}/www; default_type application/json; types {{ }}
    try_files $api_path$page.json =404; add_header Link $link; }}
  {"".join(redirects)}{git}}}
"""

    def _cdn_server(self, listen: str, limit: str) -> str:
        # `etag on` gives what a CDN gives: an ETag that is not the content's SHA-256.
        kept = self.shapes[0].folder.parent
        return f"server {{ listen {listen} backlog=4096; root {kept}; etag on; {limit} }}\n"


def _tree(shape: Shape) -> list[dict]:
    folders = sorted({str(Path(file.path).parent) for file in shape.files} - {"."})
    entries = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": path} for path in folders]
    for file in shape.files:
        entry = {"type": "file", "oid": file.oid, "size": file.size, "path": file.path}
        if file.lfs:
            entry["lfs"] = {"oid": file.blob, "size": file.size, "pointerSize": 125 + len(str(file.size))}
        entries.append(entry)
    return entries


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
