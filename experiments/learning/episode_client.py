"""Episodes in processes of their own, seen from the process of the learner: see episode_server."""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle

from denxanh.experiments.learning.actions import Action
from denxanh.experiments.learning.environment_options import Draw, EnvironmentOptions
from denxanh.experiments.learning.episode import Step
from denxanh.experiments.learning.step_message import unpack
from denxanh.sim import errors
from denxanh.sim.errors import DenxanhError, InputError, WorldError
from denxanh.sim.world import Delay

_END = 10.0  # s for the server to end


class RemoteEpisodes:
    """Starts episodes of one environment in SUMO, each in a process of its own. ``close`` ends the processes."""

    def __init__(self, options: EnvironmentOptions, folder: Path) -> None:
        self._connection = _Server.current().connect()
        self._connection.send(("open", cloudpickle.dumps(options), str(folder.resolve())))
        self._playing = False

    def start(self, drawn: Draw) -> RemoteEpisode:
        """A new episode, which ends the one before."""
        self.end()
        self._playing = True
        return RemoteEpisode(self, self.ask("reset", drawn))

    def end(self) -> None:
        """End the episode that is played."""
        if self._playing:
            self._playing = False
            with contextlib.suppress(OSError):
                self._connection.send(("end",))

    def close(self) -> None:
        """End the process of the environment."""
        self.end()
        with contextlib.suppress(OSError):
            self._connection.send(("close",))
        self._connection.close()

    def ask(self, *message: Any) -> Any:
        """Send a message and return the answer. Raises what the episode raised."""
        try:
            self._connection.send(message)
            word, *answer = self._connection.recv()
        except (EOFError, OSError) as error:
            self._playing = False
            raise WorldError(f"the process of the environment has ended ({type(error).__name__})") from None
        if word == "ok":
            return answer[0]
        self._playing = False
        raise _error(*answer)


class RemoteEpisode:
    """An episode that another process plays."""

    def __init__(self, episodes: RemoteEpisodes, first: Step) -> None:
        self._episodes, self._first = episodes, first

    def start(self) -> Step:
        """What the learner sees at the begin."""
        return self._first

    def step(self, actions: Mapping[str, Action]) -> Step:
        """Carry out the actions and advance to the next decision."""
        return unpack(self._episodes.ask("step", dict(actions)), self._first)

    def delay(self) -> Delay:
        """The delay of all vehicles until now."""
        found: Delay = self._episodes.ask("delay")
        return found


def _error(name: str, sentence: str) -> DenxanhError:
    kind = getattr(errors, name, WorldError)
    error: DenxanhError = kind(sentence)
    return error


class _Server:
    """The server of this process; a process that was forked from it starts its own."""

    _one: _Server | None = None
    _starting = threading.Lock()

    def __init__(self) -> None:
        if not hasattr(os, "fork"):
            raise InputError(
                "environments on SUMO need a system whose processes can fork (Linux, macOS)",
                location="backend='sumo'",
                remedy="use backend='model' here",
            )
        self.owner = os.getpid()
        self._control, theirs = socket.socketpair()
        code = "from denxanh.experiments.learning.episode_server import main; main()"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", code, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        atexit.register(self._stop)

    @classmethod
    def current(cls) -> _Server:
        """The server that runs, or a new one."""
        with cls._starting:
            one = cls._one
            if one is None or one.owner != os.getpid() or one._process.poll() is not None:
                one = cls._one = _Server()
            return one

    def connect(self) -> Connection:
        """A connection to a new process for one environment."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"x"], [theirs.fileno()])
        return Connection(ours.detach())

    def _stop(self) -> None:
        if os.getpid() != self.owner:
            return
        self._control.close()
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for the input of an environment, removed with the object."""
    return tempfile.TemporaryDirectory(prefix="denxanh-environment-", ignore_cleanup_errors=True)
