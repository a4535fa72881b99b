"""
The guard: a small process between us and one child, that ends the child when we are gone.

It is run as a script of its own (`python -I -S guard.py OPTIONS COMMAND…`), needs nothing but the standard library,
and stays as long as the child does.

Why not only PR_SET_PDEATHSIG in the child: the kernel sends that signal when the *thread* that forked ends, not the
process (man 2 PR_SET_PDEATHSIG, "Warning"), and our servers are started by threads; it does not exist on macOS; and
nobody is left to use force when the child ignores it. Why not `preexec_fn`: it is unsafe in a process with threads
(docs.python.org/3.11/library/subprocess.html). The guard has one thread, so it may fork, and it uses PDEATHSIG for
the case that it is killed itself.

The promise: when the parent ends in whatever way, the child gets its stop signal at once, after `stop_seconds` the
harder one, and at last SIGKILL, with everything that it has started.

Where there is a log, the child writes into a pipe and the guard into the file, which it moves aside when it has grown:
whoever makes a child write much cannot fill the disk with it.
"""

# size: started by its path, without a way to import a file beside it
# pathlib doubles this script's start-up time:
# ruff: noqa: PTH105, PTH116, PTH120, PTH123

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any, Final, NoReturn

# Numbers of the Linux kernel: include/uapi/linux/prctl.h, capability.h and sched.h.
PR_SET_PDEATHSIG: Final = 1
PR_SET_KEEPCAPS: Final = 8
PR_SET_CHILD_SUBREAPER: Final = 36
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2
CAPABILITY_VERSION_3: Final = 0x20080522
CLONE_NEWUSER: Final = 0x10000000

HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
PARENT_CHECK_SECONDS: Final = 0.5
LAST_RESORT_SECONDS: Final = 5.0
F_SETPIPE_SZ: Final = 1031  # include/uapi/linux/fcntl.h
PIPE_BYTES: Final = 1024 * 1024


def main(arguments: Sequence[str]) -> int:
    """Run the command until it ends or the parent does; the child's exit status, or 128 + the signal it died of."""
    options = json.loads(arguments[0])
    wake_up = listen_for_signals()
    parent = watch_parent(int(options["parent"]))
    if parent is None:
        return 0
    adopt_orphans()
    output = Output(**options["log"]) if options.get("log") else None
    # A signal for the child that comes before its exec would be lost in our own handlers: it waits until then.
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    child = os.fork()
    if child == 0:
        become(options, arguments[1:], output)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    if output is not None:
        output.only_read()
    if "report" in options:
        os.write(options["report"], str(child).encode())
        os.close(options["report"])
    return Watch(child, options, wake_up, parent, output).until_the_end()


def listen_for_signals() -> int:
    """Turn the signals that concern us into bytes on a pipe, so that one select sees everything."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    for number in HANDLED:
        signal.signal(number, lambda *_: None)
    return read_end


def adopt_orphans() -> None:
    """Become the parent of what the child leaves behind, on Linux, so that we see all of it go."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            _prctl(PR_SET_CHILD_SUBREAPER, 1)


def watch_parent(parent: int) -> int | None:
    """A descriptor that becomes readable when the parent ends; -1 where there is none; None: it is gone already."""
    descriptor = -1
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):  # kernels before 5.3, or a seccomp filter: then we ask now and then
            descriptor = os.pidfd_open(parent)
    return descriptor if os.getppid() == parent else None


