# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret does not stand in a text, however a server spells it."""

from __future__ import annotations

import base64
import json
import urllib.parse
from xml.sax.saxutils import escape, quoteattr

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.limits import short
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.mask import MASK, Mask
from hypothesis import given
from hypothesis import strategies as st

SECRET = 'It\'s "ünder" <\\ & $x_x0041_\there'

SPELT = {
    "as it is": SECRET,
    "capitals": SECRET.upper(),
    "json": json.dumps(SECRET),
    "json, unicode": json.dumps(SECRET, ensure_ascii=False),
    "xml": escape(SECRET),
    "xml attribute": quoteattr(SECRET),
    "xml entities": escape(SECRET, {'"': "&quot;", "'": "&apos;"}),
    "xml numbers": escape(SECRET, {'"': "&#34;", "'": "&#39;"}),
    "single quotes": "'%s'" % SECRET.replace("'", "''"),
    "double quotes": '"%s"' % SECRET.replace('"', '`"').replace("$", "`$"),
    "python": repr(SECRET),
    "url": urllib.parse.quote(SECRET),
    "form": urllib.parse.quote_plus(SECRET),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 of utf-16": base64.b64encode(SECRET.encode("utf-16-le")).decode(),
    "hexadecimal": SECRET.encode().hex(),
    "hexadecimal, capitals": SECRET.encode().hex().upper(),
    "on one line": " ".join(SECRET.split()),
}


@pytest.mark.parametrize("how", SPELT)
def test_a_secret_is_found_in_every_spelling(how: str) -> None:
    text = Mask(SECRET)("the value [%s] is wrong" % SPELT[how])
    assert text.startswith("the value [")
    assert text.endswith("] is wrong")
    assert MASK in text
    assert "nder" not in text.casefold()
    assert len(text) < 40


def test_all_secrets_count_and_the_longer_one_first() -> None:
    mask = Mask("hush", None, "")
    mask.add("hush-hush", "other")
    assert mask("hush-hush, hush, OTHER; rest") == "%s, %s, %s; rest" % (MASK, MASK, MASK)
    assert Mask()("as it is") == "as it is"
    assert "hush" not in repr(mask)


def test_of_a_short_secret_only_itself_is_looked_for_as_a_word() -> None:
    assert Mask("ab")("'AB' about 6162 YWI") == "'%s' about 6162 YWI" % MASK


@given(st.text(min_size=4, max_size=80).filter(lambda text: text.isprintable() and not text.isspace()))
def test_a_secret_that_was_cut_off_does_not_show_its_beginning(secret: str) -> None:
    for place in range(60):
        whole = "." * place + " " + secret + " and more" * 20
        cut = Mask(secret)(short(whole))
        shown = max((n for n in range(len(secret) + 1) if cut.endswith(secret[:n] + "(...)")), default=0)
        assert shown < 4
