"""A process beside the ranks of a machine that tells which of them died first, as a killed process says nothing itself.

Each rank holds a connection to it. The system closes that when the rank dies, before the launcher hears of it and kills
the others, and lines up the closed connections in that order (epoll's queue), however late this process reads them. It
must only watch them before the first can die: so the ranks wait for a byte from it. It needs no package, and sleeps.
"""

import contextlib
import selectors
import socket
import sys
import time
from collections.abc import Iterable
from typing import Any

DONE, ALL, READY = b"D", b"A", b"R"  # "I end in order"; "I end all, and have said why"; "I watch you"
LATE = 60  # seconds to wait for each other at the start


def watch(server: socket.socket, count: int, host: str) -> str:
    """Wait until all ranks have ended in order, and give "", or until one has died, and say so."""
    ended: list[str] = []
    with selectors.DefaultSelector() as selector:
        server.settimeout(LATE)
        for _ in range(count):
            connection, _address = server.accept()
            selector.register(connection, selectors.EVENT_READ, data=connection.makefile("rb", buffering=0).readline())
        for key in selector.get_map().values():
            key.fileobj.sendall(READY)  # type: ignore[union-attr]
        while len(ended) < count:
            for key, _event in selector.select():
                name, word = key.data.decode().strip(), key.fileobj.recv(1)  # type: ignore[union-attr]
                if word == ALL:
                    return ""
                if word != DONE:
                    tell([other.fileobj for other in selector.get_map().values() if other is not key], name)
                    now = time.time()
                    at = time.strftime("%H:%M:%S", time.localtime(now)) + f"{now % 1:.3f}"[1:]
                    after = f", after {', '.join(ended)} had ended" if ended else ""
                    return f"nn.distributed: {name} was the first on {host} to die, at {at}{after}.\n"
                ended.append(name.split(" (")[0])
                selector.unregister(key.fileobj)
    return ""


def tell(connections: Iterable[Any], name: str) -> None:
    """Tell the other ranks of the machine, as not every launcher ends them."""
    for connection in connections:
        with contextlib.suppress(OSError):  # dead too
            connection.sendall(name.encode())


if __name__ == "__main__":
    with contextlib.suppress(OSError), socket.socket(fileno=int(sys.argv[1])) as listening:
        sys.stderr.write(watch(listening, int(sys.argv[2]), sys.argv[3]))
