# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define texts of findings: the meaning of each stream error, and the remedy for each fault."""

from __future__ import annotations

# RFC 6120 section 4.9.3: by error, its meaning for an administrator, and the remedy.
STREAM_ERRORS = {
    "host-unknown": ("the server does not serve the domain", "correct the domain or its SRV record"),
    "host-gone": ("the server no longer serves the domain", "ask the partner for the present domain"),
    "policy-violation": (
        "the server's rules forbid the connection, for example because TLS is required or your domain is unknown",
        "ask the partner to allow your domain, and compare the partner's rules with the declared settings",
    ),
    "not-authorized": (
        "the server could not authenticate your domain",
        "use a certificate that the partner trusts and that contains your domain",
    ),
    "remote-connection-failed": (
        "the server could not connect to your gateway to authenticate your domain",
        "publish the SRV record of your domain, and open port 5269 to the Access Edge",
    ),
    "invalid-from": (
        "the server does not accept your domain",
        "check from_domain and the names of the gateway's certificate",
    ),
    "improper-addressing": (
        "an address of the stream is missing or refused",
        "ask the partner which domains its server serves",
    ),
    "resource-constraint": ("the server is overloaded", "try again later, or ask the partner about its limits"),
    "system-shutdown": ("the server shuts down", "try again later"),
    "connection-timeout": ("the server waited too long for an answer", "try again, and check the network for delays"),
    "see-other-host": ("the server refers to another host", "ask the partner to correct its SRV record"),
    "unsupported-version": (
        "the server does not support this version of XMPP",
        "ask the partner for the version of its server",
    ),
}

# By fault of a partner's certificate: the remedy.
FAULTS = {
    "expired": "ask the partner to renew the certificate",
    "not_yet_valid": "wait, or correct the controller's clock",
    "untrusted": "ask the partner to use a CA that both sides trust, or trust its CA on the controller and on the Edge",
    "incomplete_chain": "ask the partner to send the intermediates, or trust its CA on the controller and on the Edge",
    "chain_expired": "ask the partner to replace the expired intermediate with the current intermediate of its CA",
    "chain_not_yet_valid": (
        "ask the partner to send an intermediate that is valid now, or correct the controller's clock"
    ),
    "chain_not_a_ca": "ask the partner for a certificate from a CA that is allowed to sign certificates",
    "chain_path_length": "ask the partner for a certificate from a CA that is allowed to have subordinate CAs",
    "chain_name_constraints": "ask the partner for a certificate from a CA that is allowed to issue for these names",
    "chain_purpose": "ask the partner for a certificate from a CA that is allowed to issue for server authentication",
    "chain_refused": "ask the partner to get a new certificate with correct CA certificates",
    "root_not_valid": (
        "update the trust store on the controller and on the Edge; if the CA has expired, ask the partner to change"
        " the CA"
    ),
    "name_mismatch": "ask the partner for a certificate whose DNS names cover the domain",
    "server_auth": "ask the partner for a certificate for server authentication",
    "malformed": "ask the partner to replace the certificate",
    "expires_soon": "remind the partner to renew the certificate",
    "client_auth": (
        "set sasl_negotiation to optional and support_dialback_negotiation to true, or ask the partner for a"
        " certificate with both purposes"
    ),
    "weak_signature": "ask the partner to get a new certificate with a strong signature",
    "chain_not_checked": "ask the partner to send only its own certificate and its intermediates",
    "key_size": "ask the partner to get a new certificate with a larger key",
}

# The step at which a conversation ended.
STAGES = {
    "stream": "after the connection was established",
    "starttls": "when the probe requested TLS",
    "tls": "in the TLS handshake",
    "secure_stream": "after the TLS handshake",
    "sasl": "when the probe tried SASL EXTERNAL",
}
