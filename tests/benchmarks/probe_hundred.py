# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a probe of 100 domains takes when 10 of them do not answer: ``python -m tests.benchmarks.probe_hundred``."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sfb.xmpp.plugins.module_utils._base.perform import perform
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.tasks import TASK

from tests.integration.xmpp_peer import Manners, NameServer, Peer, deaf_port
from tests.unit import certificates


def main() -> None:
    names = ["d%02d.test" % number for number in range(100)]
    certificate = certificates.issue(issuer=certificates.intermediate(), names=names)
    manners = Manners(certificate, (certificates.intermediate(),))
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        dns = stack.enter_context(NameServer())
        peer = stack.enter_context(Peer(manners))
        deaf = stack.enter_context(deaf_port())
        for number, name in enumerate(names):
            dns.service(name, deaf if number % 10 == 0 else peer.port)
        (directory / "root.pem").write_bytes(certificates.root().pem)
        given = {
            "domains": names,
            "from_domain": "contoso.test",
            "nameservers": [dns.place],
            "trust_store": str(directory / "root.pem"),
        }
        validated = ArgumentSpecValidator(dict(TASK.argument_spec)).validate(given)
        started = time.monotonic()
        result = perform(TASK, validated.validated_parameters, None, False)[0]
        seconds = time.monotonic() - started
    slowest = max(result["domains"], key=lambda entry: float(entry["seconds"]))
    print("100 domains, 10 without an answer for 5 s: %.1f s" % seconds)
    print("verdicts: %s; slowest: %s with %.1f s" % (result["summary"], slowest["domain"], slowest["seconds"]))


if __name__ == "__main__":
    main()
