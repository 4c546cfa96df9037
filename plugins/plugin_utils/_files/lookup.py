# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a file and return inventory values. All lookup plugins use this code."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ...module_utils._federation.resource import Resource
from .import_records import UnreadableSource
from .import_values import imported


def read(
    lookup: LookupBase, resource: Resource, term: str, variables: t.Any, given: t.Mapping[str, t.Any]
) -> list[dict[str, t.Any]]:
    """Return the objects of one file. Raises AnsibleError with the file and every mistake."""
    lookup.set_options(var_options=variables, direct=dict(given))
    encoding, unwanted = lookup.get_option("encoding"), lookup.get_option("ignore_columns")
    path = lookup.find_file_in_search_path(variables, "files", term, ignore_missing=True)
    if not path:
        raise AnsibleError("the file '%s' does not exist" % term)
    try:
        with open(path, "rb") as file:
            items, ignored = imported(resource, file.read(), encoding, unwanted)
    except OSError as exc:
        raise AnsibleError("cannot read '%s': %s" % (path, exc.strerror)) from None
    except UnreadableSource as exc:  # without a cause, because Ansible also prints the cause
        raise AnsibleError("'%s' cannot be imported:\n%s" % (path, "\n".join("- " + r for r in exc.reasons))) from None
    if ignored:
        Display().warning("'%s': ignored the columns %s, which are not options" % (path, ", ".join(ignored)))
    return items
