# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""XML of a server before anybody reads it: the encoding, declarations, web pages."""

from __future__ import annotations

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.document import Doctype, check_answer, refuse_doctype
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.limits import AnswerError

URL = "https://fe01:443/OcsPowershell"
DECLARED = '<?xml version="1.0" encoding="%s"?><a>x</a>'


@pytest.mark.parametrize(
    "xml",
    [
        "<a/>",
        "<a>&lt;!DOCTYPE b&gt;</a>",
        "<a><![CDATA[<!DOCTYPE b>]]></a>",
        "<!-- <!DOCTYPE b> --><a/>",
        "<?note <!DOCTYPE b> ?><a/>",
        "no XML <!DOCTYPE b>",
        "<a>\ud800</a>",
        "",
    ],
)
def test_what_is_no_declaration_is_let_through(xml: str) -> None:
    refuse_doctype(xml)


@pytest.mark.parametrize("before", ["", "<?xml version='1.0'?>", "<!-- c -->", "<?a b?>\n", "\ufeff"])
@pytest.mark.parametrize("declaration", ["<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<!DOCTYPE\na SYSTEM 'x'>"])
def test_a_declaration_is_refused(before: str, declaration: str) -> None:
    with pytest.raises(Doctype):
        refuse_doctype(before + declaration + "<a/>")
    with pytest.raises(AnswerError, match="document type declaration"):
        check_answer((before + declaration + "<a/>").encode(), URL)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp500"])
def test_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(AnswerError, match="not in UTF-8"):
        check_answer((DECLARED % encoding).encode(encoding), URL)


@pytest.mark.parametrize("encoding", ["utf-8", "UTF-8", "utf-8-sig"])
def test_utf_8_is_taken(encoding: str) -> None:
    check_answer((DECLARED % encoding.removesuffix("-sig")).encode(encoding), URL)
    check_answer("<a>\xe4\U0001f600</a>".encode(encoding), URL)
    check_answer(b"", URL)


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<!DOCTYPE html><title>Sign in</title>", " ('Sign in')"),
        ("<!doctype HTML PUBLIC 'x'>\n<HTML><HEAD><TITLE lang=en>A &amp;\n B</TITLE>", " ('A & B')"),
        ("\n<!-- c --><html xmlns='http://www.w3.org/1999/xhtml'><body/></html>", ""),
        ("\ufeff<?xml version='1.0'?><html><title>\x1b[2J</title></html>", " ('\\x1b[2J')"),
    ],
)
def test_a_web_page_is_named_as_one(page: str, title: str) -> None:
    with pytest.raises(AnswerError) as caught:
        check_answer(page.encode(), URL)
    assert str(caught.value).startswith("%s answered with a web page%s, not as a remote shell." % (URL, title))
    assert "ansible_psrp_path" in str(caught.value)
