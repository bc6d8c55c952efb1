"""Controllers given as objects: an instance of any class that keeps the contract, without an entry point.

An object of a class that has an entry point is the same controller as its name with these parameters. Any other is
kept in this process under the digest of its state and of the code that it needs; the run's process gets it serialised
by cloudpickle (https://github.com/cloudpipe/cloudpickle), which serialises a class of a script or notebook by value. A
ledger holds the digest only: nothing is ever unpickled that another session wrote.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import cloudpickle

from denxanh.controllers.registry import controllers, load
from denxanh.experiments.specification.object_state import is_plain, plain_parameter, state_of
from denxanh.experiments.specification.sources import content_hash
from denxanh.sim.controller import Controller, capabilities
from denxanh.sim.errors import InputError

_given: dict[str, Controller] = {}


def name_of(controller: Controller) -> tuple[str, dict[str, Any], str]:
    """Name, parameters that differ from their defaults, and digest ("" where a name says it all) of an object.

    Raises InputError for what is not a controller.
    """
    if isinstance(controller, type) or not isinstance(controller, Controller):
        kind = controller.__name__ if isinstance(controller, type) else type(controller).__name__
        made = f"give an instance: {kind}()" if isinstance(controller, type) else "see denxanh.Controller"
        raise InputError(f"{kind} is no controller: it lacks name, sees or start", remedy=made)
    parameters = _changed(controller)
    name = controller.name
    if name in controllers() and load(name) is type(controller) and is_plain(controller):
        return name, parameters, ""
    contents = [content_hash(path) for path in read_files(controller)]
    digest = hashlib.sha256(
        json.dumps([name, state_of(controller), contents], sort_keys=True).encode()
    ).hexdigest()
    _given[digest] = controller
    return name, parameters, digest


def read_files(controller: Controller) -> tuple[Path, ...]:
    """The files that a controller says it reads, and the SUMO files that it brings. Raises InputError."""
    able = capabilities(controller)
    found = (*able.files(), *able.additional_files())
    for path in found:
        if not Path(path).exists():
            raise InputError(
                f"controller {controller.name!r} names a file that is not there",
                location=str(path),
                remedy="correct its files() or additional_files()",
            )
    return tuple(Path(path) for path in found)


def given(digest: str, name: str) -> Controller:
    """The object of this session with this digest. Raises InputError."""
    if digest not in _given:
        raise InputError(
            f"controller {name!r} was given as an object in another session",
            remedy="give it again from Python (denxanh.compare with the same folder)",
        )
    return _given[digest]


def dumped(digest: str, name: str) -> dict[str, Any]:
    """The object as JSON data for the process of a run, with the folders that its modules are imported from."""
    folders = [str(Path(entry or ".").resolve()) for entry in sys.path]
    return {"object": base64.b64encode(cloudpickle.dumps(given(digest, name))).decode(), "path": folders}


def loaded(data: Mapping[str, Any]) -> Controller:
    """The inverse of ``dumped``, in the process of the run."""
    sys.path += [folder for folder in data["path"] if folder not in sys.path]
    controller: Controller = cloudpickle.loads(base64.b64decode(data["object"]))
    return controller


def _changed(controller: Controller) -> dict[str, Any]:
    """The fields of a dataclass that differ from their defaults."""
    if not is_dataclass(controller):
        return {}
    changed = {}
    for field in fields(controller):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        value = getattr(controller, field.name)
        if field.init and not (default is not MISSING and state_of(value) == state_of(default)):
            changed[field.name] = plain_parameter(value)
    return changed
