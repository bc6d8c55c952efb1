"""One run: a scenario under a controller in SUMO, from the prepared network to the result folder."""

__all__ = [
    "automatic_window",
    "collection",
    "early_starts",
    "preparation",
    "provenance",
    "queue_recorder",
    "recomputation",
    "recording",
    "repetition",
    "results",
    "run",
    "run_description",
    "scheduled_events",
    "store",
    "trajectories",
    "trial_load",
]
