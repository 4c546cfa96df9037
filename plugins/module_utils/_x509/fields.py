# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read parts of foreign certificates. The form of the certificates can be wrong."""

from __future__ import annotations

import typing as t
import warnings

from .._base.texts import foreign

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.utils import CryptographyDeprecationWarning
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None

if t.TYPE_CHECKING:
    Certificate = x509.Certificate


def keep_quiet() -> None:
    """Stop the library's warnings about unusual certificates, such as a root with the serial number 0.

    Users cannot change foreign certificates, and printed warnings disturb Ansible's output. Call this function before a
    certificate is loaded, because Ansible's plugin loader removes filters that are set during an import. The filters
    stay, because warnings.catch_warnings is not safe in threads.
    """
    warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning)
    warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)


def unreadable(certificate: Certificate) -> str:
    """Return why the certificate's extensions or names cannot be read; empty if both can be read."""
    try:
        certificate.extensions  # noqa: B018 - decoded at the first access
        certificate.subject, certificate.issuer  # noqa: B018
    except x509.DuplicateExtension as exc:
        return "it has the extension %s twice" % exc.oid.dotted_string
    except x509.UnsupportedGeneralNameType:
        return "it has a name of an unsupported kind, such as an X.400 address"
    except ValueError:
        return "a part of it cannot be decoded"
    return ""


def extension(certificate: Certificate, name: str) -> t.Any:
    """Return the value of an extension; None if the extension is missing or cannot be read.

    name: the class name in cryptography.x509.
    """
    try:
        return certificate.extensions.get_extension_for_class(getattr(x509, name)).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return None


def may_sign(certificate: Certificate) -> bool:
    """Return whether the basic constraints mark the certificate as a CA certificate."""
    constraints = extension(certificate, "BasicConstraints")
    return bool(constraints is not None and constraints.ca)


def issued(certificate: Certificate, issuer: Certificate) -> bool:
    """Return whether the issuer has the name and the key with which the certificate was signed."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def self_signed(certificate: Certificate) -> bool:
    return issued(certificate, certificate)


def shown(name: x509.Name) -> str:
    """Return a name in the form for messages."""
    return foreign(name.rfc4514_string())
