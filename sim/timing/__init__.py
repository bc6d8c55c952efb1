"""Formulae of signal timing: Webster, HCM, MAXBAND, random queues, platoon dispersion, flow ratios, arterials."""

__all__ = [
    "arterials",
    "back_of_queue",
    "critical_flow",
    "dispersion",
    "free_travel",
    "hcm_delay",
    "maxband",
    "oversaturation",
    "random_queues",
    "saturation",
    "webster",
]
