#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Builds the collection from a clean copy, installs it like a user's, and converges a lab from the installed copy, twice.
#   tools/installed.sh [ENVIRONMENT]    with the ansible-core of that environment; $VENV (.venv) by default
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=${1:-${VENV:-$PWD/.venv}}/bin:$PATH
# shellcheck source=tools/private.sh
. tools/private.sh

tools/copy.sh "$run/source"
ansible-galaxy collection build --output-path "$run" "$run/source"
if [ "$#" -eq 0 ]; then
    mkdir -p build
    cp "$run"/sfb-xmpp-*.tar.gz build/
fi

# Only the installed copy may be found, so neither the links in the environments nor the checkout.
export ANSIBLE_COLLECTIONS_PATH=$run/collections ANSIBLE_COLLECTIONS_SCAN_SYS_PATH=false
ansible-galaxy collection install --offline --no-deps --collections-path "$run/collections" "$run"/sfb-xmpp-*.tar.gz
cp tools/readback.yml "$run"
cd "$run/collections/ansible_collections/sfb/xmpp"
ansible --version | sed -n 1p

python -m lab up
ansible-playbook --inventory inventories/lab sfb.xmpp.converge
ansible-playbook --inventory inventories/lab sfb.xmpp.converge | tee "$run/again.log"
if grep -qE 'changed=[1-9]' "$run/again.log"; then
    echo "the second run changed something" >&2
    exit 1
fi
ansible-playbook --inventory inventories/lab "$run/readback.yml"
