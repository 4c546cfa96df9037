# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a failure of the transport means, and what to check. Whoever passes a text on masks it first."""

from __future__ import annotations

import re
import socket
import ssl
import typing as t

from ...module_utils._shell.statement import DNS, LOGIN, PORT, SESSION, TLS
from .limits import AnswerError, TooLate, short
from .options import Target

# WSManFault codes. The first: the server does not know the shell (it was restarted, or the shell timed out), so nothing
# of the request was executed. The second: nothing happened within the operation timeout, ask again.
UNKNOWN_SHELL = 2150858843
NOTHING_YET = 2150858793
ACCESS_DENIED = 5
UNKNOWN_RESOURCE = 2150858752

# The text of a connection whose TLS takes longer than connecting may.
SLOW_TLS = "TLS does not come about in time"
# Characters of a failure's text.
LONGEST = 1000


# What Kerberos says, and what to do. The texts are those of MIT Kerberos (its table of error codes, krb5_err.et).
_KERBEROS_ADVICE = (
    (
        ("preauthentication failed", "password incorrect", "decrypt integrity check failed"),
        "The password is wrong: check ansible_password",
    ),
    (
        ("client", "not found in kerberos database"),
        "The realm does not know the account: check ansible_user (user@REALM)",
    ),
    (
        ("server", "not found in kerberos database"),
        "The realm does not know the service by this name: check ansible_psrp_negotiate_service (HTTP on a Front End,"
        " WSMAN or host elsewhere), and that ansible_host or ansible_psrp_negotiate_hostname_override is the server's"
        " full name",
    ),
    (
        ("cannot find kdc", "cannot contact any kdc", "configuration file does not specify default realm"),
        "Nobody answers for the realm: write it in capitals in ansible_user (user@REALM), and check krb5.conf, DNS and"
        " the way to a domain controller",
    ),
    (("clock skew",), "Set the clock of the controller: Kerberos allows five minutes of difference"),
    (("expired",), "Get a new ticket with kinit, or set ansible_password"),
    (
        ("no kerberos credentials available", "no credentials cache found", "no credentials were supplied"),
        "Set ansible_password, or get a ticket with kinit first",
    ),
)


class LoginError(Exception):
    """The authentication failed on this side, in a library that says so in its own way."""


class LoginRefused(AnswerError):
    """Another host of this run has refused the same account with the same password."""


# OpenSSL's numbers (X509_V_ERR_) of a certificate that is not valid now, and of one that names another host.
_NOT_NOW, _OTHER_NAME = (9, 10), (62, 64)


def innermost(error: BaseException) -> BaseException:
    """What requests and urllib3 wrapped: the error that the network or TLS layer raised first."""
    while True:
        candidates: list[t.Any] = [getattr(error, "reason", None), *reversed(error.args)]
        inner = next((c for c in candidates if isinstance(c, BaseException)), None)
        if inner is None:
            return error
        error = inner


def never_sent(error: BaseException) -> bool:
    """Whether the request has certainly not been executed: no connection came about, or the server let nobody in."""
    from pypsrp.exceptions import AuthenticationError, WSManFaultError
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    if isinstance(error, WSManFaultError):
        return bool(error.code == UNKNOWN_SHELL)
    if isinstance(error, AuthenticationError):
        return True
    inner = innermost(error)
    return _other_certificate(inner) or isinstance(
        inner, (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError)
    )


def login_refused(error: BaseException) -> bool:
    """Whether the server, or the realm's own, refused the account and its password: that counts for a lockout."""
    from pypsrp.exceptions import AuthenticationError

    words = brief(error).lower()
    return isinstance(error, AuthenticationError) or (
        _login_failed(error) and any(text in words for text in _KERBEROS_ADVICE[0][0])
    )


def _login_failed(error: BaseException) -> bool:
    from spnego.exceptions import SpnegoError

    return isinstance(error, (SpnegoError, LoginError))


def transport_failed(error: BaseException) -> bool:
    """Whether it is the server or the way to it that failed, rather than a signal or our own code."""
    from pypsrp.exceptions import WinRMError
    from requests.exceptions import RequestException
    from spnego.exceptions import SpnegoError

    return isinstance(error, (AnswerError, LoginError, WinRMError, RequestException, OSError, SpnegoError))


def repeatable(error: BaseException) -> bool:
    """Whether a read may be sent once more: not where the server's answer would be the same, or the time is over."""
    return transport_failed(error) and not isinstance(error, AnswerError)


