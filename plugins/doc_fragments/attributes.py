# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Document the attributes that every module of the collection has, such as check mode and diff mode."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: >-
      Check mode shows the changes of a run, and changes nothing. The returned RV(ignore:steps) are the steps of a real
      run.
  diff_mode:
    support: full
    description: Diff mode shows each changed object, before and after. Secrets are never shown.
  async:
    support: full
    description: The module works with the C(async) keyword.
  action_group:
    support: full
    description: C(group/sfb.xmpp.management) in C(module_defaults) sets options for all modules of the collection.
    membership:
      - sfb.xmpp.management
  platform:
    support: full
    description: >-
      The servers that the module can manage. The module itself runs on the controller, on any platform of ansible-core.
    platforms: windows
"""

    # For modules that only read.
    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: The module only reads, so check mode makes no difference.
  diff_mode:
    support: N/A
    description: The module only reads, so it has nothing to compare.
  async:
    support: full
    description: The module works with the C(async) keyword.
  action_group:
    support: full
    description: C(group/sfb.xmpp.management) in C(module_defaults) sets options for all modules of the collection.
    membership:
      - sfb.xmpp.management
  platform:
    support: full
    description: >-
      The servers that the module can manage. The module itself runs on the controller, on any platform of ansible-core.
    platforms: windows
"""

    # For the module that shows a summary.
    SUMMARY = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: The module only prints, so check mode makes no difference.
  diff_mode:
    support: N/A
    description: The module only prints, so it has nothing to compare.
  async:
    support: none
    description: Only Ansible's own process knows the results that the module prints.
  action_group:
    support: full
    description: C(group/sfb.xmpp.management) in C(module_defaults) sets options for all modules of the collection.
    membership:
      - sfb.xmpp.management
  platform:
    support: full
    description: The module connects to nothing.
    platforms: windows
"""

    # For tasks of one playbook.
    PLAYBOOK = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Check mode shows the changes of a run, and changes nothing.
  diff_mode:
    support: full
    description: Diff mode shows each changed object, before and after. Secrets are never shown.
  async:
    support: none
    description: Only Ansible's own process knows the results of other hosts.
  action_group:
    support: full
    description: C(group/sfb.xmpp.management) in C(module_defaults) sets options for all modules of the collection.
    membership:
      - sfb.xmpp.management
  platform:
    support: full
    description: >-
      The servers that the module can manage. The module itself runs on the controller, on any platform of ansible-core.
    platforms: windows
"""

    # For modules of one playbook that write files on the controller.
    OUTPUT = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Check mode shows the files of a real run, and writes no file.
  diff_mode:
    support: full
    description: Diff mode shows each changed file, before and after.
  async:
    support: none
    description: The module needs data that only Ansible's own process has.
  action_group:
    support: full
    description: C(group/sfb.xmpp.management) in C(module_defaults) sets options for all modules of the collection.
    membership:
      - sfb.xmpp.management
  platform:
    support: full
    description: The module connects to nothing.
    platforms: windows
"""

    # For modules that work in Ansible's own process, on the controller.
    INSIDE = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: The module changes nothing on servers, so check mode makes no difference.
  diff_mode:
    support: N/A
    description: The module only shows data, so it has nothing to compare.
  async:
    support: none
    description: The module needs data that only Ansible's own process has.
  action_group:
    support: full
    description: C(group/sfb.xmpp.management) in C(module_defaults) sets options for all modules of the collection.
    membership:
      - sfb.xmpp.management
  platform:
    support: full
    description: The module connects to nothing.
    platforms: windows
"""

    # For the module that sends a message.
    MESSAGE = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: >-
      Check mode checks the options. If test users send the message, check mode also checks that the pool has test
      users. Check mode sends no message.
  diff_mode:
    support: N/A
    description: The module changes no managed object, so it has nothing to compare.
  async:
    support: full
    description: The module works with the C(async) keyword.
  action_group:
    support: full
    description: C(group/sfb.xmpp.management) in C(module_defaults) sets options for all modules of the collection.
    membership:
      - sfb.xmpp.management
  platform:
    support: full
    description: >-
      The servers that the module can manage. The module itself runs on the controller, on any platform of ansible-core.
    platforms: windows
"""
