"""A process beside the ranks of a machine that tells which of them died first, as a killed process says nothing itself.

Each rank holds a connection to it. The system closes that when the rank dies, before the launcher hears of it and kills
the others; the selector gives the closed connections in that order. The program needs no package and sleeps.
"""

import contextlib
import selectors
import socket
import sys

DONE, ALL = b"D", b"A"  # "I end in order"; "I end all, and have said why"


def watch(server: socket.socket, count: int, host: str) -> str:
    """Wait until all ranks have ended in order, and give "", or until one has died, and say so."""
    ended: list[str] = []
    with selectors.DefaultSelector() as selector:
        server.settimeout(60)
        for _ in range(count):
            connection, _address = server.accept()
            selector.register(connection, selectors.EVENT_READ, data=connection.makefile("rb", buffering=0).readline())
        while len(ended) < count:
            for key, _event in selector.select():
                name, word = key.data.decode().strip(), key.fileobj.recv(1)  # type: ignore[union-attr]
                if word == ALL:
                    return ""
                if word != DONE:
                    after = f", after {', '.join(ended)} had ended" if ended else ""
                    return f"nn.distributed: {name} was the first on {host} to die{after}.\n"
                ended.append(name.split(" (")[0])
                selector.unregister(key.fileobj)
    return ""


if __name__ == "__main__":
    with contextlib.suppress(TimeoutError), socket.socket(fileno=int(sys.argv[1])) as listening:
        sys.stderr.write(watch(listening, int(sys.argv[2]), sys.argv[3]))
