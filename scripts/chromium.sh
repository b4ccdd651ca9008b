#!/bin/sh
# Print the Chromium that the browser tests drive. Finds none: installs it on Debian as root, else says what to install.
# usage: scripts/chromium.sh [python with playwright]
find_chromium() {
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    [ -n "$name" ] && command -v "$name" && return 0
  done
  own=$("${1:-python3}" -c 'from playwright.sync_api import sync_playwright as start
with start() as p: print(p.chromium.executable_path)' 2>/dev/null) && [ -x "$own" ] && echo "$own"
}

find_chromium "$1" && exit 0
if [ "$(id -u)" = 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null; then
  echo "No Chromium here: installing Debian's for the browser tests." >&2
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -q && apt-get install -qy --no-install-recommends chromium fonts-dejavu-core; } >&2 </dev/null
  find_chromium "$1" && exit 0
fi
echo "The browser tests need a Chromium and none was found: install chromium or Google Chrome (or run" \
  "'.venv/bin/python -m playwright install chromium', or set CHROMIUM to its path) and run make test again." >&2
exit 1
