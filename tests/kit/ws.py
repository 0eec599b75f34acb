"""A WebSocket client of RFC 6455, as small as reading a feed of text frames allows.

The real-client check uses the `websockets` package; this one exists so that the benchmark needs
nothing outside the standard library and costs the measured machine next to nothing.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import struct

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class WebSocket:
    """A connection that yields the JSON documents the server sends."""

    def __init__(self, host: str, port: int, path: str, timeout: float):
        self._socket = socket.create_connection((host, port), timeout)
        self._buffer = b""
        #: Length of the last message in bytes.
        self.length = 0
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            (
                f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status = head.split(b"\r\n")[0].decode(errors="replace")
        if " 101 " not in f"{status} ":
            raise ConnectionError(f"no WebSocket at {path}: {status}")

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def __iter__(self) -> WebSocket:
        return self

    def __next__(self) -> dict:
        message = b""
        while True:
            last, kind, payload = self._frame()
            if kind == PING:
                self._send(PONG, payload)
            elif kind == CLOSE:
                raise StopIteration
            elif kind != PONG:
                message += payload
                if last:
                    self.length = len(message)
                    return json.loads(message)

    def _frame(self) -> tuple[bool, int, bytes]:
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        return bool(first & 0x80), first & 0x0F, self._take(length)

    def _send(self, kind: int, payload: bytes) -> None:
        # Control frames carry at most 125 bytes; what a client sends is masked.
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
        self._socket.sendall(bytes([0x80 | kind, 0x80 | len(payload)]) + mask + masked)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _more(self) -> None:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed the WebSocket")
        self._buffer += data
