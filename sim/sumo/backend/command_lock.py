"""A lock on SUMO's commands: while it is closed, every call that changes the simulation is refused and recorded.

The loop opens it for its own calls only, so that a controller that reaches libsumo or a TraCI connection by itself
neither changes the simulation nor stays unnoticed: ``check`` ends the run with the name of the call.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

from denxanh.sim.errors import ControlError

_READS = re.compile(r"(get|is|has|find|convert|subscribe|unsubscribe|addSubscriptionFilter|domainID|swig)")
_SIMULATION_COMMANDS = {0x00: "getVersion", 0x01: "load", 0x02: "simulationStep", 0x7F: "close"}
_CHANGES = range(0xC0, 0xD0)  # TraCI: the commands that set variables of a domain


class CommandLock:
    """Refuses the commands of one simulation unless they are given within ``with lock:``."""

    def __init__(self) -> None:
        self._open = False
        self._refused = ""  # the first call that was refused

    def __enter__(self) -> None:
        self._open = True

    def __exit__(self, *_: object) -> None:
        self._open = False

    def check(self) -> None:
        """Raise ControlError if a call was refused since the start."""
        if self._refused:
            raise ControlError(self._refused)

    def lock_libsumo(self, raw: ModuleType) -> None:
        """Put every changing function of libsumo's extension module behind the lock, in place."""
        domains = {name.partition("_")[0] for name in vars(raw) if name.endswith("_domainID")}
        for name, function in list(vars(raw).items()):
            domain, _, action = name.partition("_")
            if domain in domains and callable(function) and not _READS.match(action):
                function = getattr(function, "__wrapped__", function)  # of a simulation before
                setattr(raw, name, self._behind(function, f"{domain}.{action}"))

    def lock_connection(self, connection: Any) -> None:
        """Put every changing command of a TraCI connection behind the lock."""
        send = connection._sendCmd

        def guarded(command: int, *values: Any, **more: Any) -> Any:
            if not self._open:
                if command in _CHANGES:
                    self._refuse(f"TraCI command 0x{command:02x}")
                if _SIMULATION_COMMANDS.get(command, "getVersion") != "getVersion":
                    self._refuse(_SIMULATION_COMMANDS[command])
            return send(command, *values, **more)

        connection._sendCmd = guarded

    def _behind(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(function)
        def guarded(*values: Any, **more: Any) -> Any:
            if not self._open:
                self._refuse(name)
            return function(*values, **more)

        return guarded

    def _refuse(self, name: str) -> None:
        self._refused = self._refused or (
            f"the controller gave SUMO the command {name} itself; a policy changes its signal by its answer "
            "Green(phase, seconds) only"
        )
        raise ControlError(self._refused)
