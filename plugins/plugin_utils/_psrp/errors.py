# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explain a failure of the transport and what to check. Callers mask the secrets before they show a text."""

from __future__ import annotations

import re
import socket
import ssl
import typing as t

from ...module_utils._shell.statement import DNS, LOGIN, PORT, SESSION, TLS
from .limits import AnswerError, TooLate, short
from .options import Target

# WSManFault codes. UNKNOWN_SHELL: the server was restarted, or the shell timed out. The request was not executed.
# NOTHING_YET: nothing happened within the operation timeout. The client asks again.
UNKNOWN_SHELL = 2150858843
NOTHING_YET = 2150858793
ACCESS_DENIED = 5
UNKNOWN_RESOURCE = 2150858752

# The text for a TLS handshake that takes longer than the time for connecting.
SLOW_TLS = "the TLS handshake takes too long"
# The most characters of a failure's text.
LONGEST = 1000


# Errors of Kerberos with their remedies. Source of the texts: MIT Kerberos (its table of error codes, krb5_err.et).
_KERBEROS_ADVICE = (
    (
        ("preauthentication failed", "password incorrect", "decrypt integrity check failed"),
        "The password is wrong. Check ansible_password",
    ),
    (
        ("client", "not found in kerberos database"),
        "The realm does not know the account. Check ansible_user (user@REALM)",
    ),
    (
        ("server", "not found in kerberos database"),
        "The realm does not know the service by this name. Check ansible_psrp_negotiate_service: HTTP on a Front End,"
        " WSMAN or host on other servers. Set ansible_host or ansible_psrp_negotiate_hostname_override to the server's"
        " full name",
    ),
    (
        ("cannot find kdc", "cannot contact any kdc", "configuration file does not specify default realm"),
        "No domain controller of the realm answers. Write the realm in capitals in ansible_user (user@REALM). Check"
        " krb5.conf, DNS and the network to a domain controller",
    ),
    (("clock skew",), "Correct the clock of the controller. Kerberos allows a difference of five minutes"),
    (("expired",), "Get a new ticket with kinit, or set ansible_password"),
    (
        ("no kerberos credentials available", "no credentials cache found", "no credentials were supplied"),
        "Set ansible_password, or get a ticket with kinit first",
    ),
)


class LoginError(Exception):
    """The authentication failed in a library on the controller."""


class LoginRefused(AnswerError):
    """Another host of this run refused the same account with the same password."""


# OpenSSL's numbers (X509_V_ERR_) for a certificate that is not valid now, and for a certificate with a wrong name.
_NOT_NOW, _OTHER_NAME = (9, 10), (62, 64)


def innermost(error: BaseException) -> BaseException:
    """Return the first error of the network or TLS layer. requests and urllib3 wrap this error."""
    while True:
        candidates: list[t.Any] = [getattr(error, "reason", None), *reversed(error.args)]
        inner = next((c for c in candidates if isinstance(c, BaseException)), None)
        if inner is None:
            return error
        error = inner


def never_sent(error: BaseException) -> bool:
    """Return whether the request was certainly not executed, because the connection or the login failed."""
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
    """Return whether the server or the domain controller refused the password. Such a refusal can lock the account."""
    from pypsrp.exceptions import AuthenticationError

    words = brief(error).lower()
    return isinstance(error, AuthenticationError) or (
        _login_failed(error) and any(text in words for text in _KERBEROS_ADVICE[0][0])
    )


def _login_failed(error: BaseException) -> bool:
    from spnego.exceptions import SpnegoError

    return isinstance(error, (SpnegoError, LoginError))


def transport_failed(error: BaseException) -> bool:
    """Return whether the server or the network failed, not a signal or the collection."""
    from pypsrp.exceptions import WinRMError
    from requests.exceptions import RequestException
    from spnego.exceptions import SpnegoError

    return isinstance(error, (AnswerError, LoginError, WinRMError, RequestException, OSError, SpnegoError))


def repeatable(error: BaseException) -> bool:
    """Return whether a read may be sent again. A read is not sent again after the same answer or the time limit."""
    return transport_failed(error) and not isinstance(error, AnswerError)


