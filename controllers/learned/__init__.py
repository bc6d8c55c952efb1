"""Learned strategies: features of an intersection as vectors, and trained networks that choose its phases from them."""

__all__ = ["features", "inference", "onnx_file", "policy", "safetensors_file"]
