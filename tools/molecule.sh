#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs one Molecule scenario of extensions/molecule: tools/molecule.sh NAME
# Exit code 77: it was skipped, since it needs real XMPP servers that are not installed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/private.sh
. tools/private.sh
if grep -qs 'lab, partners, up' "extensions/molecule/$1/"*.yml && ! python -m lab partners missing; then
    echo "SKIPPED: the scenario $1 needs them" >&2
    exit 77
fi
molecule test --scenario-name "$1" 2>&1 | tee "$run/molecule.log"
# A scenario whose inventory is empty or was not found succeeds without having done anything.
if grep -q 'no hosts matched' "$run/molecule.log"; then
    echo "a playbook matched no hosts" >&2
    exit 1
fi