def interrupted(error: BaseException) -> bool:
    """Return whether Ansible's time limit or a signal ended the wait. Ansible's daemon then raises a bare Exception."""
    return error.__class__ is Exception


def alarm(error: BaseException) -> bool:
    """Return whether Ansible's time limit ended the wait."""
    return interrupted(error) and str(error).startswith("command timeout triggered")


def broken_link(error: BaseException) -> str:
    """Return the step of statement.WAY that failed; empty if no step failed.

    After another failure, such as a missing library, nothing has reached the server.
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
    # The server accepted the connection.
    return SESSION if isinstance(error, (AnswerError, WinRMError, ReadTimeout)) or _lost(inner) else ""


def _lost(inner: BaseException) -> bool:
    from http.client import HTTPException

    return isinstance(inner, (ConnectionError, HTTPException))


def _unresolved(inner: BaseException) -> bool:
    """Return whether the name has no address. urllib3 before version 2 has no separate error for a missing address."""
    return any(isinstance(one, socket.gaierror) for one in (inner.__cause__, inner.__context__))


def _other_certificate(inner: BaseException) -> bool:
    return "Fingerprints did not match" in str(inner)


def brief(error: BaseException) -> str:
    """Return the failure in one line."""
    from pypsrp.exceptions import WinRMTransportError, WSManFaultError

    inner = innermost(error)
    words = str(inner)
    if isinstance(error, WSManFaultError):
        words = _fault_words(error)
    elif isinstance(error, WinRMTransportError):
        words = _http_words(error)
    elif _other_certificate(inner):
        words = (
            "the server's certificate differs from the one at the start of the session, so nothing was sent. With"
            " 'ansible_psrp_cert_validation: ignore' only the certificate identifies the server"
        )
    return short(" ".join(words.split()) or type(inner).__name__, LONGEST)


def _fault_words(fault: t.Any) -> str:
    words = fault.provider_fault or fault.reason
    code = "WSMan fault %s" % fault.code
    return "%s (%s)" % (words, code) if words else "the server answered with %s and no text" % code


def _http_words(error: t.Any) -> str:
    """Return the text of an HTTP error without a fault of WS-Management: the status, and the text of the page."""
    page = re.sub(r"(?s)<(style|script)[^>]*>.*?</\1>|<[^>]*>", " ", str(error.response_text)[:20000])
    page = " ".join(page.split())
    return "the server answered HTTP status %s%s" % (error.code, page and " ('%s')" % short(page, 200))


def no_session(error: BaseException, target: Target) -> str:
    """Return why no session could be opened, and what to check."""
    return "no session on %s: %s" % (target.endpoint, _advice(error, target))


def _advice(error: BaseException, target: Target) -> str:
    if isinstance(error, ImportError):
        return (
            "a Python library is missing on the controller: %s. Install 'pypsrp' for the Python that runs Ansible. For"
            " Kerberos or CredSSP, install its extra kerberos or credssp too." % error
        )

    from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
    from requests.exceptions import ConnectTimeout, ProxyError, ReadTimeout
    from spnego.exceptions import SpnegoError
    from urllib3.exceptions import NewConnectionError

    inner = innermost(error)
    words = brief(error)
    if isinstance(error, TooLate):
        return "%s. Check whether the server answers, and how fast." % words
    if isinstance(error, AnswerError) or _other_certificate(inner):
        return "%s." % words.rstrip(".")
    who = "the account '%s'" % target.user if target.user else "the request without an account (set ansible_user)"
    if isinstance(error, AuthenticationError):
        return _line_break(target) + (
            "the server did not accept %s with %s authentication (%s). Check ansible_user (DOMAIN\\user or"
            " user@REALM), ansible_password and ansible_psrp_auth. Most servers do not allow Basic. Kerberos on a Front"
            " End needs ansible_psrp_negotiate_service: HTTP." % (who, target.auth, words)
        )
    if isinstance(error, (SpnegoError, LoginError)):
        text = "%s authentication of %s failed before the login: %s. %s."
        return _line_break(target) + text % (target.auth, who, words, _kerberos(words))
    if isinstance(inner, ssl.SSLCertVerificationError):
        return "the server's certificate was not accepted: %s. %s" % (
            inner.verify_message,
            _certificate(inner.verify_code),
        )
    if isinstance(inner, ssl.SSLError):
        return (
            "TLS failed: %s. Check that ansible_port is an HTTPS port, or set ansible_psrp_protocol. Check which TLS"
            " versions the server offers. Old Windows versions may offer only TLS 1.0." % words
        )
    if isinstance(error, ProxyError):
        return "the proxy did not answer: %s. Check ansible_psrp_proxy, or set ansible_psrp_ignore_proxy." % words
    if isinstance(inner, OSError) and "CA certificate bundle" in words:
        return "%s. Check ansible_psrp_ca_cert." % words
    if isinstance(inner, NewConnectionError):
        # The text of urllib3's NameResolutionError begins with the connection object.
        said = words.rpartition(": ")[2]
        if _unresolved(inner):
            return "%s. Check ansible_host, and the name resolution of the controller." % said
        return "%s. Check ansible_host, ansible_port, the firewall, and whether the service runs." % said
    if isinstance(error, ConnectTimeout):
        return (
            "no connection within %s s (ansible_psrp_connection_timeout). Check ansible_host, ansible_port and the"
            " firewall." % target.wsman.get("connection_timeout")
        )
    if isinstance(error, ReadTimeout):
        return (
            "the server accepted the connection but did not answer within %s s (ansible_psrp_read_timeout)."
            % target.wsman.get("read_timeout")
        )
    if isinstance(inner, ConnectionError):
        return "%s. Check that ansible_port matches ansible_psrp_protocol." % words.rstrip(".")
    if isinstance(error, WSManFaultError):
        return _fault(error, who, words)
    if isinstance(error, WinRMTransportError):
        return "%s. %s" % (words, _HTTP_ADVICE.get(error.code, "Check the server's event log."))
    return words


def _certificate(code: int) -> str:
    """Return the remedy for a certificate that OpenSSL did not accept.

    code: OpenSSL's number.
    """
    if code in _OTHER_NAME:
        return "Set ansible_host to a name of the certificate."
    if code in _NOT_NOW:
        return "Renew the certificate on the server, or correct the clock of the controller."
    return (
        "Set ansible_psrp_ca_cert to the PEM file of the authority that issued the certificate, and ansible_host to a"
        " name of the certificate."
    )


def _line_break(target: Target) -> str:
    """Return the most likely reason of a refused login: a line break in the password. Empty without a line break."""
    if not str(target.wsman.get("password") or "").endswith(("\n", "\r")):
        return ""
    return (
        "ansible_password ends in a line break, which 'echo | ansible-vault encrypt_string' keeps. Encrypt it again"
        " with 'printf %s' or 'echo -n' before the pipe. "
    )


def _kerberos(words: str) -> str:
    """Return the remedy for an error of Kerberos."""
    said = words.lower()
    for parts, advice in _KERBEROS_ADVICE:
        if (all if "not found in kerberos database" in parts else any)(part in said for part in parts):
            return advice
    return (
        "For Kerberos, check ansible_user (user@REALM), the clock, DNS and krb5.conf. Set ansible_host to the server's"
        " full name"
    )


def _fault(fault: t.Any, who: str, words: str) -> str:
    if fault.code == ACCESS_DENIED:
        return (
            "access denied to %s. For a Front End, give the account an RBAC role: CsAdministrator, or"
            " CsViewOnlyAdministrator to read. For an Edge server, add it to Remote Management Users or Administrators."
            " A local account also needs the remote token filter policy." % who
        )
    if fault.code == NOTHING_YET:
        return "the server did not open a session in time (ansible_psrp_operation_timeout)."
    if fault.code == UNKNOWN_RESOURCE:
        return "%s. Check ansible_psrp_configuration_name and ansible_psrp_path." % words
    return words


_HTTP_ADVICE = {
    403: "Check whether the account may use this endpoint, and whether IIS requires a client certificate.",
    404: "Check ansible_psrp_path: OcsPowershell on a Front End (port 443), wsman on an Edge (port 5986).",
    503: "Start the web service and its application pool on the server.",
}
