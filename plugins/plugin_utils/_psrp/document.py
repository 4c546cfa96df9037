# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a server's XML before parsing. The XML must be UTF-8, without a document type, and not a web page.

The parser itself finds a declaration in any form. The parser stops at the first element, because a declaration is only
allowed before the first element (XML 1.0 section 2.8). So the check costs little.
"""

from __future__ import annotations

import html
import re
import typing as t
import xml.parsers.expat

from ...module_utils._base.texts import foreign
from .limits import AnswerError

_PAGE = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*|<\?.*?\?>\s*)*<(?:!doctype\s+)?html[\s>]", re.I | re.S)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.I | re.S)
# The title is searched in these first bytes of a page.
_HEAD = 65536


class Doctype(AnswerError):
    """The XML has a document type declaration."""


class _Begun(Exception):
    """The first element begins."""


def refuse_doctype(content: str | bytes) -> None:
    """Raise Doctype for a document type declaration. The later reader refuses data that is not XML."""
    parser = xml.parsers.expat.ParserCreate("utf-8")

    def doctype(*_what: t.Any) -> None:
        raise Doctype("a document type declaration is not allowed in it")

    def begun(*_what: t.Any) -> None:
        raise _Begun

    parser.StartDoctypeDeclHandler, parser.StartElementHandler = doctype, begun
    try:
        parser.Parse(content, True)
    except (_Begun, xml.parsers.expat.ExpatError, ValueError):
        return


def check_answer(content: bytes, endpoint: str, page: bool = True) -> None:
    """Check an answer of WS-Management. Raises AnswerError for a web page, another encoding, and a declaration.

    page: whether a web page is an error. The page of an HTTP error is shown with the HTTP error.
    """
    if not content:
        return
    if _PAGE.match(content[:_HEAD]):
        if page:
            raise AnswerError(_page(content, endpoint))
        return
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    declared = re.match(r"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']""", text[:1000])
    if "\0" in text[:1000] or (declared and declared[1].lower() not in ("utf-8", "utf8")):
        raise AnswerError("the server's answer is not in UTF-8, which is the encoding of the request")
    try:
        refuse_doctype(text.encode())
    except Doctype:  # SOAP 1.2 (section 5) forbids a document type declaration.
        raise AnswerError("the server's answer has a document type declaration, which is not allowed") from None


def _page(content: bytes, endpoint: str) -> str:
    """Return the message about a web page, with the page's title."""
    found = _TITLE.search(content[:_HEAD])
    title = foreign(" ".join(html.unescape(found[1].decode("utf-8", "replace")).split()), 80) if found else ""
    return (
        "%s answered with a web page%s, not as a remote shell. Check ansible_host, ansible_port and"
        " ansible_psrp_path, and whether a proxy or a portal is between"
        % (endpoint, " ('%s')" % title if title else "")
    )
