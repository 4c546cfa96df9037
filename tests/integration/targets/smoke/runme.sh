#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# For ansible-test integration: a federation deployed into the lab, and once more. The tests of this collection are the files
# test_*.py of tests/integration, which pytest runs; this one shows that the collection works where ansible-test puts it.
set -euo pipefail
here=$PWD
cd "${ANSIBLE_COLLECTIONS_PATH%%:*}/ansible_collections/sfb/xmpp"

directory=$(mktemp -d /tmp/sfb.XXXXXX)
export SFB_LAB_DIRECTORY=$directory SFB_LAB_PORT SFB_LAB_XMPP_PORT=0
SFB_LAB_PORT=$(python -c 'from lab.deployment.endpoints import ADDRESSES, free_port; print(free_port(ADDRESSES.values()))')
leave() {
    python -m lab down || true
    rm -rf "$directory"
}
trap leave EXIT
python -m lab up
# Check mode writes nothing.
ansible-playbook sfb.xmpp.converge -i inventories/lab --check --diff "$@"
ansible-playbook "$here/read.yml" -i inventories/lab -e wanted=0 "$@"
ansible-playbook sfb.xmpp.converge -i inventories/lab --diff "$@"
ansible-playbook "$here/read.yml" -i inventories/lab -e wanted=declared "$@"
# What is as declared is left alone.
ansible-playbook sfb.xmpp.converge -i inventories/lab "$@" | tee "$directory/again.log"
if grep -E 'changed=[1-9]' "$directory/again.log"; then exit 1; fi
