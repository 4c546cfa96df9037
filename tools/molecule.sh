#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every Molecule scenario of extensions/molecule; or those that are named.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/private.sh
. tools/private.sh
# Molecule's own state goes to the private place too; it would lie in the home directory.
export MOLECULE_EPHEMERAL_DIRECTORY=$run/molecule XDG_CACHE_HOME=$run/cache
log=$run/molecule.log
if [ "$#" -gt 0 ]; then
    for scenario in "$@"; do molecule test --scenario-name "$scenario"; done 2>&1 | tee "$log"
else
    molecule test --all --report 2>&1 | tee "$log"
fi
# A scenario whose inventory is empty or was not found succeeds without having done anything.
if grep -qE 'no hosts matched|skipping: no hosts matched' "$log"; then
    echo "a playbook matched no hosts" >&2
    exit 1
fi
