# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write audit.xml for CI, with one test case for every checked object. This code is pure.

Findings that reach ``fail_on`` fail, so that CI and the exit status of the playbook agree.
"""

from __future__ import annotations

import typing as t

from .._playbooks.audit_compare import certificate_name
from . import audit_texts as words
from .audit_document import Audit
from .finding_order import Finding, reached, sentence
from .junit import Case, junit

# The severities of findings that are known.
_SEEN = ("error", "warning", "info")


def render(audit: Audit, fail_on: str = "error") -> str:
    """Return the file. Raises Invalid for a wrong ``fail_on``."""
    return junit("sfb.xmpp.audit", audit["time"], list(cases(audit, fail_on)))


def cases(audit: Audit, fail_on: str) -> t.Iterator[Case]:
    """Yield one case for each object, with the object's findings. Objects without findings pass."""
    fatal = {id(finding) for finding in reached(audit["findings"], fail_on)}
    by_object: dict[tuple[str, str], list[Finding]] = {key: [] for key in _looked_at(audit)}
    for finding in audit["findings"]:
        by_object.setdefault((finding["area"], finding["object"]), []).append(finding)
    for area in words.AREAS:
        for (place, name), found in sorted(by_object.items()):
            if place == area:
                yield _case(area, name, found, fatal)
    for one in audit["partners"]:
        if one["verdict"] == "not_probed":
            yield Case("partner", one["domain"], skipped=["it was not probed"])


def _looked_at(audit: Audit) -> t.Iterator[tuple[str, str]]:
    """Yield the checked objects. Without findings, drift is one check, and preflight is one check."""
    yield from (("own", one["domain"]) for one in audit["own"]["domains"])
    yield from (("partner", one["domain"]) for one in audit["partners"] if one["verdict"] != "not_probed")
    yield from (("policy", one["identity"]) for one in audit["policies"])
    yield from (("certificate", certificate_name(one)) for one in audit["certificates"])
    for area in ("drift", "preflight"):
        if not any(one["area"] == area for one in audit["findings"]):
            yield area, audit["deployment"]


def _case(area: str, name: str, found: list[Finding], fatal: set[int]) -> Case:
    """Return a case.

    An unknown result that reaches ``fail_on`` is an error. If the result does not reach ``fail_on``, the check is
    skipped.
    """
    texts = {severity: [sentence(one) for one in found if one["severity"] == severity] for severity in words.SEVERITIES}
    counting = {one["severity"] for one in found if id(one) in fatal}
    return Case(
        area,
        name,
        failures=[text for word in _SEEN if word in counting for text in texts[word]],
        errors=texts["unknown"] if "unknown" in counting else (),
        skipped=texts["unknown"] if "unknown" not in counting else (),
        output=["%s: %s" % (word, text) for word in _SEEN if word not in counting for text in texts[word]],
    )
