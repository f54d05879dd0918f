#!/bin/sh
# Installs the real Segment clients that the tests send with: one for Node, one for Python.
#
# They live outside the tree, in RELANCE_SDK_CLIENTS (default: ~/.cache/relance-test/sdk), at the versions
# that crates/relance/tests/sdk asks for. Changes nothing when these are present. Needs node, npm and
# python3 with its venv module; no root.
set -eu

sources=$(cd "$(dirname "$0")/../crates/relance/tests/sdk" && pwd)
clients=${RELANCE_SDK_CLIENTS:-"${XDG_CACHE_HOME:-$HOME/.cache}/relance-test/sdk"}

for program in node npm python3; do
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "sdk clients: $program is missing; install it and run this script again" >&2
        exit 2
    fi
done

mkdir -p "$clients"
# Two runs at once would write the same folders.
if command -v flock >/dev/null 2>&1; then
    exec 9>"$clients/.lock"
    flock 9
fi

wanted=$(cat "$sources/package.json" "$sources/package-lock.json" "$sources/requirements.txt" | cksum)
if [ -f "$clients/.installed" ] && [ "$(cat "$clients/.installed")" = "$wanted" ]; then
    echo "sdk clients: all present" >&2
    exit 0
fi

echo "sdk clients: installing into $clients" >&2
rm -rf "$clients/.installed" "$clients/node" "$clients/python"
mkdir "$clients/node"
cp "$sources/package.json" "$sources/package-lock.json" "$clients/node/"
npm ci --prefix "$clients/node" --no-audit --no-fund --loglevel=error >&2
python3 -m venv "$clients/python"
"$clients/python/bin/pip" install --quiet --disable-pip-version-check -r "$sources/requirements.txt" >&2
echo "$wanted" >"$clients/.installed"
echo "sdk clients: installed" >&2
