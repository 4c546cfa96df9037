#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Makes or refreshes the virtual environments of this checkout from the locked requirement files:
#   tools/environment.sh                      $VENV       (.venv)       ansible-core 2.19 and every tool
#   tools/environment.sh all                  and $VENV-2.16     the oldest of everything that is supported, for tests,
#                                             on the oldest Python that is here
#   tools/environment.sh core NAME PYTHON     and $VENV-NAME     another ansible-core, for the matrix
# In each, ansible_collections/sfb/xmpp is a link to this checkout, so that the collection is found by its name.
# PYTHON names another interpreter than python3.11. Nothing is done where everything is in place.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd -P)
venv=${VENV:-$top/.venv}
python=${PYTHON:-python3.11}

say() { printf '%s\n' "$*" >&2; }

complain() {
    say "$*"
    exit 1
}

can_make_environments() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null
}

# What a fresh Debian lacks, installed as root and named to everyone else.
require_python() {
    command -v "$python" >/dev/null || complain "$python is needed and was not found. On Debian 12: apt-get install python3 python3-venv"
    can_make_environments && return
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        say "installing python3-venv"
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3-venv; } >&2 || true
    fi
    can_make_environments || complain "$python cannot make virtual environments. On Debian 12, as root: apt-get install python3-venv"
}

# One package of a locked file, with its hashes.
locked() {
    awk -v name="$1" 'index($0, name "==") == 1 { on = 1; print; next } /^[^ ]/ { on = 0 } on && /--hash/' "$2"
}

# uv installs in seconds what pip installs in half a minute. It comes with the main environment.
bootstrap() {
    if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then
        say "making $venv"
        rm -rf "$venv"
        "$python" -m venv "$venv"
    fi
    [ -x "$venv/bin/uv" ] && return
    locked uv "$top/requirements/dev.txt" >"$venv/uv.txt"
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes --requirement "$venv/uv.txt" >&2
}

# sync PYTHON LOCKED-FILE. uv brings its own root certificates; where a proxy has others, those of the system are right.
sync() {
    local first
    first=$("$venv/bin/uv" pip sync --quiet --require-hashes --python "$1" "$2" 2>&1) && return
    "$venv/bin/uv" --system-certs pip sync --quiet --require-hashes --python "$1" "$2" >&2 && return
    complain "$first"
}

# fill DIRECTORY LOCKED-FILE
fill() {
    local link stamp sum
    link=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ansible_collections/sfb/xmpp
    stamp=$1/.locked
    sum=$(cksum <"$2")
    if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
        say "installing $(basename "$2" .txt) into $1"
        sync "$1/bin/python" "$2"
        printf '%s' "$sum" >"$stamp"
    fi
    if [ "$(readlink "$link")" != "$top" ]; then
        mkdir -p "$(dirname "$link")"
        ln -sfn "$top" "$link"
    fi
}

if [ -z "${SFB_ENVIRONMENT_LOCKED:-}" ]; then # one at a time
    mkdir -p "$top/.cache"
    SFB_ENVIRONMENT_LOCKED=1 exec flock "$top/.cache/environment.lock" "$0" "$@"
fi
[ "$(cat "$venv/.locked" 2>/dev/null)" != "" ] || require_python
bootstrap
fill "$venv" "$top/requirements/dev.txt"
version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

# further NAME PYTHON
further() {
    if [ "$(version "$venv-$1/bin/python")" != "$(version "$2")" ]; then
        rm -rf "${venv:?}-$1"
        "$2" -m venv --without-pip "$venv-$1"
    fi
    fill "$venv-$1" "$top/requirements/core-$1.txt"
}
case ${1:-} in
all)
    oldest='from tools.matrix import CORES, python_of; print(python_of(CORES[0]) or "")'
    oldest=$(cd "$top" && "$venv/bin/python" -c "$oldest")
    further 2.16 "${oldest:-$venv/bin/python}"
    ;;
core) further "$2" "$3" ;;
esac
