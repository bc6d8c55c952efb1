"""Many runs and one answer: plan, run, store, tune, compare, draw, tell; the command line."""
