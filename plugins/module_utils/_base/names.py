# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that people write: DNS domains, policy identities, and the one form in which they are compared."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")

# Characters that would make a policy name mean something else to a cmdlet, or that nobody can type again.
_NOT_IN_A_NAME = re.compile(r"[*?\[\]:/\\\x00-\x1f\x7f]")


# Longer texts are no names and no descriptions, but mistakes.
_LONGEST = 1024
# Marks that change the direction of the text around them (Unicode Bidirectional Algorithm, UAX 9).
_BIDIRECTIONAL = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# What nobody sees: harmless in a text (emoji are joined by it), but not in a name.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060-\u2064\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


# What is no character: half of a surrogate pair, and the two noncharacters that XML 1.0 forbids (section 2.2).
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufffe\uffff]")
# Between two replacement characters, which stand in no text that somebody wrote.
_MARK = re.compile("\ufffdU\\+([0-9A-F]{4})\ufffd")


_EXPLAINED = "of %s, which is no character"


class Invalid(ValueError):
    """A value that must not be sent. The text says what is wrong and what would be right."""


def check_text(text: str, name: bool = False) -> str:
    """The text. Raises Invalid for an absurd length and for characters that nobody can see and type again.

    name: whether it names something, so that nothing invisible may stand in it at all.
    """
    if no_characters(text):
        raise Invalid("%r holds the mark %s; remove it" % (text[:80], _EXPLAINED % ", ".join(no_characters(text))))
    if len(text) > _LONGEST:
        raise Invalid("has %d characters; %d at most are sent" % (len(text), _LONGEST))
    unwanted = [("control", _CONTROL), ("bidirectional", _BIDIRECTIONAL)] + [("invisible", _INVISIBLE)] * name
    for kind, pattern in unwanted:
        found = pattern.search(text)
        if found:
            raise Invalid("%r holds the %s character U+%04X; remove it" % (text[:80], kind, ord(found[0])))
    return text


def marked(text: str) -> str:
    """The text of a server with a mark such as ``\ufffdU+D83D\ufffd`` in the place of what is no character."""
    return _NO_CHARACTER.sub(lambda found: "\ufffdU+%04X\ufffd" % ord(found[0]), text)


def no_characters(text: str) -> list[str]:
    """What the marks in a text stand for, as ``U+D83D``. Such a text is not what the server has."""
    return ["U+" + code for code in _MARK.findall(text)]


def mixed_scripts(text: str) -> list[str]:
    """The scripts that stand together in one of the text's words, if they have letters that look alike."""
    for word in text.split():
        scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()}
        alike = sorted(scripts & {"LATIN", "CYRILLIC", "GREEK"})
        if len(alike) > 1:
            return alike
    return []


def canonical_domain(text: str) -> str:
    """The A-label form of a domain in lower case, without a trailing dot (RFC 1035 section 2.3, RFC 5891).

    Raises Invalid for what cannot be the domain of an XMPP service.
    """
    name = text[:-1] if text.endswith(".") else text
    if not name.strip():
        raise Invalid("is empty; a domain such as 'fabrikam.com' is needed")
    if re.search(r"\s", name):
        raise Invalid("'%s' contains blanks; write the bare domain" % text)
    if "*" in name:
        raise Invalid("'%s' is a wildcard; list each domain by name" % text)
    if "/" in name or "@" in name or name.lower().startswith(("sip:", "xmpp:")):
        raise Invalid("'%s' is an address; write the bare domain, as in 'fabrikam.com'" % text)
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        pass
    else:
        raise Invalid("'%s' is an IP address; a federated partner is named by its domain" % text)
    if ":" in name:
        raise Invalid("'%s' contains a port; write the bare domain" % text)
    name = _to_ascii(name, text)
    if len(name) > 253:
        raise Invalid("'%s' has %d characters; a domain has 253 at most" % (text, len(name)))
    labels = name.split(".")
    for label in labels:
        if not label:
            raise Invalid("'%s' has an empty label (two dots in a row, or a dot at the start)" % text)
        if len(label) > 63:
            raise Invalid("'%s' has a label of %d characters; 63 is the most" % (text, len(label)))
        if not _LABEL.match(label):
            raise Invalid(
                "'%s' has the label '%s'; letters, digits and inner hyphens are what a domain is made of"
                % (text, label)
            )
    if len(labels) < 2:
        raise Invalid("'%s' has a single label; write the whole domain, as in 'fabrikam.com'" % text)
    if labels[-1].isdigit():
        raise Invalid("'%s' ends in a number, which no domain does" % text)
    return name


