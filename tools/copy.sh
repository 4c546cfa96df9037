#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Copy the checkout to DIRECTORY, without the files that git ignores. DIRECTORY is emptied first.
set -euo pipefail
to=$(realpath -m "$1")
cd "$(dirname "$0")/.."
rm -rf "$to"
mkdir -p "$to"
git ls-files -z --cached --others --exclude-standard --deduplicate |
    while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
    tar --create --null --files-from=- --file=- | tar --extract --directory="$to" --file=-
