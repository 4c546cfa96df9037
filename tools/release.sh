#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Make a release: tools/release.sh VERSION, or make release VERSION=1.2.3. The script commits the version and the
# changelog, runs the checks on this commit, writes the tarball to build/release, and creates the tag. It publishes
# nothing. After a failure, it restores the checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:-}

refuse() {
    printf 'no release: %s\n' "$*" >&2
    exit 1
}

[[ $version =~ ^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$ ]] || refuse "VERSION=$version must be a version such as 1.2.3"
[ -z "$(git status --porcelain)" ] || refuse "there are uncommitted changes. Commit them first"
! git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null || refuse "the tag v$version already exists. Choose another version"
! grep -E '^ *(repository|issues|documentation|homepage):.*[.-]invalid' galaxy.yml docs/docsite/links.yml >&2 ||
    refuse "galaxy.yml or docs/docsite/links.yml has placeholder addresses. Replace them with the publisher's addresses"
last=$(git tag --list 'v*' --sort=-version:refname | sed -n 1p)
if [ -n "$last" ] && [ "$(printf '%s\n' "${last#v}" "$version" | sort --version-sort | tail -n 1)" != "$version" ]; then
    refuse "$version is older than $last. Choose a newer version"
fi

before=$(git rev-parse HEAD)
undo() {
    git reset --quiet --hard "$before"
    git clean --quiet --force -- changelogs CHANGELOG.md
}
trap undo EXIT
sed -i "s/^version: .*/version: $version/" galaxy.yml
antsibull-changelog lint
antsibull-changelog release --version "$version"
git add --all galaxy.yml CHANGELOG.md changelogs
git commit --quiet --message "Release $version"
${CHECKS:-python -m tools.checks}
[ -z "$(git status --porcelain)" ] || refuse "the checks changed files. Commit these changes first"

tools/tarball.sh
# Sign the tag if git has a signing key.
sign=--no-sign
[ -z "$(git config user.signingkey)" ] || sign=--sign
git tag "$sign" --annotate "v$version" --message "sfb.xmpp $version"
trap - EXIT
echo "build/release/sfb-xmpp-$version.tar.gz is tagged v$version. To publish it, run: git push --follow-tags, ansible-galaxy collection publish"
