# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts of findings: what a stream error means, what a fault calls for."""

from __future__ import annotations

# RFC 6120 section 4.9.3: what the error means to somebody who looks for the cause, and what to do.
STREAM_ERRORS = {
    "host-unknown": ("it does not serve the domain", "correct the domain, or its SRV record"),
    "host-gone": ("it does not serve the domain any more", "ask the partner for the present domain"),
    "policy-violation": (
        "its rules forbid the connection, for example because it requires TLS or does not know the domain that asks",
        "ask the partner to allow the domain, and compare its rules with the declared row",
    ),
    "not-authorized": (
        "the domain that asks could not be authenticated",
        "present a certificate that the partner trusts, and that covers the domain that asks",
    ),
    "remote-connection-failed": (
        "it could not connect back to authenticate the domain that asks",
        "publish the SRV record of the own domain, and open port 5269 to the Access Edge",
    ),
    "invalid-from": (
        "it does not accept the domain that asks",
        "check from_domain, and the names of the own certificate",
    ),
    "improper-addressing": ("it misses or refuses an address of the stream", "ask the partner which domains it serves"),
    "resource-constraint": ("it has too much to do", "try again later, or ask the partner about its limits"),
    "system-shutdown": ("it is being shut down", "try again later"),
    "connection-timeout": ("it gave up waiting", "try again, and look for delays in the network"),
    "see-other-host": ("it refers to another host", "ask the partner to correct its SRV record"),
    "unsupported-version": ("it does not know this version of XMPP", "ask the partner for its server's version"),
}

# Faults of a partner's certificate: what to do.
FAULTS = {
    "expired": "the partner has to renew it",
    "not_yet_valid": "wait, or set the controller's clock",
    "untrusted": "the partner has to use a CA that both sides trust, or its CA has to be trusted here and on the Edge",
    "incomplete_chain": "the partner has to send its intermediates, or its CA has to be trusted here and on the Edge",
    "chain_expired": "the partner has to send the current intermediate of its CA in place of the expired one",
    "chain_not_yet_valid": "the partner has to send an intermediate that is valid now; or set the controller's clock",
    "chain_not_a_ca": "the partner needs a certificate from a CA certificate that may sign others",
    "chain_path_length": "the partner needs a certificate from a CA that may have CAs below it",
    "chain_name_constraints": "the partner needs a certificate from a CA that may issue for these names",
    "chain_purpose": "the partner needs a certificate from a CA that may issue for server authentication",
    "chain_refused": "the partner has to have its certificate issued again, with correct CA certificates",
    "root_not_valid": "update the trust store here and on the Edge; if the CA has ended, the partner needs another CA",
    "name_mismatch": "the partner needs one whose DNS names cover the domain",
    "server_auth": "the partner needs one for server authentication",
    "malformed": "the partner has to replace it",
    "expires_soon": "remind the partner to renew it",
    "client_auth": "make SASL optional and support dialback, or ask the partner for one with both purposes",
    "weak_signature": "ask the partner to have it issued anew",
    "chain_not_checked": "the partner has to send its own certificate and the intermediates above it, and nothing else",
    "key_size": "ask the partner to have it issued with a larger key",
}

# Where a conversation ended.
STAGES = {
    "stream": "after the connection was made",
    "starttls": "when TLS was asked for",
    "tls": "in the TLS handshake",
    "secure_stream": "after the TLS handshake",
    "sasl": "when EXTERNAL was tried",
}
