# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check logins on a host: find accounts by name, count refused logins, lock accounts.

The setting ``lock_after`` locks an account after this number of refused logins in a row, on all hosts that know the
account. A locked account is refused even with the right password, until the lab is reset or the document is deleted.
"""

from __future__ import annotations

from ..cmdlets.runspace import Deployment
from ..deployment.hosts import SHELLS, Account
from ..deployment.store import Document, fold

KIND = "account"  # of the documents in the store: {"Refused": logins in a row, "Locked": bool}


class Accounts:
    """Manage the accounts of one remote shell."""

    def __init__(self, deployment: Deployment, shell: str) -> None:
        self._deployment = deployment
        self._shell = shell
        self._host = SHELLS[shell]

    def find(self, user: str) -> Account | None:
        """Return the account of a user name; None if the account is missing or locked."""
        account = self._deployment.login(self._shell, user)
        return None if account is None or self._state(account)["Locked"] else account

    def refused(self, user: str) -> None:
        """Log a refused login, with the user name that the client sent, and count the login for the account."""
        store, account = self._deployment.store, self._deployment.login(self._shell, user)
        if account is None:
            store.log("login-refused", self._host.name, "", user, outcome="refused", error="there is no such account")
            return
        with store.transaction():
            state = self._state(account)
            reason = "the account is locked" if state["Locked"] else "the password is wrong"
            store.log("login-refused", self._host.name, "", account.user, outcome="refused", error=reason)
            limit = int(store.setting("lock_after"))
            refused = int(state["Refused"]) + 1
            locks = not state["Locked"] and 0 < limit <= refused
            store.put(KIND, self._key(account), {"Refused": refused, "Locked": state["Locked"] or locks})
            if locks:
                reason = "%d logins in a row were refused" % refused
                store.log("account-locked", self._host.name, "", account.user, error=reason)

    def accepted(self, account: Account) -> None:
        """Reset the count after a successful login."""
        if self._state(account)["Refused"]:
            self._deployment.store.delete(KIND, self._key(account))

    def _state(self, account: Account) -> Document:
        return self._deployment.store.get(KIND, self._key(account)) or {"Refused": 0, "Locked": False}

    def _key(self, account: Account) -> str:
        """Return the key of an account. A local account is a separate account on each Edge."""
        local = "\\" not in account.user
        return fold("%s\\%s" % (self._host.name, account.user) if local else account.user)
