# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert names that users write (DNS domains, policy identities) into the form in which they are compared."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")

# Characters that a cmdlet reads as a pattern or a path, and characters that cannot be typed.
_NOT_IN_A_NAME = re.compile(r"[*?\[\]:/\\\x00-\x1f\x7f]")


# A longer text is a mistake, not a name or a description.
_LONGEST = 1024
# Marks that change the direction of the text around them (Unicode Bidirectional Algorithm, UAX 9).
_BIDIRECTIONAL = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Invisible characters. Texts may have them, because they join emoji. Names may not.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060-\u2064\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


# Code points that are not characters: half of a surrogate pair, and two that XML 1.0 forbids (section 2.2).
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufffe\uffff]")
# The mark is between two replacement characters, which users do not write.
_MARK = re.compile("\ufffdU\\+([0-9A-F]{4})\ufffd")


_EXPLAINED = "of %s, which is not a character"


class Invalid(ValueError):
    """Refuse a value that must not be sent. The text states the mistake and the correct form."""


def check_text(text: str, name: bool = False) -> str:
    """Return the text. Raises Invalid if the text is too long or has characters that are invisible or cannot be typed.

    name: whether the text is a name. Names may not have invisible characters.
    """
    if no_characters(text):
        raise Invalid("%r has the mark %s. Remove the mark" % (text[:80], _EXPLAINED % ", ".join(no_characters(text))))
    if len(text) > _LONGEST:
        raise Invalid("has %d characters. At most %d are allowed" % (len(text), _LONGEST))
    unwanted = [("control", _CONTROL), ("bidirectional", _BIDIRECTIONAL)] + [("invisible", _INVISIBLE)] * name
    for kind, pattern in unwanted:
        found = pattern.search(text)
        if found:
            raise Invalid("%r has the %s character U+%04X. Remove it" % (text[:80], kind, ord(found[0])))
    return text


def marked(text: str) -> str:
    """Return a server's text, with a mark (``\ufffdU+D83D\ufffd``) for each code point that is not a character."""
    return _NO_CHARACTER.sub(lambda found: "\ufffdU+%04X\ufffd" % ord(found[0]), text)


def no_characters(text: str) -> list[str]:
    """Return the code points that are marked in a text, as ``U+D83D``. The server's text differs from such a text."""
    return ["U+" + code for code in _MARK.findall(text)]


def mixed_scripts(text: str) -> list[str]:
    """Return the scripts of one word, if the word mixes scripts with similar letters."""
    for word in text.split():
        scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()}
        alike = sorted(scripts & {"LATIN", "CYRILLIC", "GREEK"})
        if len(alike) > 1:
            return alike
    return []


def canonical_domain(text: str) -> str:
    """Return the A-label form of a domain in lower case, without a trailing dot (RFC 1035 section 2.3, RFC 5891).

    Raises Invalid if the text cannot be the domain of an XMPP service.
    """
    name = text[:-1] if text.endswith(".") else text
    if not name.strip():
        raise Invalid("is empty. Write a domain such as 'fabrikam.com'")
    if re.search(r"\s", name):
        raise Invalid("'%s' contains spaces. Write only the domain, as in 'fabrikam.com'" % text)
    if "*" in name:
        raise Invalid("'%s' is a wildcard. List each domain by name" % text)
    if "/" in name or "@" in name or name.lower().startswith(("sip:", "xmpp:")):
        raise Invalid("'%s' is an address. Write only the domain, as in 'fabrikam.com'" % text)
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        pass
    else:
        raise Invalid("'%s' is an IP address. Write the partner's domain, as in 'fabrikam.com'" % text)
    if ":" in name:
        raise Invalid("'%s' contains a port. Write only the domain, as in 'fabrikam.com'" % text)
    name = _to_ascii(name, text)
    if len(name) > 253:
        raise Invalid("'%s' has %d characters. A domain has at most 253" % (text, len(name)))
    labels = name.split(".")
    for label in labels:
        if not label:
            raise Invalid("'%s' has an empty label (two dots in a row, or a dot at the start). Remove the dot" % text)
        if len(label) > 63:
            raise Invalid("'%s' has a label of %d characters. A label has at most 63" % (text, len(label)))
        if not _LABEL.match(label):
            raise Invalid(
                "'%s' has the label '%s'. A label has only letters, digits, and hyphens between them" % (text, label)
            )
    if len(labels) < 2:
        raise Invalid("'%s' has a single label. Write the whole domain, as in 'fabrikam.com'" % text)
    if labels[-1].isdigit():
        raise Invalid("'%s' ends in a number. A domain cannot end in a number" % text)
    return name


