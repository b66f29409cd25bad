"""What runs in the processes of handlers: blocking code that a fork begins with, and never leaves.

The *nursery* is forked from the gateway before it has threads; it forks workers when asked to, so
that one that died is replaced in milliseconds, with hooks.py as the gateway has it. A worker takes
frames of tasks and answers each task as soon as it is done.
"""

import contextlib
import gc
import os
import pickle
import resource
import signal
import socket
import struct
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from odoorway.dispatch.crossing import CannotCross, pack
from odoorway.gateway import Route
from odoorway.model.delivery import Outcome
from odoorway.model.event import Event
from odoorway.transform.run import FoundRecord, Settled, Transformed, transform

LENGTH: Final = struct.Struct("!I")  # before each frame
RETIRED: Final = LENGTH.pack(0)  # instead of an answer: this task was not begun
PID: Final = struct.Struct("!q")
FORK, WAIT = b"f", b"w"
MOST: Final = 32 << 20  # bytes of one handler's commands
_TOO_LARGE = "handler.too-large"
_STATM = Path("/proc/self/statm")
_NICE = 10  # the receiver goes first


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerLimits:
    """What one run of a handler may take."""

    seconds: float = 10.0
    memory: int = 512 << 20  # bytes, beside what the gateway itself holds
    processes: int = 2


@dataclass(frozen=True, slots=True)
class Task:
    """One run of a handler."""

    route: str
    event: Event
    answers: tuple[tuple[FoundRecord, ...], ...] = ()  # to what it asked so far


def nursery(control: socket.socket, routes: Mapping[str, Route], limits: HandlerLimits) -> NoReturn:
    """Fork workers as *control* asks, and tell how they ended, until it is closed."""
    _leave_the_gateway(control)
    with contextlib.suppress(OSError, EOFError):
        while True:
            asked, handed, _, _ = socket.recv_fds(control, 1 + PID.size, 1)
            match asked[:1]:
                case b"f":
                    control.sendall(PID.pack(_fork(handed[0], control, routes, limits)))
                    os.close(handed[0])
                case b"w":
                    (pid,) = PID.unpack(asked[1:])
                    control.sendall(PID.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
                case _:
                    break
    os._exit(0)


def _fork(
    descriptor: int, control: socket.socket, routes: Mapping[str, Route], limits: HandlerLimits
) -> int:
    try:
        pid = os.fork()
    except OSError as error:
        return -(error.errno or 1)
    if pid:
        return pid
    try:
        os.setsid()  # what it sends to its group reaches nobody else
        control.close()
        work(socket.socket(fileno=descriptor), routes, limits)
    finally:
        os._exit(0)


def _leave_the_gateway(control: socket.socket) -> None:
    """Keep nothing that the gateway waits for or listens on; be out of reach of its terminal."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for one in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(one, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(3, control.fileno())
    os.closerange(control.fileno() + 1, min(most, 1 << 16))
    gc.freeze()
    with contextlib.suppress(OSError):
        os.nice(_NICE)


def work(channel: socket.socket, routes: Mapping[str, Route], limits: HandlerLimits) -> None:
    """Run the tasks that come, until the other side closes or too much memory stays taken."""
    began = _held()
    _bound_memory(began + limits.memory)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with contextlib.suppress(OSError, EOFError):
        while True:
            for task in _received(channel):
                if _held() - began > limits.memory // 2:  # left by others: no fault of this one
                    channel.sendall(RETIRED)
                    return
                # Ends this process when nobody is left to do so.
                signal.setitimer(signal.ITIMER_REAL, limits.seconds * 2 + 1)
                answer = answered(routes, task)
                signal.setitimer(signal.ITIMER_REAL, 0)
                channel.sendall(LENGTH.pack(len(answer)) + answer)


def answered(routes: Mapping[str, Route], task: Task) -> bytes:
    """Return what became of *task*, packed; never raises."""
    try:
        packed = pack(transform(routes[task.route], task.event, task.answers))
    except CannotCross as error:
        return pack(_dead("handler.no-command", str(error)))
    except MemoryError:
        return pack(_dead(_TOO_LARGE, "its commands were more than a handler may hold"))
    except BaseException as error:  # noqa: BLE001 - sys.exit in a handler ends nothing
        text = "".join(traceback.format_exception(error, limit=-8)).rstrip()
        return pack(_dead("handler.failed", text))
    if len(packed) >= MOST:
        return pack(_dead(_TOO_LARGE, f"its commands take {len(packed)} bytes; {MOST} may be"))
    return packed


def _dead(code: str, detail: str) -> Transformed:
    return Settled(Outcome.DEAD, code, detail)


def _received(channel: socket.socket) -> Sequence[Task]:
    (length,) = LENGTH.unpack(_exactly(channel, LENGTH.size))
    tasks: Sequence[Task] = pickle.loads(_exactly(channel, length))  # noqa: S301 - from the gateway itself
    return tasks


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = channel.recv(min(size - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def _bound_memory(limit: int) -> None:
    """Let this process hold *limit* bytes; the kernel refuses what is over it."""
    for what, most in ((resource.RLIMIT_DATA, limit), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _held() -> int:
    """Return the bytes of data this process has mapped, as far as the system tells."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(_STATM.read_bytes().split()[5]) * resource.getpagesize()
    return 256 << 20
