#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Check that ansible-builder accepts the example execution-environment.yml, and finds all requirements in the built
# collection. If a container engine runs, build the image. The image must list the modules and import their
# requirements.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd -P)
work=$(mktemp -d /tmp/sfb.XXXXXX)
trap 'rm -rf "$work"' EXIT
collection=$work/collections/ansible_collections/sfb/xmpp
"$top/tools/copy.sh" "$work/source"
cd "$work"
ansible-galaxy collection build source
mv sfb-xmpp-*.tar.gz sfb-xmpp.tar.gz
mkdir -p "$collection"
tar --extract --file sfb-xmpp.tar.gz --directory "$collection"

# Use the example from the built collection, as users do.
cp "$collection/execution-environment.yml" .
ansible-builder create
test -s context/_build/galaxy/sfb-xmpp.tar.gz

ansible-builder introspect collections --write-pip found.txt --write-bindep system.txt
sed -E '/^(#|$)/d' "$top/requirements/runtime.in" | while IFS= read -r need; do
    grep -qF -- "$need" found.txt || { echo "introspection does not find '$need' of runtime.in" >&2; exit 1; }
done
grep -qF 'pypsrp[kerberos]' found.txt
grep -q '^krb5-workstation' system.txt

for engine in podman docker; do
    if "$engine" info >/dev/null 2>&1; then
        ansible-builder build --container-runtime "$engine" --tag sfb-xmpp-check
        "$engine" run --rm --network none sfb-xmpp-check ansible-doc --list --type module sfb.xmpp
        "$engine" run --rm --network none sfb-xmpp-check \
            python3 -c 'import cryptography, dns, gssapi, idna, krb5, OpenSSL, pypsrp, service_identity'
        "$engine" image rm sfb-xmpp-check >/dev/null
        exit
    fi
done
echo "LEFT OUT the image: no container engine is running"
