"""Keeps the requests of `api_fuzz.py` on this machine: an address that a setting names is one nobody listens at.

Only addresses that the service would really call are exchanged, so that what is wrong stays wrong.
"""

from __future__ import annotations

import re

import schemathesis

_ADDRESS = re.compile(r"(https?|socks5h?)://[^\s/?#@\\]+(/[^?#\s]*)?")
_NOBODY = "127.0.0.1:9"


@schemathesis.hook
def before_call(_context: object, case: schemathesis.Case, _arguments: dict) -> None:
    if not case.operation.path.startswith("/api/settings") or not isinstance(case.body, dict):
        return
    places = [(case.body, "endpoint")]
    if isinstance(case.body.get("proxy"), dict):
        places.append((case.body["proxy"], "url"))
    elif isinstance(case.body.get("proxy"), str):
        places.append((case.body, "proxy"))
    for holder, key in places:
        value = holder.get(key)
        if isinstance(value, str) and (found := _ADDRESS.fullmatch(value.strip())):
            holder[key] = f"{found[1]}://{_NOBODY}"