def interrupted(error: BaseException) -> bool:
    """Whether Ansible's time limit or a signal ended the wait: its daemon raises a bare Exception for these."""
    return error.__class__ is Exception


def alarm(error: BaseException) -> bool:
    """Whether it was the time limit."""
    return interrupted(error) and str(error).startswith("command timeout triggered")


def broken_link(error: BaseException) -> str:
    """The link of the way to a server (statement.WAY) at which no session came about; empty if it was none of them.

    Of a failure that is none of these, such as a library that is missing, nothing has reached the server.
    """
    from pypsrp.exceptions import AuthenticationError, WinRMError, WSManFaultError
    from requests.exceptions import ConnectTimeout, ProxyError, ReadTimeout
    from urllib3.exceptions import NewConnectionError

    inner = innermost(error)
    if isinstance(error, (AuthenticationError, LoginRefused)) or _login_failed(error):
        return LOGIN
    if isinstance(error, WSManFaultError) and error.code == ACCESS_DENIED:
        return LOGIN
    if isinstance(error, ProxyError):
        return PORT
    if isinstance(inner, ssl.SSLError) or _other_certificate(inner):
        return TLS
    if isinstance(inner, NewConnectionError):
        return DNS if _unresolved(inner) else PORT
    if isinstance(error, ConnectTimeout):
        return TLS if SLOW_TLS in str(inner) else PORT
    # The server took the connection.
    return SESSION if isinstance(error, (AnswerError, WinRMError, ReadTimeout)) or _lost(inner) else ""


def _lost(inner: BaseException) -> bool:
    from http.client import HTTPException

    return isinstance(inner, (ConnectionError, HTTPException))


def _unresolved(inner: BaseException) -> bool:
    """Whether no connection came about since the name has no address. urllib3 before 2 has no error of its own."""
    return any(isinstance(one, socket.gaierror) for one in (inner.__cause__, inner.__context__))


def _other_certificate(inner: BaseException) -> bool:
    return "Fingerprints did not match" in str(inner)


def brief(error: BaseException) -> str:
    """The failure in one line."""
    from pypsrp.exceptions import WinRMTransportError, WSManFaultError

    inner = innermost(error)
    words = str(inner)
    if isinstance(error, WSManFaultError):
        words = _fault_words(error)
    elif isinstance(error, WinRMTransportError):
        words = _http_words(error)
    elif _other_certificate(inner):
        words = (
            "the server's certificate is another than at the beginning of the session, and with"
            " 'ansible_psrp_cert_validation: ignore' nothing else says that it is the same server: nothing was sent"
        )
    return short(" ".join(words.split()) or type(inner).__name__, LONGEST)


def _fault_words(fault: t.Any) -> str:
    words = fault.provider_fault or fault.reason
    code = "WSMan fault %s" % fault.code
    return "%s (%s)" % (words, code) if words else "the server answered %s without a text" % code


def _http_words(error: t.Any) -> str:
    """An error of HTTP without a fault of WS-Management: the status, and what the page says."""
    page = re.sub(r"(?s)<(style|script)[^>]*>.*?</\1>|<[^>]*>", " ", str(error.response_text)[:20000])
    page = " ".join(page.split())
    return "the server answered HTTP status %s%s" % (error.code, page and " ('%s')" % short(page, 200))


def no_session(error: BaseException, target: Target) -> str:
    """Why no session could be opened, and what to check."""
    return "no session on %s: %s" % (target.endpoint, _advice(error, target))


