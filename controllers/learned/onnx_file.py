"""Reading a small ONNX file, a chain of linear layers and activations, without the onnx package.

ONNX is a protobuf message; only the fields that such a network needs are read (onnx.proto3: ModelProto.graph = 7,
metadata_props = 14; GraphProto.node = 1, initializer = 5; NodeProto.input = 1, output = 2, op_type = 4, attribute = 5;
TensorProto.dims = 1, data_type = 2, float_data = 4, name = 8, raw_data = 9).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from denxanh.controllers.learned.safetensors_file import Floats, read_weights
from denxanh.sim.errors import InputError

_FLOAT = 1  # TensorProto.FLOAT
_ACTIVATIONS = {"Relu": "relu", "Tanh": "tanh"}
_REMEDY = "export a chain of linear layers with ReLU or tanh, or write safetensors"


def read_onnx(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    """The weights as in a safetensors file (``0.weight``, ``0.bias``, …) and the metadata. Raises InputError."""
    data = read_weights(path, _REMEDY)
    try:
        return _model(data)
    except (ValueError, KeyError, IndexError, struct.error, UnicodeDecodeError) as error:
        raise InputError(
            f"this ONNX network cannot be used ({error})", location=str(path), remedy=_REMEDY
        ) from None


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
        elif kind == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("it is cut off")
            yield number, data[at : at + size]
            at += size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            yield number, data[at : at + size]
            at += size
        else:
            raise ValueError("it is no protobuf message")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
        if shift > 63:
            raise ValueError("it is no protobuf message")


def _text(value: int | bytes) -> str:
    return _bytes(value).decode("utf-8")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("it is no ONNX model")
    return value


def _model(data: bytes) -> tuple[dict[str, Floats], dict[str, str]]:
    metadata: dict[str, str] = {}
    graph = b""
    for number, value in _fields(data):
        if number == 7:
            graph = _bytes(value)
        elif number == 14:
            pair = dict(_fields(_bytes(value)))
            metadata[_text(pair[1])] = _text(pair[2])
    if not graph:
        raise ValueError("it has no graph")
    tensors: dict[str, Floats] = {}
    nodes: list[bytes] = []
    for number, value in _fields(graph):
        if number == 5:
            name, tensor = _tensor(_bytes(value))
            tensors[name] = tensor
        elif number == 1:
            nodes.append(_bytes(value))
    return _chain(nodes, tensors, metadata)


def _tensor(data: bytes) -> tuple[str, Floats]:
    dims: list[int] = []
    name, raw, kind = "", b"", _FLOAT
    for number, value in _fields(data):
        if number == 1:
            dims += [value] if isinstance(value, int) else _packed(value)
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number in (4, 9):
            raw += _bytes(value)
        elif number == 8:
            name = _text(value)
    if kind != _FLOAT:
        return name, np.zeros(0, dtype=np.float32)
    return name, np.frombuffer(raw, dtype="<f4").reshape(dims)


def _packed(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found


def _chain(
    nodes: list[bytes], tensors: dict[str, Floats], metadata: dict[str, str]
) -> tuple[dict[str, Floats], dict[str, str]]:
    """Weights of the linear layers in their order, (out, in) as PyTorch keeps them."""
    layers: dict[str, Floats] = {}
    activations: set[str] = set()
    number, open_layer = -1, False
    for node in nodes:
        inputs: list[str] = []
        operation, transposed = "", False
        for key, value in _fields(node):
            if key == 1:
                inputs.append(_text(value))
            elif key == 4:
                operation = _text(value)
            elif key == 5:
                attribute = dict(_fields(_bytes(value)))
                transposed |= attribute.get(1) == b"transB" and attribute.get(3) == 1
        if operation in ("Gemm", "MatMul"):
            number += 1
            weight = tensors[inputs[1]]
            layers[f"{number}.weight"] = weight if transposed else weight.T
            layers[f"{number}.bias"] = (
                tensors[inputs[2]]
                if len(inputs) > 2
                else np.zeros(len(layers[f"{number}.weight"]), dtype=np.float32)
            )
            open_layer = operation == "MatMul"
        elif operation == "Add" and open_layer:
            layers[f"{number}.bias"] = next(tensors[name] for name in inputs if name in tensors)
        elif operation in _ACTIVATIONS:
            activations.add(_ACTIVATIONS[operation])
        elif operation not in ("Flatten", "Identity"):
            raise ValueError(f"it has the operation {operation!r}")
    if not layers or len(activations) > 1:
        raise ValueError("it is not one chain of linear layers with one activation")
    for activation in activations:
        metadata.setdefault("activation", activation)
    return layers, metadata
