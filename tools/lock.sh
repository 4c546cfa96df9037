#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Writes the locked requirement files from the wishes beside them. Pins that still fit stay as they are;
# `tools/lock.sh --upgrade` moves them all.
set -euo pipefail
cd "$(dirname "$0")/../requirements"
uv=${VENV:-../.venv}/bin/uv
for name in dev core-2.17; do
    "$uv" pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url \
        --custom-compile-command "make lock" "$@" --output-file "$name.txt" "$name.in"
done
