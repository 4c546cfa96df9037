#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install a certificate on an Edge server, and put the certificate in use."""

from __future__ import annotations

from ..module_utils._base.module import run
from ..module_utils._edge_certificate import tasks as _certificate_tasks

TASK = _certificate_tasks.TASK


def main() -> None:
    run(TASK)


if __name__ == "__main__":
    main()
