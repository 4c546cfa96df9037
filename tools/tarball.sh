#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Build the collection in build/release, with its list of parts (CycloneDX) and the checksums of both.
set -euo pipefail
cd "$(dirname "$0")/.."
source=$(mktemp -d /tmp/sfb.XXXXXX)
trap 'rm -rf "$source"' EXIT
tools/copy.sh "$source/copy"
rm -rf build/release
mkdir -p build/release
ansible-galaxy collection build --output-path build/release "$source/copy" >/dev/null
cd build/release
tarball=$(echo sfb-xmpp-*.tar.gz)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) PYTHONPATH=../.. python -m tools.parts "$tarball"
sha256sum "$tarball" "$tarball.cdx.json" >SHA256SUMS
printf 'build/release/%s\n' "$tarball" "$tarball.cdx.json" SHA256SUMS
