# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the pictures of audit.html that the documentation shows: ``python -m tests.browser.screenshots``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_page import render

from tests.browser.chromium import Browser
from tests.unit.plugin_utils.audit_sample import sample

PLACE = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "images"


def main() -> None:
    PLACE.mkdir(exist_ok=True)
    browser = Browser()
    try:
        with tempfile.TemporaryDirectory() as directory:
            addresses = {}
            for partners in (24, 1000):
                path = Path(directory) / ("%d.html" % partners)
                path.write_text(render(sample(partners, previous=sample(partners, seed=2))), encoding="utf-8")
                addresses[partners] = path.as_uri()
            for name, partners, scheme, size in (
                ("audit_light", 24, "light", (1100, 1180)),
                ("audit_dark", 1000, "dark", (1100, 860)),
                ("audit_phone", 24, "light", (360, 1240)),
            ):
                browser.size(*size, scale=1 if size[0] > 500 else 1.5, mobile=size[0] < 500)
                browser.media(prefers_color_scheme=scheme)
                browser.open(addresses[partners])
                (PLACE / (name + ".png")).write_bytes(browser.screenshot())
    finally:
        browser.close()


if __name__ == "__main__":
    main()
