# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of assumptions, the store, wildcards, PKCS#12 structure, and objects on the wire."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore._crypto import PSRemotingCrypto
from psrpcore.types import PSObject, PSUInt, deserialize, serialize

import lab
from lab.assumptions import ASSUMPTIONS
from lab.cmdlets import clixml
from lab.cmdlets.objects import PartnerType, make, moment, properties_of, texts, type_names
from lab.deployment.pkcs12 import Pkcs12Error, algorithms, open_as_windows
from lab.deployment.store import Store
from lab.deployment.wildcard import has_wildcard, like

from .conftest import Bench, Material

LAB = Path(lab.__file__).parent


def test_every_assumption_is_applied_and_every_applied_one_is_listed() -> None:
    used: set[str] = set()
    for path in LAB.rglob("*.py"):
        if path.name != "assumptions.py":
            used.update(re.findall(r"rests_on\(\"([a-z0-9-]+)\"", path.read_text(encoding="utf-8")))
    keys = [a.key for a in ASSUMPTIONS]
    assert used == set(keys)
    assert len(keys) == len(set(keys))
    assert all(a.statement.endswith(".") and a.why.endswith(".") for a in ASSUMPTIONS)


def test_the_lab_does_not_import_the_collection() -> None:
    # The handshake without I/O is the one thing that both use.
    for path in LAB.rglob("*.py"):
        imports = re.findall(r"^\s*(?:from|import)\s.*(?:ansible|plugins).*$", path.read_text(encoding="utf-8"), re.M)
        assert [line for line in imports if "module_utils._xmpp" not in line] == [], path


class TestStore:
    def test_a_failed_transaction_leaves_nothing(self, tmp_path: Path) -> None:
        store = Store(tmp_path)

        def fail() -> None:
            with store.transaction():
                store.put("partner", "a.test", {})
                with store.transaction():
                    store.put("partner", "b.test", {})
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert store.partners() == {}
        store.close()

    def test_keys_compare_without_case_and_keep_their_first_spelling(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        store.put("partner", "Straße.test", {"n": 1})
        store.put("partner", "STRASSE.TEST", {"n": 2})
        assert store.partners() == {"Straße.test": {"n": 2}}
        store.close()

    def test_another_process_may_read_and_write(self, bench: Bench, tmp_path: Path) -> None:
        other = Store(tmp_path)
        bench.ok("New-CsXmppAllowedPartner", Identity="a.test", Description="lab")
        other.put("partner", "a.test", {**other.partners()["a.test"], "Description": "by hand"})
        assert bench.ok("Get-CsXmppAllowedPartner")[0]["Description"] == "by hand"
        other.close()

    def test_clear_keeps_counting_events(self, bench: Bench) -> None:
        bench.ok("Get-CsXmppAllowedPartner")
        number = bench.last().id
        bench.store.clear()
        assert (bench.store.events(), bench.store.policies(), bench.store.setting("profile")) == ([], {}, None)
        bench.store.log("statement", "fe01", "s", "u")
        assert bench.last().id == number + 1


class TestWildcards:
    @pytest.mark.parametrize(
        ("text", "pattern", "expected"),
        [
            ("Tag:Sales", "tag:*", True),
            ("a.b", "a?b", True),
            ("ab", "a.b", False),
            ("abc", "[a-c]b[!x]", False),
            ("a-c", "a[-]c", True),
            ("a*c", "a`*c", True),
            ("abc", "a`*c", False),
            ("a[c", "a[c", True),
            ("a\nb", "a*", True),
            ("xabc", "abc", False),
        ],
    )
    def test_table(self, text: str, pattern: str, expected: bool) -> None:
        assert like(text, pattern) is expected

    @given(st.text(), st.text())
    def test_a_star_on_each_side_finds_any_text(self, before: str, after: str) -> None:
        assert like(before + "needle" + after, "*needle*")

    @given(st.text(alphabet=st.characters(exclude_characters="*?[`")))
    def test_a_text_without_wildcards_matches_itself_only(self, text: str) -> None:
        assert not has_wildcard(text)
        assert like(text, text)
        assert not like(text + "x", text)


class TestPkcs12:
    def test_algorithms(self, rsa_material: Material) -> None:
        old, old_mac = algorithms(rsa_material.old)
        modern, modern_mac = algorithms(rsa_material.modern)
        assert [s.hex() for s in old] == ["2a864886f70d010c0103"]
        assert [s.hex() for s in modern] == ["2a864886f70d01050d"]
        assert (old_mac.hex(), modern_mac.hex()) == ("2b0e03021a", "608648016503040201")

    def test_content(self, rsa_material: Material) -> None:
        content = open_as_windows(rsa_material.old, "pfx")
        assert content.friendly_name == "lab test"
        assert content.key is not None
        assert len(content.others) == 1

    @given(st.binary(max_size=60))
    def test_anything_else_is_refused(self, data: bytes) -> None:
        with pytest.raises(Pkcs12Error):
            open_as_windows(data, "pfx")

    def test_a_truncated_file_is_refused(self, rsa_material: Material) -> None:
        for length in range(0, len(rsa_material.old) - 1, 97):
            with pytest.raises(Pkcs12Error):
                open_as_windows(rsa_material.old[:length], "pfx")


class TestObjects:
    def test_an_object_arrives_as_a_deserialised_one(self) -> None:
        crypto = PSRemotingCrypto()
        sent = make(["A.B#C", "A.B"], {"Number": PSUInt(5), "Kind": PartnerType.Federated, "None": None}, text="x")
        arrived = deserialize(serialize(sent, crypto), crypto)
        assert isinstance(arrived, PSObject)
        assert type_names(arrived) == ["A.B#C", "A.B", "System.Object"]
        assert arrived.PSObject.type_names[0] == "Deserialized.A.B#C"
        properties: dict[str, t.Any] = dict(properties_of(arrived))
        assert (properties["Number"], properties["None"]) == (5, None)
        assert str(properties["Kind"].PSObject.to_string) == "Federated"
        assert str(arrived.PSObject.to_string) == "x"

    def test_an_enum_that_arrived_can_be_sent_back(self, bench: Bench) -> None:
        crypto = PSRemotingCrypto()
        arrived = deserialize(serialize(PartnerType.Federated, crypto), crypto)
        bench.ok("New-CsXmppAllowedPartner", Identity="a.test", PartnerType=arrived)
        assert bench.store.partners()["a.test"]["PartnerType"] == "Federated"

    def test_forms_that_public_scripts_report(self) -> None:
        """Lists of none and one, and enumerations in adapted properties; everything else stays."""
        lists = {"None": texts([]), "One": texts(["a"]), "Two": texts(["a", "b"])}
        value = make(["A"], {**lists, "Kind": PartnerType.Federated, "Text": "x"})
        engine, reported = clixml.serialize(value), clixml.serialize(value, reported=True)
        assert '<S N="Kind">Federated</S><S N="Text">x</S>' in engine
        assert engine.count("<LST") == 3
        assert '<Nil N="None" /><S N="One">a</S><Obj N="Two"' in reported
        assert "<ToString>Federated</ToString><I32>0</I32></Obj><S" in reported

    def test_null_is_sent_without_data(self) -> None:
        assert clixml.serialize(None) == ""
        assert clixml.serialize(make(["A"], {"X": None})).count("<Nil") == 1

    def test_shapes_of_lists(self) -> None:
        assert [texts([]), texts(["a"]), texts(["a", "b"])] == [[], ["a"], ["a", "b"]]

    def test_times_are_utc(self) -> None:
        assert moment(0.0).isoformat() == "1970-01-01T00:00:00+00:00"
