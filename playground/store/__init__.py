"""A run on disk: experiment, events, metrics, keyframes; and the index of runs."""
