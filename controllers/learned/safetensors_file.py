"""Reading a .safetensors file: a length, a JSON header, and the arrays, so that loading one runs no code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError

Floats = NDArray[np.float32]
LARGEST = 256 << 20  # bytes of a file: a policy for signals is far smaller
_HEADER = 8  # bytes of its length
_TYPES = {
    name: np.dtype(kind)
    for name, kind in (("F16", "<f2"), ("F32", "<f4"), ("F64", "<f8"), ("I32", "<i4"), ("I64", "<i8"))
}
_REMEDY = "write it with safetensors.torch.save_file or denxanh.Policy.save"


def read_safetensors(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    """The tensors as float32 by name, and the metadata. Raises InputError."""
    data = read_weights(path, _REMEDY)
    try:
        size = int.from_bytes(data[:_HEADER], "little")
        header = json.loads(data[_HEADER : _HEADER + size])
        metadata = {str(k): str(v) for k, v in header.pop("__metadata__", {}).items()}
        body = data[_HEADER + size :]
        tensors = {str(name): _tensor(body, entry) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"this is no safetensors file ({type(error).__name__})", location=str(path), remedy=_REMEDY
        ) from None
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise InputError(
                f"the tensor {name!r} has values that are no numbers", location=str(path), remedy=_REMEDY
            )
    return tensors, metadata


def read_weights(path: Path, remedy: str) -> bytes:
    """The content of a file of weights. Raises InputError, for a file beyond LARGEST with the ``remedy``."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"it is larger than {LARGEST >> 20} MB", location=str(path), remedy=remedy)
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the file cannot be read ({error.strerror})", location=str(path), remedy="check the path"
        ) from None


def _tensor(body: bytes, entry: dict[str, Any]) -> Floats:
    first, last = entry["data_offsets"]
    if not 0 <= first <= last <= len(body):
        raise ValueError("offsets")
    flat = np.frombuffer(body[first:last], dtype=_TYPES[entry["dtype"]])
    tensor: Floats = flat.reshape(entry["shape"]).astype(np.float32)
    return tensor


def write_safetensors(path: Path, tensors: dict[str, Floats], metadata: dict[str, str]) -> None:
    """Write tensors as float32 with metadata."""
    header: dict[str, object] = {"__metadata__": metadata}
    body = b""
    for name, tensor in tensors.items():
        raw = np.ascontiguousarray(tensor, dtype="<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(np.shape(tensor)),
            "data_offsets": [len(body), len(body) + len(raw)],
        }
        body += raw
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(_HEADER, "little") + text + body)
