# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sample outputs of the playbooks' pages, against what the playbooks print now."""

from __future__ import annotations

import difflib

import pytest

from tools import playbook_samples
from tools.playbook_pages import SAMPLES_IN


@pytest.mark.nightly
def test_samples_are_what_the_playbooks_print() -> None:
    wrong = ""
    for name, text in playbook_samples.record().items():
        kept = (SAMPLES_IN / ("%s.txt" % name)).read_text(encoding="utf-8")
        wrong += "\n".join(difflib.unified_diff(kept.splitlines(), text.splitlines(), name, "now", lineterm=""))
    assert not wrong, "run: python -m tools.playbook_samples\n" + wrong
