"""Strategies of signal control: one file each in families, with the source cited where it is computed."""

__all__ = [
    "actuated",
    "adaptive",
    "fixed",
    "greens",
    "layers",
    "native",
    "predictive",
    "pressure",
    "registry",
    "scripted",
]
