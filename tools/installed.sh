#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Build the collection from a clean copy, and install it as a user does: into an empty folder and a new environment with
# only the packages in the guides. Then run ansible-doc, rehearse and a Molecule scenario. The scenario federation runs
# verify and sends messages, but needs real XMPP servers. Without them, the scenario default runs.
#   tools/installed.sh [ENVIRONMENT]    uses the package versions of this environment; default: $VENV (.venv)
set -euo pipefail
cd "$(dirname "$0")/.."
environment=${1:-${VENV:-$PWD/.venv}}
main=${VENV:-$PWD/.venv}/bin
PATH=$environment/bin:$PATH
# shellcheck source=tools/private.sh
. tools/private.sh

tools/copy.sh "$run/source"
ansible-galaxy collection build --output-path "$run" "$run/source"
rm -r "$run/source"
if [ "$#" -eq 0 ]; then
    mkdir -p build
    cp "$run"/sfb-xmpp-*.tar.gz build/
fi

# From here on, use only installed files. The links in the environments and the checkout must not be found.
"$main/uv" venv --quiet --python "$environment/bin/python" "$run/venv"
"$main/uv" pip freeze --quiet --python "$environment/bin/python" >"$run/versions.txt"
PATH=$run/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset PYTHONPATH VIRTUAL_ENV
export ANSIBLE_COLLECTIONS_PATH=$run/collections
cd "$run"
collection=$run/collections/ansible_collections/sfb/xmpp
install() {
    "$main/uv" pip install --quiet --python "$run/venv/bin/python" --constraint versions.txt "$@" 2>/dev/null ||
        "$main/uv" --system-certs pip install --quiet --python "$run/venv/bin/python" --constraint versions.txt "$@"
}
install ansible-core
ansible-galaxy collection install --offline --no-deps --collections-path collections sfb-xmpp-*.tar.gz
install --requirement "$collection/lab/requirements.txt" molecule
ansible --version | sed -n 1p

# ansible-doc must describe each module and plugin.
listed=$(ansible-doc --list --type module sfb.xmpp | grep -c '^sfb\.xmpp\.')
there=$(find "$collection/plugins/modules" -name '*.yml' | wc -l)
echo "ansible-doc lists $listed of $there modules"
[ "$listed" -eq "$there" ]

cat >inventory.yml <<'INVENTORY'
sfb_management:
  hosts:
    fe01.contoso.com:
sfb_edge:
  hosts:
    edge01.contoso.com:
all:
  vars:
    sfb_xmpp_policies:
      - {identity: Chat, enable_federation_access: true, enable_outside_access: true, enable_xmpp_access: true}
    sfb_xmpp_partners:
      - {domain: fabrikam.example, tls_negotiation: required, sasl_negotiation: required}
    sfb_xmpp_access_edge: {allow_federated_users: true}
INVENTORY
ansible-playbook sfb.xmpp.rehearse --inventory inventory.yml -e sfb_xmpp_into=rehearsed
cd "$collection"
scenario=federation
python -m lab partners missing || scenario=default
cd extensions
molecule -c molecule/config.yml test --scenario-name "$scenario"
