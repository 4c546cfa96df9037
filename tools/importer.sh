#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Run galaxy-importer on the built collection, as Ansible Galaxy does after an upload. It reports success in spite of
# most findings. So every warning counts as a failure here.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd -P)
work=$(mktemp -d /tmp/sfb.XXXXXX)
trap 'rm -rf "$work"' EXIT
"$top/tools/copy.sh" "$work/source"
cd "$work"
ansible-galaxy collection build source
export GALAXY_IMPORTER_CHECK_REQUIRED_TAGS=true
python -m galaxy_importer.main sfb-xmpp-*.tar.gz 2>&1 | tee importer.log
if grep -E '^(WARNING|ERROR)' importer.log >&2; then exit 1; fi
grep -q 'Importer processing completed successfully' importer.log