class Output:
    """
    What the child says, on its way from a pipe to the log.

    The log is our own standard output, opened by whoever started us. It is moved aside at the end of a line once it
    holds `most_bytes`, to `name.log.1` and so on up to `kept`. What a full disk does not take is dropped: a child
    must not stop because of its log.
    """

    def __init__(self, path: str, most_bytes: int, kept: int) -> None:
        self.path = path
        self.most_bytes = most_bytes
        self.kept = kept
        self.written = os.fstat(1).st_size
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                fcntl.fcntl(self.write_end, F_SETPIPE_SZ, PIPE_BYTES)

    def give_to_child(self) -> None:
        """In the child: its output goes into the pipe."""
        os.dup2(self.write_end, 1)
        os.dup2(self.write_end, 2)

    def only_read(self) -> None:
        """In the guard: only the child and what it starts can write now, so the pipe ends when they do."""
        os.close(self.write_end)

    def copy(self) -> None:
        """Write down what is in the pipe at the moment."""
        while self.read_end >= 0:
            try:
                data = os.read(self.read_end, PIPE_BYTES)
            except BlockingIOError:
                return
            if not data:
                os.close(self.read_end)
                self.read_end = -1
                return
            self.write(data)

    def write(self, data: bytes) -> None:
        """Append to the log, and begin a new one at the end of a line where it would grow too large."""
        while self.written + len(data) > self.most_bytes:
            end = data.rfind(b"\n", 0, max(0, self.most_bytes - self.written)) + 1
            if not end and not self.written:
                end = data.find(b"\n") + 1 or len(data)
            self.append(data[:end])
            data = data[end:]
            if self.written and not self.move_aside():
                break
        self.append(data)

    def append(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            while data:
                written = os.write(1, data)
                self.written += written
                data = data[written:]

    def move_aside(self) -> bool:
        """Begin a new log; the old one goes on where that cannot be done."""
        try:
            new = open_log(self.path, 0, self.kept)
        except OSError:
            return False
        os.dup2(new, 1)
        os.dup2(new, 2)
        os.close(new)
        self.written = 0
        return True


def open_log(path: str, most_bytes: int, kept: int) -> int:
    """Open a log for appending, moved aside first when it is larger: `name.log` to `name.log.1`, up to `kept`."""
    with contextlib.suppress(FileNotFoundError):
        if os.stat(path).st_size > most_bytes:
            for number in range(kept - 1, 0, -1):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(f"{path}.{number}", f"{path}.{number + 1}")
            os.replace(path, f"{path}.1")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.fstat(descriptor).st_nlink != 1:
        os.close(descriptor)
        raise OSError(errno.EMLINK, "this file has another name as well", path)
    if os.geteuid() == 0:  # what root makes in a user's folder belongs to that user, who could not write it otherwise
        folder = os.stat(os.path.dirname(path))
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


class Watch:
    """Over one child: passes its end on, and brings it about."""

    def __init__(
        self, child: int, options: dict[str, Any], wake_up: int, parent: int, output: Output | None = None
    ) -> None:
        self.child = child
        self.output = output
        self.parent = int(options["parent"])
        self.parent_descriptor = parent
        self.wake_up = wake_up
        self.signals = [int(number) for number in options["stop_signals"]] + [signal.SIGKILL]
        self.waits = [float(options["stop_seconds"])] + [LAST_RESORT_SECONDS] * len(self.signals)
        self.next_signal_at: float | None = None
        self.status: int | None = None

    def until_the_end(self) -> int:
        """Wait for the child; end it when we are told to or are alone."""
        while True:
            told_to_stop = self.told_to_stop()  # before waitpid: a child that ends in between leaves a byte to wake us
            self.reap()
            self.copy_output()
            if self.status is not None:
                self.clear_up()
                code = os.waitstatus_to_exitcode(self.status)
                return code if code >= 0 else 128 - code
            if self.next_signal_at is None and (told_to_stop or self.alone()):
                self.next_signal_at = time.monotonic()
            if self.next_signal_at is not None and time.monotonic() >= self.next_signal_at:
                self.press()
            self.sleep()

    def sleep(self) -> None:
        watched = [self.wake_up]
        timeout: float | None = None
        if self.next_signal_at is not None:
            timeout = max(0.0, self.next_signal_at - time.monotonic())
        elif self.parent_descriptor >= 0:
            watched.append(self.parent_descriptor)
        else:
            timeout = PARENT_CHECK_SECONDS
        if self.output is not None and self.output.read_end >= 0:
            watched.append(self.output.read_end)
        select.select(watched, [], [], timeout)

    def copy_output(self) -> None:
        if self.output is not None:
            self.output.copy()

    def told_to_stop(self) -> bool:
        """Take what the pipe holds, so that it can wake us again."""
        try:
            numbers = os.read(self.wake_up, 4096)
        except BlockingIOError:
            return False
        return any(number != signal.SIGCHLD for number in numbers)

    def alone(self) -> bool:
        return os.getppid() != self.parent

    def press(self) -> None:
        """Send the next signal of the list, harder each time; the last one goes to the whole group."""
        number = self.signals.pop(0) if self.signals else signal.SIGKILL
        wait = self.waits.pop(0) if self.waits else LAST_RESORT_SECONDS
        self.next_signal_at = time.monotonic() + wait
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.child, number)
            else:
                os.kill(self.child, number)

    def reap(self) -> bool:
        """Take notice of everybody who has ended; whether any child or orphan is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.child:
                self.status = status

    def clear_up(self) -> None:
        """The child is gone: what it started and left behind goes too."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.signal_the_rest(number)
            end = time.monotonic() + LAST_RESORT_SECONDS
            while time.monotonic() < end:
                self.copy_output()  # one that waits until it can write would not end
                if not self.reap() and not self.group_lives():
                    self.copy_output()
                    return
                time.sleep(0.01)

    def signal_the_rest(self, number: signal.Signals) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self.child, number)
        for pid in adopted():
            with contextlib.suppress(OSError):
                os.kill(pid, number)

    def group_lives(self) -> bool:
        try:
            os.killpg(self.child, 0)
        except OSError:
            return False
        return True