def _advice(error: BaseException, target: Target) -> str:
    if isinstance(error, ImportError):
        return (
            "a Python library is missing on the controller: %s. Install 'pypsrp' (with its extra kerberos or credssp"
            " where these are used) for the Python that runs Ansible." % error
        )

    from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
    from requests.exceptions import ConnectTimeout, ProxyError, ReadTimeout
    from spnego.exceptions import SpnegoError
    from urllib3.exceptions import NewConnectionError

    inner = innermost(error)
    words = brief(error)
    if isinstance(error, TooLate):
        return "%s. Check that the server answers at all, and how fast." % words
    if isinstance(error, AnswerError) or _other_certificate(inner):
        return "%s." % words.rstrip(".")
    who = "the account '%s'" % target.user if target.user else "the request, which names no account (ansible_user)"
    if isinstance(error, AuthenticationError):
        return _line_break(target) + (
            "the server did not accept %s with %s authentication (%s). Check ansible_user (DOMAIN\\user or"
            " user@REALM), ansible_password, and ansible_psrp_auth: Basic is normally switched off on servers, and"
            " Kerberos on a Front End's IIS wants ansible_psrp_negotiate_service HTTP." % (who, target.auth, words)
        )
    if isinstance(error, (SpnegoError, LoginError)):
        text = "%s authentication of %s could not begin: %s. %s."
        return _line_break(target) + text % (target.auth, who, words, _kerberos(words))
    if isinstance(inner, ssl.SSLCertVerificationError):
        return "the server's certificate was not accepted: %s. %s" % (
            inner.verify_message,
            _certificate(inner.verify_code),
        )
    if isinstance(inner, ssl.SSLError):
        return (
            "TLS failed: %s. Check that ansible_port is an HTTPS port (else ansible_psrp_protocol), and which TLS"
            " versions the server offers: old Windows may offer only 1.0." % words
        )
    if isinstance(error, ProxyError):
        return "the proxy did not answer: %s. Check ansible_psrp_proxy, or set ansible_psrp_ignore_proxy." % words
    if isinstance(inner, OSError) and "CA certificate bundle" in words:
        return "%s. Check ansible_psrp_ca_cert." % words
    if isinstance(inner, NewConnectionError):
        # urllib3's NameResolutionError is one of them. Its text begins with the connection object.
        said = words.rpartition(": ")[2]
        if _unresolved(inner):
            return "%s. Check ansible_host, and the name resolution of the controller." % said
        return "%s. Check ansible_host, ansible_port, whether the service runs, and the firewall." % said
    if isinstance(error, ConnectTimeout):
        return (
            "nobody answered within %s s. Check ansible_host, ansible_port and the firewall"
            " (ansible_psrp_connection_timeout)." % target.wsman.get("connection_timeout")
        )
    if isinstance(error, ReadTimeout):
        return (
            "the server took the connection but did not answer within %s s (ansible_psrp_read_timeout)."
            % target.wsman.get("read_timeout")
        )
    if isinstance(inner, ConnectionError):
        return "%s. Check that ansible_port and ansible_psrp_protocol fit together." % words.rstrip(".")
    if isinstance(error, WSManFaultError):
        return _fault(error, who, words)
    if isinstance(error, WinRMTransportError):
        return "%s. %s" % (words, _HTTP_ADVICE.get(error.code, "Its event log may say more."))
    return words


def _certificate(code: int) -> str:
    """What to do about a certificate that OpenSSL did not accept."""
    if code in _OTHER_NAME:
        return "Set ansible_host to a name that stands in it."
    if code in _NOT_NOW:
        return "Renew it on the server, or set the clock of the controller."
    return (
        "Set ansible_psrp_ca_cert to the PEM file of the authority that issued it, and ansible_host to a name that"
        " stands in it."
    )


def _line_break(target: Target) -> str:
    """The first thing to know of a refused login; empty without it."""
    if not str(target.wsman.get("password") or "").endswith(("\n", "\r")):
        return ""
    return (
        "ansible_password ends in a line break, as 'echo | ansible-vault encrypt_string' keeps it. Encrypt it again"
        " with 'printf %s' or 'echo -n' in front of the pipe. "
    )


def _kerberos(words: str) -> str:
    """What to do about an error of Kerberos."""
    said = words.lower()
    for parts, advice in _KERBEROS_ADVICE:
        if (all if "not found in kerberos database" in parts else any)(part in said for part in parts):
            return advice
    return (
        "For Kerberos check ansible_user (user@REALM), the clock, DNS, krb5.conf, and that ansible_host is the server's"
        " full name"
    )


def _fault(fault: t.Any, who: str, words: str) -> str:
    if fault.code == ACCESS_DENIED:
        return (
            "access denied to %s. It needs an RBAC role of the management shell (CsAdministrator, or"
            " CsViewOnlyAdministrator to read) or, on an Edge, membership in Remote Management Users or"
            " Administrators; a local account also the remote token filter policy." % who
        )
    if fault.code == NOTHING_YET:
        return "the server had no session ready in time (ansible_psrp_operation_timeout)."
    if fault.code == UNKNOWN_RESOURCE:
        return "%s. Check ansible_psrp_configuration_name and ansible_psrp_path." % words
    return words


_HTTP_ADVICE = {
    403: "Check that the account may use this endpoint, and whether IIS demands a client certificate.",
    404: "Check ansible_psrp_path: OcsPowershell on a Front End (port 443), wsman on an Edge (port 5986).",
    503: "The web service or its application pool is stopped.",
}
