#!/bin/sh
# Installs what the web interface is built and tested with: Node, the packages of web/package-lock.json, Chromium.
# Does nothing when they are there. `sh scripts/install-web-deps.sh build` leaves the browser out.
set -eu
cd "$(dirname "$0")/.."

NODE_MAJOR_MIN=20

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "needs root to run: $*" >&2
        exit 1
    fi
}

missing=""
major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/' || true)
if [ "${major:-0}" -lt "$NODE_MAJOR_MIN" ] || ! command -v npm >/dev/null 2>&1; then
    missing="$missing nodejs npm"
fi
if [ "${1:-}" != build ] && ! command -v chromium >/dev/null 2>&1; then
    missing="$missing chromium fonts-noto-cjk"
fi
if [ -n "$missing" ]; then
    as_root apt-get update -qq
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
if [ "$major" -lt "$NODE_MAJOR_MIN" ]; then
    echo "Node $NODE_MAJOR_MIN or newer is needed, and the system's is $(node --version): install it from nodejs.org" >&2
    exit 1
fi

cd web
# The lock file's packages are there when npm wrote its own note of them after it.
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    # Not `npm ci`: it refuses a lock file that lacks another system's binaries, which not every registry has.
    npm install --no-save --no-audit --no-fund --loglevel=error
    touch node_modules/.package-lock.json
fi