def adopted() -> list[int]:
    """Our children at the moment, where the system tells."""
    me = os.getpid()
    try:
        with open(f"/proc/{me}/task/{me}/children") as stream:
            return [int(pid) for pid in stream.read().split()]
    except OSError:
        return []


def become(options: dict[str, Any], command: Sequence[str], output: Output | None = None) -> NoReturn:
    """In the forked child: own group, files for its account alone, other account, and then the command itself."""
    guard = os.getppid()
    try:
        os.setpgid(0, 0)
        os.umask(0o077)
        if output is not None:
            output.give_to_child()
        if "report" in options:
            os.close(options["report"])
        signal.set_wakeup_fd(-1)
        for number in (*HANDLED, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        change_account(options)
        die_with(guard, int(options["stop_signals"][0]))
        os.chdir(options["directory"])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        os.execv(command[0], list(command))  # noqa: S606  without a shell, on purpose
    except Exception as error:  # noqa: BLE001  a forked copy of the guard must not go on as one
        os.write(2, f"cannot run {command[0]}: {error}\n".encode(errors="replace"))
    os._exit(127)


def die_with(guard: int, number: int) -> None:
    """
    Have the kernel send this signal when the guard ends; not on macOS, where the next start clears up.

    After the change of account, as that resets the setting.
    """
    if sys.platform != "linux":
        return
    _prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != guard:
        os._exit(0)


def change_account(options: dict[str, Any]) -> None:
    """Stop being root, in the way that `accounts.py` has chosen."""
    uid, gid = options.get("uid"), options.get("gid")
    if uid is None or gid is None:
        return
    if options.get("namespace"):
        _rename_in_namespace(int(uid), int(gid))
        return
    capability = options.get("capability")
    if capability is not None:
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
    if capability is not None:
        _keep_capability(int(capability))


def _rename_in_namespace(uid: int, gid: int) -> None:
    """Be somebody else in a user namespace of our own: same rights on files, another number (man 7 user_namespaces)."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _call("unshare", CLONE_NEWUSER)
    for file, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{gid} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{file}", "w") as stream:
            stream.write(text)


def _keep_capability(number: int) -> None:
    """Keep one capability over the exec that follows (man 7 capabilities, "ambient")."""
    import ctypes

    low, high = (1 << number if number < 32 else 0), (1 << (number - 32) if number >= 32 else 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(low, low, low, high, high, high)  # effective, permitted, inheritable; twice
    _call("capset", header, data)
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0)


def _prctl(*arguments: int) -> None:
    import ctypes

    _call("prctl", *(ctypes.c_ulong(argument) for argument in arguments))


def _call(name: str, *arguments: Any) -> None:
    """A function of the C library that answers -1 when it fails."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
