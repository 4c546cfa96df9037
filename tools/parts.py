# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the parts of a release in CycloneDX form (an SBOM) to TARBALL.cdx.json: ``python -m tools.parts TARBALL``.

The tarball contains no code of other projects. Its parts are the Python packages that it needs on the controller, and
the packages that these need. The versions are those of this environment, which was used for the tests.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tarfile
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).resolve().parent.parent
# The collection needs these packages in addition to those in runtime.in.
CORE = "ansible-core"


def wishes() -> dict[str, str]:
    """Return the versions that the collection accepts, by package name."""
    found = {CORE: ">=2.16"}
    for line in (TOP / "requirements" / "runtime.in").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            found[canonicalize_name(requirement.name)] = str(requirement.specifier)
    return found


def needed_by(name: str) -> list[str]:
    """Return the packages that a package needs here, without its extras."""
    requirements = map(Requirement, metadata.requires(name) or ())
    here = [one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    return sorted(set(map(canonicalize_name, here)))


def package(name: str, wish: str | None) -> Component:
    """Return one package of this environment. wish: the accepted versions; None for indirect packages."""
    version = metadata.version(name)
    url = PackageURL("pypi", None, name, version)
    properties = [] if wish is None else [Property(name="sfb.xmpp:takes", value=wish or "any")]
    return Component(
        name=name, version=version, type=ComponentType.LIBRARY, purl=url, bom_ref=str(url), properties=properties
    )


def parts(tarball: Path, time: datetime) -> Bom:
    """Return the list of a tarball. time: of its creation. Raises OSError or KeyError if it is not a collection."""
    with tarfile.open(tarball) as archive:
        handle = archive.extractfile("MANIFEST.json")
        assert handle is not None
        about = json.load(handle)["collection_info"]
    name = "%s.%s" % (about["namespace"], about["name"])
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    whole = Component(
        name=name,
        version=about["version"],
        type=ComponentType.LIBRARY,
        bom_ref="%s@%s" % (name, about["version"]),
        description=about["description"],
        purl=PackageURL("generic", None, name, about["version"]),
        licenses=[DisjunctiveLicense(id=one) for one in about["license"]],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )
    bom = Bom(metadata=BomMetaData(component=whole, timestamp=time))
    taken, seen, waiting = wishes(), {}, list(wishes())
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen[one] = package(one, taken.get(one))
            waiting += needed_by(one)
    bom.components.update(seen.values())
    bom.register_dependency(whole, [seen[one] for one in taken])
    for one, component in seen.items():
        bom.register_dependency(component, [seen[other] for other in needed_by(one)])
    return bom


def main(tarball: Path) -> None:
    # Reproducible builds do this, so that the same commit produces the same list.
    moment = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.fromtimestamp(int(moment), timezone.utc) if moment else datetime.now(timezone.utc)
    text = JsonV1Dot6(parts(tarball, now)).output_as_string(indent=2)
    mistake = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if mistake is not None:
        sys.exit("the list of parts is not valid CycloneDX: %s" % mistake)
    tarball.with_name(tarball.name + ".cdx.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
