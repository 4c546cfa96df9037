#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read an Edge server's view of partners."""

from __future__ import annotations

from ..module_utils._base.module import run
from ..module_utils._probe import edge_look as _look

TASK = _look.TASK


def main() -> None:
    run(TASK)


if __name__ == "__main__":
    main()
