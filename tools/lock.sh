#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Write the locked requirement files from the *.in files: the main environment, and the oldest supported versions. Pins
# that are still valid do not change. `tools/lock.sh --upgrade` updates all pins.
set -euo pipefail
cd "$(dirname "$0")/../requirements"
uv=${VENV:-../.venv}/bin/uv

# lock NAME OLDEST-PYTHON [OPTION]...
lock() {
    "$uv" pip compile --quiet --universal --python-version "$2" --generate-hashes --no-emit-index-url \
        --custom-compile-command "make lock" "${@:3}" --output-file "$1.txt" "$1.in"
}

lock dev 3.11 "$@"
# The collection must work with the oldest versions that the requirement files allow.
lock kerberos 3.11 "$@"
lock core-2.16 3.10 --resolution lowest-direct "$@"
