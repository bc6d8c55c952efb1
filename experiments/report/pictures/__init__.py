"""Pictures of traffic and signals as plain data, drawn as SVG on the page and by matplotlib in plots."""

__all__ = [
    "panels",
    "picture",
    "picture_svg",
    "purdue",
    "queue_pictures",
    "recorded",
    "run_curves",
    "shown_timing",
    "signal_pictures",
    "street_picture",
    "timing_table",
]
