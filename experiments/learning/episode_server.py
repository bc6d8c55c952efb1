"""A process that has imported everything and forks: one process for each environment, and in it one for each episode.

libsumo runs one simulation in a process, so an episode gets a process of its own, which starts from the input that the
environment's process has prepared. Messages are pickled tuples: a word and its arguments; answers are ("ok", value) or
("error", class, sentence). See denxanh.experiments.learning.episode_client.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import cloudpickle

from denxanh.experiments.learning.actions import Action
from denxanh.experiments.learning.environment_options import Draw
from denxanh.experiments.learning.episode import Episode
from denxanh.experiments.learning.step_message import Message, pack
from denxanh.experiments.learning.sumo_episode import SumoEpisodes
from denxanh.experiments.runs.worker import die_with_parent
from denxanh.sim.errors import DenxanhError
from denxanh.sim.input.collector import collect_rarely
from denxanh.sim.run.store import LOG
from denxanh.sim.sumo.backend.libsumo_backend import preload
from denxanh.sim.sumo.wheel import sumo_environment


def main() -> None:
    """Serve environments until the control socket, named by its number on the command line, is closed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the client decides; its socket tells
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended processes are not waited for
    os.environ.update(sumo_environment())
    with Path(os.devnull).open("w") as null, contextlib.redirect_stdout(null):
        preload()
    while True:
        data, given, _, _ = socket.recv_fds(control, 1, 1)
        if not data:
            return
        (handle,) = given
        _fork(partial(_serve, handle, control))
        os.close(handle)


def _fork(work: Callable[[], None]) -> int:
    """Do ``work`` in a forked process; returns its id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        die_with_parent()
        work()
        status = 0
    except (EOFError, BrokenPipeError, ConnectionResetError):
        status = 0  # the client has ended
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _serve(handle: int, control: socket.socket) -> None:
    """One environment: prepare its input, then one process for each episode."""
    control.close()
    connection = Connection(handle)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, given, place = connection.recv()
    _redirect(Path(place) / LOG)
    episodes = SumoEpisodes(cloudpickle.loads(given), Path(place))
    while True:
        word, *arguments = connection.recv()
        if word == "close":
            return
        if word != "reset":
            continue  # of an episode that has failed
        (drawn,) = arguments
        if not _told(connection, partial(episodes.prepare, drawn.day)):
            continue
        folder = episodes.prepare(drawn.day)
        ours, theirs = os.pipe()
        pid = _fork(partial(_play, connection, episodes, drawn, folder, theirs))
        os.close(theirs)
        with os.fdopen(ours, "rb") as stream:
            found = stream.read()  # until the episode has ended
        _, status = os.waitpid(pid, 0)
        if found and not status:
            episodes.learn(pickle.loads(found))
        if status:
            said = (folder / LOG).read_text("utf-8", errors="replace").strip().rpartition("\n")[2]
            connection.send(
                ("error", "WorldError", f"the process of the episode has ended: {said or status}")
            )


def _told(connection: Connection, work: Callable[[], object]) -> bool:
    """Whether ``work`` succeeds; an error is sent."""
    try:
        work()
    except DenxanhError as error:
        connection.send(("error", type(error).__name__, str(error)))
        return False
    return True


def _play(connection: Connection, episodes: SumoEpisodes, drawn: Draw, folder: Path, found: int) -> None:
    """One episode, until it is ended; what was found out about the signals is then written to the pipe ``found``."""
    known = episodes.sizes()
    collect_rarely()
    gc.freeze()  # what the environment's process has made stays: no search copies its pages
    os.chdir(folder)
    Path(LOG).unlink(missing_ok=True)
    _redirect(Path(LOG))
    episode: Episode | None = None

    def answer(work: Callable[[], object]) -> bool:
        return _told(connection, lambda: connection.send(("ok", work())))

    def begin() -> object:
        nonlocal episode
        episode = episodes.start(drawn)
        return episode.start()

    if not answer(begin):
        return
    while episode is not None:
        word, *arguments = connection.recv()
        if word == "end":
            with os.fdopen(found, "wb") as stream:
                pickle.dump(episodes.found_since(known), stream)
            return
        work = partial(_step, episode, *arguments) if word == "step" else episode.delay
        if not answer(work):
            return


def _step(episode: Episode, actions: Mapping[str, Action]) -> Message:
    return pack(episode.step(actions))


def _redirect(log: Path) -> None:
    """Send everything printed, by SUMO's C++ too, to a file."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


if __name__ == "__main__":
    main()