def _to_ascii(name: str, text: str) -> str:
    if name.isascii() and "xn--" not in name.lower():
        return name.lower()
    try:
        import idna
    except ImportError as exc:  # a dependency of pypsrp, which the connection needs anyway
        raise Invalid("'%s' needs the Python package 'idna' on the controller" % text) from exc
    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as exc:
        raise Invalid("'%s' is not a valid internationalised domain: %s" % (text, exc)) from exc


def domain_from_server(value: object) -> str:
    """A domain as the server stores it, in the compared form. Never raises: what stands there, stands there."""
    text = "" if value is None else str(value)
    try:
        return canonical_domain(text)
    except Invalid:
        return text.lower().rstrip(".")


def canonical_policy_identity(text: str) -> str:
    """``global``, ``site:NAME`` or a per-user policy's name, in the writer's case (compare with ``key``).

    ``tag:NAME``, as Get-CsExternalAccessPolicy prints per-user policies, is taken as NAME.
    Raises Invalid for other scopes and for names that a cmdlet would read as a pattern.
    """
    if text != text.strip() or not text:
        raise Invalid("'%s' is empty or has blanks around it" % text)
    scope, colon, name = text.partition(":")
    if not colon:
        if text.lower() == "global":
            return "global"
        scope, name = "tag", text
    if scope.lower() not in ("site", "tag"):
        raise Invalid("'%s' has the scope '%s'; write 'global', 'site:NAME' or a policy's name" % (text, scope))
    check_text(name, name=True)
    if not name.strip() or _NOT_IN_A_NAME.search(name):
        raise Invalid("'%s' is not a policy's name (none of * ? [ ] : / \\ and no control characters)" % text)
    if scope.lower() == "site":
        return "site:" + name
    if name.lower() == "global":
        raise Invalid("'%s' would be a per-user policy called global, which the product does not have" % text)
    return name


def policy_from_server(value: object) -> str:
    """A policy identity as the server prints it (``Global``, ``Site:X``, ``Tag:X``), without the tag."""
    text = "" if value is None else str(value)
    scope, colon, name = text.partition(":")
    if colon and scope.lower() == "tag":
        return name
    if colon and scope.lower() == "site":
        return "site:" + name
    return "global" if text.lower() == "global" else text


def named(value: object, *properties: str) -> object:
    """What a reference that a server sent is called: the text of the first of these properties that it has.

    References to policies, pools and sites have ``FriendlyName`` where they arrive as objects, identities of users
    ``DistinguishedName``; remotely they are usually texts already. Anything else comes back as it is.
    """
    if not isinstance(value, dict):
        return value
    found = (value.get(name) for name in properties or ("FriendlyName",))
    return next((text for text in found if isinstance(text, str) and text), value)


def is_per_user(key: str) -> bool:
    """Whether the key of a policy is that of one which acts on nobody until it is granted."""
    return key != "global" and not key.startswith("site:")


def key(identity: str) -> str:
    """What two spellings of one identity have in common: the product compares without case."""
    return identity.casefold()


def spellings(identity: str) -> set[str]:
    """The key of an identity, and of a domain with A-labels also its Unicode form: what patterns may name."""
    found = {key(identity)}
    if "xn--" in identity.lower():
        try:
            import idna

            found.add(key(idna.decode(identity)))
        except (ImportError, UnicodeError):  # idna.IDNAError is one
            pass
    return found


def pattern_key(pattern: str) -> str:
    """A pattern in the form that spellings() are compared with: without case, trailing dot and ``tag:``."""
    return key(unicodedata.normalize("NFC", pattern)).removeprefix("tag:").rstrip(".")


def both_forms(domain: str) -> str:
    """A domain for people: as DNS has it, and in the letters that it stands for (RFC 5891), if these are others.

    Anything else is returned as it is.
    """
    if "xn--" not in domain.lower():
        return domain
    try:
        import idna

        letters = idna.decode(domain)
    except (ImportError, UnicodeError):  # idna.IDNAError is one
        return domain
    return "%s (%s)" % (domain, letters) if letters != domain and letters.isprintable() else domain
