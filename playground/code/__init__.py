"""A run as one plain PyTorch script, written from small sources (`parts/`) of which only what the run uses is kept."""
