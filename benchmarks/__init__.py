"""What is measured: each file has `rows()`, printed by `python -m playground bench`; README.md holds the last figures."""