def _to_ascii(name: str, text: str) -> str:
    if name.isascii() and "xn--" not in name.lower():
        return name.lower()
    try:
        import idna
    except ImportError as exc:  # idna is a dependency of pypsrp, which the connection also needs
        raise Invalid("'%s' needs the Python package 'idna'. Install it on the controller" % text) from exc
    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as exc:
        raise Invalid("'%s' must be a valid internationalised domain: %s" % (text, exc)) from exc


def domain_from_server(value: object) -> str:
    """Return a server's domain in the form that is compared. Never raises, because a server may store any text."""
    text = "" if value is None else str(value)
    try:
        return canonical_domain(text)
    except Invalid:
        return text.lower().rstrip(".")


def canonical_policy_identity(text: str) -> str:
    """Return ``global``, ``site:NAME`` or the name of a per-user policy. The case is kept; compare with ``key``.

    Get-CsExternalAccessPolicy prints per-user policies as ``tag:NAME``. Such a text becomes ``NAME``. Raises Invalid
    for other scopes and for names that a cmdlet reads as a pattern.
    """
    if text != text.strip() or not text:
        raise Invalid("'%s' is empty, or begins or ends with a space" % text)
    scope, colon, name = text.partition(":")
    if not colon:
        if text.lower() == "global":
            return "global"
        scope, name = "tag", text
    if scope.lower() not in ("site", "tag"):
        raise Invalid("'%s' has the scope '%s'. Write 'global', 'site:NAME' or a policy's name" % (text, scope))
    check_text(name, name=True)
    if not name.strip() or _NOT_IN_A_NAME.search(name):
        raise Invalid("'%s' is not a policy's name. Do not use * ? [ ] : / \\ or control characters" % text)
    if scope.lower() == "site":
        return "site:" + name
    if name.lower() == "global":
        raise Invalid("'%s' is a per-user policy with the name global, which the product does not allow" % text)
    return name


def policy_from_server(value: object) -> str:
    """Return a policy identity of the server (``Global``, ``Site:X``, ``Tag:X``) without the tag."""
    text = "" if value is None else str(value)
    scope, colon, name = text.partition(":")
    if colon and scope.lower() == "tag":
        return name
    if colon and scope.lower() == "site":
        return "site:" + name
    return "global" if text.lower() == "global" else text


def named(value: object, *properties: str) -> object:
    """Return the name of a reference from a server: the text of the first property that the reference has.

    Objects for policies, pools and sites have ``FriendlyName``. Identities of users have ``DistinguishedName``. Over a
    remote session, references are usually texts. Any other value is returned unchanged.
    """
    if not isinstance(value, dict):
        return value
    found = (value.get(name) for name in properties or ("FriendlyName",))
    return next((text for text in found if isinstance(text, str) and text), value)


def is_per_user(key: str) -> bool:
    """Return whether the key belongs to a per-user policy. Such a policy has no effect until the policy is granted."""
    return key != "global" and not key.startswith("site:")


def key(identity: str) -> str:
    """Return the form in which identities are compared. The product ignores case."""
    return identity.casefold()


def spellings(identity: str) -> set[str]:
    """Return the forms that a pattern may name: the key, and the Unicode form of a domain with A-labels."""
    found = {key(identity)}
    if "xn--" in identity.lower():
        try:
            import idna

            found.add(key(idna.decode(identity)))
        except (ImportError, UnicodeError):  # idna.IDNAError is a UnicodeError
            pass
    return found


def pattern_key(pattern: str) -> str:
    """Return a pattern in the form of spellings(): in one case, without a trailing dot and without ``tag:``."""
    return key(unicodedata.normalize("NFC", pattern)).removeprefix("tag:").rstrip(".")


def both_forms(domain: str) -> str:
    """Return a domain for output: the DNS form, and the Unicode letters (RFC 5891) if both forms differ.

    Any other text is returned unchanged.
    """
    if "xn--" not in domain.lower():
        return domain
    try:
        import idna

        letters = idna.decode(domain)
    except (ImportError, UnicodeError):  # idna.IDNAError is a UnicodeError
        return domain
    return "%s (%s)" % (domain, letters) if letters != domain and letters.isprintable() else domain
