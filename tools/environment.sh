#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Create or update the virtual environments of this checkout:
#   tools/environment.sh                      $VENV (.venv)      the newest ansible-core of its Python, and every tool
#   tools/environment.sh all                  and $VENV-2.16     the oldest supported version of everything, for tests,
#                                             on the oldest installed Python
#   tools/environment.sh core NAME PYTHON     and $VENV-NAME     another ansible-core, for the matrix: 2.18, or "next"
# The default Python is the newest of 3.11 to 3.13 on the PATH. Set PYTHON for another one. An existing environment
# keeps its Python. The first two environments have the locked versions of requirements/*.txt. With UNLOCKED=1, the
# first has the newest version of everything. In each, ansible_collections/sfb/xmpp is a link to this checkout, so that
# Ansible finds the collection by its name. The script does nothing if all environments are up to date.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd -P)
venv=${VENV:-$top/.venv}

say() { printf '%s\n' "$*" >&2; }

complain() {
    say "$*"
    exit 1
}

can_make_environments() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

# Print the newest interpreter that can create environments. Otherwise print the oldest, which needs more packages.
newest_python() {
    local version
    for version in 3.13 3.12 3.11; do
        can_make_environments "python$version" && break
    done
    printf 'python%s' "$version"
}
python=${PYTHON:-$(newest_python)}

# Install the packages that a new Debian does not have. Without root, print their names.
require_python() {
    can_make_environments "$python" && return
    command -v "$python" >/dev/null || complain "$python is needed, but was not found. On Debian 12, as root, run: apt-get install python3 python3-venv"
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        say "installing python3-venv"
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3-venv; } >&2 || true
    fi
    can_make_environments "$python" || complain "$python cannot create virtual environments. On Debian 12, as root, run: apt-get install python3-venv"
}

# Print one package of a locked file, with its hashes.
locked() {
    awk -v name="$1" 'index($0, name "==") == 1 { on = 1; print; next } /^[^ ]/ { on = 0 } on && /--hash/' "$2"
}

# uv is much faster than pip. It is installed into the main environment.
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

# uv has its own root certificates. A proxy can need the certificates of the system.
with_uv() {
    local first
    first=$("$venv/bin/uv" "$@" 2>&1) && return
    "$venv/bin/uv" --system-certs "$@" >&2 && return
    complain "$first"
}

# stamped DIRECTORY WHAT COMMAND...: run the command if WHAT has changed, and create the link to the checkout.
stamped() {
    local link
    if [ "$(cat "$1/.locked" 2>/dev/null)" != "$2" ]; then
        say "installing $2 into $1"
        "${@:3}"
        printf '%s' "$2" >"$1/.locked"
    fi
    link=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ansible_collections/sfb/xmpp
    if [ "$(readlink "$link")" != "$top" ]; then
        mkdir -p "$(dirname "$link")"
        ln -sfn "$top" "$link"
    fi
}

# locked_fill DIRECTORY LOCKED-FILE
locked_fill() {
    local sum
    sum=$(cksum <"$2")
    stamped "$1" "$(basename "$2") ${sum%% *}" with_uv pip sync --quiet --require-hashes --python "$1/bin/python" "$2"
}

# newest_fill DIRECTORY WISH...: install the newest packages of an index, once a day.
newest_fill() {
    stamped "$1" "the newest of ${*:2}, $(date -u +%F)" with_uv pip install --quiet --upgrade --python "$1/bin/python" "${@:2}"
}

if [ -z "${SFB_ENVIRONMENT_LOCKED:-}" ]; then # only one run at a time
    mkdir -p "$top/.cache"
    SFB_ENVIRONMENT_LOCKED=1 exec flock "$top/.cache/environment.lock" "$0" "$@"
fi
[ "$(cat "$venv/.locked" 2>/dev/null)" != "" ] || require_python
bootstrap
if [ -n "${UNLOCKED:-}" ]; then
    newest_fill "$venv" --requirement "$top/requirements/dev.in"
else
    locked_fill "$venv" "$top/requirements/dev.txt"
fi

version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

# make_further NAME PYTHON: create the directory of another, empty environment.
make_further() {
    [ "$(version "$venv-$1/bin/python")" = "$(version "$2")" ] && return
    rm -rf "${venv:?}-$1"
    "$2" -m venv --without-pip "$venv-$1"
}

# newest_core NAME: fill the environment with the newest release of a core. "next" is the newest of all, with pre-releases.
newest_core() {
    local wish=("ansible-core~=$1.0")
    [ "$1" != next ] || wish=(--prerelease allow ansible-core)
    newest_fill "$venv-$1" --requirement "$top/requirements/core.in" "${wish[@]}"
}

case ${1:-} in
all)
    oldest='from tools.matrix import CORES, python_of; print(python_of(CORES[0]) or "")'
    oldest=$(cd "$top" && "$venv/bin/python" -c "$oldest")
    make_further 2.16 "${oldest:-$venv/bin/python}"
    locked_fill "$venv-2.16" "$top/requirements/core-2.16.txt"
    ;;
core)
    make_further "$2" "$3"
    if [ "$2" = 2.16 ]; then
        locked_fill "$venv-2.16" "$top/requirements/core-2.16.txt"
    else
        newest_core "$2"
    fi
    ;;
esac
