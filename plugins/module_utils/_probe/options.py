# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the options and verdicts of a probe. This module is separate, so that not every playbook loads the probe."""

from __future__ import annotations

import typing as t

from .._federation.catalogue import PARTNER

# The verdicts of a domain.
VERDICTS = ("ok", "warning", "failed", "not_observable")
# The port for servers (RFC 6120, section 14.7).
DEFAULT_PORT = 5269
# The properties of a partner that a probe uses.
PROBED = (
    "additional_domains", "tls_negotiation", "sasl_negotiation", "support_dialback_negotiation", "proxy_fqdn",
)  # fmt: skip

# The options of a test message (xmpp_im_test).
MESSAGE: dict[str, t.Any] = {
    "to_user": {"type": "str", "required": True},
    "from_user": {"type": "str"},
    "credential": {
        "type": "dict",
        "options": {
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
        },
    },
    "pool": {"type": "str"},
    "registrar_port": {"type": "int"},
}

ARGUMENT_SPEC: dict[str, t.Any] = {
    "domains": {"type": "list", "elements": "str", "default": []},
    "partners": {"type": "list", "elements": "dict", "default": [], "options": PARTNER.spec()},
    "from_domain": {"type": "str", "required": True},
    "own_domains": {"type": "list", "elements": "str", "default": []},
    "access_edge": {"type": "str"},
    "gateway_port": {"type": "int", "default": DEFAULT_PORT},
    "certificate": {
        "type": "dict",
        "options": {
            "path": {"type": "path", "required": True},
            "passphrase": {"type": "str", "no_log": True},
        },
    },
    "trust_store": {"type": "path"},
    "nameservers": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 5.0},
    "workers": {"type": "int", "default": 50},
    "expires_within": {"type": "int", "default": 14},
    "allow_local": {"type": "bool", "default": True},
}
