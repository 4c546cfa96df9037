#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Run one Molecule scenario of extensions/molecule: tools/molecule.sh NAME
# Exit code 77 means that it was skipped, because it needs XMPP servers that are not installed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/private.sh
. tools/private.sh
if grep -qs 'lab, partners, up' "extensions/molecule/$1/"*.yml && ! python -m lab partners missing; then
    echo "SKIPPED: the scenario $1 needs these packages" >&2
    exit 77
fi
molecule test --scenario-name "$1" 2>&1 | tee "$run/molecule.log"
# With an empty or missing inventory, a scenario succeeds, but does nothing.
if grep -q 'no hosts matched' "$run/molecule.log"; then
    echo "a playbook matched no hosts. Check the inventory of the scenario" >&2
    exit 1
fi
