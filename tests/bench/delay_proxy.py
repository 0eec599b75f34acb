"""A TCP relay that makes a round trip long: `delay_proxy.py --ms 40 127.0.0.1:8001=127.0.0.1:9001 …`

Each direction is a line of a fixed length in time: bytes come out half a round trip after they
went in, in order. A new connection pays one more round trip before its first bytes, as a TCP
handshake would. As with TCP, one connection moves at most the receiver's window in a round trip:
half of that is on the line of one direction at most, while the other half is being acknowledged.
Not modelled: slow start, loss, a limit on the rate of all connections together.

Prints `ready` once all listeners are open. Ends with SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import deque

#: Bytes on their way in one direction of one connection: half of a receive window of 4 MiB, which is
#: about what Linux' default (tcp_rmem, 6 MiB with the kernel's own share) gives to the data: 100 MiB/s
#: at 40 ms.
ON_THE_LINE = 2 << 20


class Line(asyncio.Protocol):
    """One end of a connection: what it receives goes, later, to the other end."""

    def __init__(self, delay: float, extra: float):
        self.delay = delay
        self.extra = extra
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.other: Line | None = None
        self.on_the_way: deque[bytes] = deque()
        self.bytes_on_the_way = 0
        self.clogged = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.opened_at = self.loop.time()

    def data_received(self, data: bytes) -> None:
        self.on_the_way.append(data)
        self.bytes_on_the_way += len(data)
        self._regulate()
        now = self.loop.time()
        self.loop.call_at(max(now, self.opened_at + self.extra) + self.delay, self._arrive)

    def _arrive(self) -> None:
        # Timers of one instant may fire in any order; the queue keeps the order of the bytes.
        data = self.on_the_way.popleft()
        self.bytes_on_the_way -= len(data)
        if not self.other.transport.is_closing():
            self.other.transport.write(data)
        self._regulate()

    def eof_received(self) -> bool:
        self.loop.call_later(self.delay + self.extra, self._close_other)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.loop.call_later(self.delay + self.extra, self._close_other)

    def _close_other(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.close()

    def pause_writing(self) -> None:
        self.other.clogged = True
        self.other._regulate()

    def resume_writing(self) -> None:
        self.other.clogged = False
        self.other._regulate()

    def _regulate(self) -> None:
        if self.transport.is_closing():
            return
        if self.clogged or self.bytes_on_the_way >= ON_THE_LINE:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()


class Client(Line):
    """The end that came in; reads nothing before its way to the target is open."""

    def __init__(self, target: tuple[str, int], half: float):
        super().__init__(half, extra=2 * half)
        self.target = target

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        transport.pause_reading()
        self.opening = self.loop.create_task(self._open())

    async def _open(self) -> None:
        try:
            _, self.other = await self.loop.create_connection(lambda: Line(self.delay, 0.0), *self.target)
        except OSError:
            self.transport.abort()
            return
        self.other.other = self
        self._regulate()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ms", type=float, default=40, help="round trip in milliseconds (default 40)")
    parser.add_argument("pairs", nargs="+", help="LISTEN_HOST:PORT=TARGET_HOST:PORT")
    options = parser.parse_args()
    half = options.ms / 2000
    for pair in options.pairs:
        here, there = (address.rsplit(":", 1) for address in pair.split("="))
        target = (there[0], int(there[1]))
        await asyncio.get_running_loop().create_server(
            lambda target=target: Client(target, half), here[0], int(here[1]), backlog=1024
        )
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
