"""Controllers given as objects: an instance of any class that keeps the contract, without an entry point.

An object of a class that has an entry point is the same controller as its name with these parameters. Any other is
kept in this process under the digest of its source and parameters; the run's process gets it serialised by
cloudpickle (https://github.com/cloudpipe/cloudpickle), which serialises a class of a script or notebook by value. A
ledger holds the digest only: nothing is ever unpickled that another session wrote.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import cloudpickle

from denxanh.controllers.registry import controllers, load
from denxanh.sim.controller import Controller
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
    if name in controllers() and load(name) is type(controller):
        return name, parameters, ""
    digest = hashlib.sha256(
        json.dumps([name, parameters, _source(type(controller))], sort_keys=True, default=repr).encode()
    ).hexdigest()
    _given[digest] = controller
    return name, parameters, digest


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
        if field.init and not (default is not MISSING and value == default):
            changed[field.name] = value
    return changed


def _source(kind: type) -> str:
    """The source of the module that defines a class; of the class where it was typed into a notebook."""
    try:
        file = inspect.getsourcefile(kind)
        if file is not None and Path(file).is_file():
            return Path(file).read_text("utf-8")
        return inspect.getsource(kind)
    except (OSError, TypeError):  # no source at all, as in python -c
        return hashlib.sha256(cloudpickle.dumps(kind)).hexdigest()
