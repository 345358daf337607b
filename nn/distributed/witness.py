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
            name = connection.makefile("rb", buffering=0).readline().decode().strip()
            selector.register(connection, selectors.EVENT_READ, data=name or "a rank that had not said its number")
        early = [key.data for key, _event in selector.select(0)]
        if early:
            return died(selector, early, host, ", in an order that is not known" if len(early) > 1 else "")
        tell(selector, READY)
        while len(ended) < count:
            for key, _event in selector.select():
                word = heard(key.fileobj)
                if word == ALL:
                    return ""
                if word != DONE:
                    return died(selector, [key.data], host, f", after {', '.join(ended)} had ended" if ended else "")
                ended.append(key.data.split(" (")[0])
                selector.unregister(key.fileobj)
    return ""


def died(selector: selectors.BaseSelector, names: list[str], host: str, more: str) -> str:
    """Tell the other ranks of the machine who died, as not every launcher ends them; give the words for all."""
    now = time.time()
    at = time.strftime("%H:%M:%S", time.localtime(now)) + f"{now % 1:.3f}"[1:]
    tell(selector, " and ".join(names).encode())
    was = "was" if len(names) == 1 else "were"
    return f"nn.distributed: {' and '.join(names)} {was} the first on {host} to die, at {at}{more}.\n"


def tell(selector: selectors.BaseSelector, words: bytes) -> None:
    """Send words to all ranks that are there."""
    for key in selector.get_map().values():
        with contextlib.suppress(OSError):  # it is dead
            key.fileobj.sendall(words)  # type: ignore[union-attr]


def heard(connection: Any) -> bytes:
    """Return the word that a rank has sent, or nothing if it has died."""
    try:
        return bytes(connection.recv(1))
    except OSError:  # it died with words of ours unread
        return b""


if __name__ == "__main__":
    with contextlib.suppress(OSError), socket.socket(fileno=int(sys.argv[1])) as listening:
        sys.stderr.write(watch(listening, int(sys.argv[2]), sys.argv[3]))
