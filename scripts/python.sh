#!/bin/sh
# Print the first Python here that is 3.11 or newer and can make a virtual environment; else say what to install.
new=""
for python in python3.13 python3.12 python3.11 python3 python; do
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
  new="$python"
  "$python" -c 'import ensurepip, venv' 2>/dev/null && { command -v "$python"; exit 0; }
done
if [ -n "$new" ]; then
  echo "$new cannot make a virtual environment: install its venv package (on Debian and Ubuntu: apt install python3-venv)." >&2
else
  echo "Python 3.11 or newer is needed and none was found: install it from https://www.python.org/downloads/ and try again." >&2
fi
exit 1
