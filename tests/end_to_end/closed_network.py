"""Run a command with loopback as its only network, behind a proxy that writes down all requests.

`unshare -rn python closed_network.py LOG COMMAND ...`
"""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.proxies import Proxy, refusing_proxy

_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_PR_SET_PDEATHSIG = 1


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    os.environ.update(start_proxy(Path(sys.argv[1])).variables())
    os.execvp(sys.argv[2], sys.argv[2:])


def start_proxy(log: Path) -> Proxy:
    """A proxy in a process of its own, which ends with this one."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir("/")
        with refusing_proxy(log) as proxy:
            os.write(writing, proxy.url.encode())
            for stream in (0, 1, 2, reading, writing):
                os.close(stream)  # whoever reads the command's output waits until all have closed
            signal.pause()
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return Proxy(pipe.read())


if __name__ == "__main__":
    main()
