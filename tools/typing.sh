#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Run mypy --strict on all Python files: plugins under their import names, the lab, the tests, the tools.
set -euo pipefail
cd "$(dirname "$0")/.."
names=.cache/typing/ansible_collections/sfb
mkdir -p "$names"
ln -sfn "$PWD" "$names/xmpp"
places=("$names/xmpp/plugins")
for place in lab tests tools extensions; do
    if [ -n "$(find "$place" -name '*.py' -print -quit 2>/dev/null)" ]; then places+=("$place"); fi
done
mypy "$@" "${places[@]}" | sed "s|$names/xmpp/||"
