"""Signal timings that beat the ones that are there."""
