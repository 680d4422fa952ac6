#!/bin/sh
# A Chromium for `make e2e`. One that is there is left alone; else Debian's is installed, with a font for emoji.
# CHROMIUM names one that lies elsewhere.
set -eu
cd "$(dirname "$0")/.."

fail() { printf 'browser: %s\n' "$1" >&2; exit 1; }

found() { .venv/bin/python -m tests.browser.chromium >/dev/null; }

how='install one (Debian: apt install chromium), or set CHROMIUM to where it is.'

if found; then exit 0; fi
[ -z "${CHROMIUM-}" ] || fail "CHROMIUM is $CHROMIUM, and there is no such program: correct it, or leave it out."
command -v apt-get >/dev/null 2>&1 || fail "no Chromium found: $how"
if [ "$(id -u)" -eq 0 ]; then
    root=
elif sudo -n true 2>/dev/null; then
    root='sudo -n'
else
    fail "no Chromium found, and only root can install it: $how"
fi

echo "browser: installing Chromium"
install="$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends"
wanted='chromium fonts-noto-color-emoji'
# shellcheck disable=SC2086 # these are words
$install $wanted >/dev/null 2>&1 || { $root apt-get -qq update && $install $wanted >/dev/null; } ||
    fail "apt-get could not install Chromium; its message is above: $how"
found || fail "Chromium was installed and is not found: $how"
