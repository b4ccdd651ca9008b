"""What is measured: each file has `rows()` for `python -m playground bench`; README.md has the last figures."""
