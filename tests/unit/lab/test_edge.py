# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Edge: files, certificate stores, import, assignment, what a service presents, Windows services."""

from __future__ import annotations

import time
import typing as t

import pytest
from psrpcore.types import PSByte, PSByteArray, PSInt, PSInt64, PSList

from lab.cmdlets.certificates import EDGE_USAGES
from lab.deployment.pkcs12 import NOT_A_FILE, WRONG_PASSWORD

from .conftest import Bench, Material

PFX = "C:\\Windows\\Temp\\sfb-xmpp-1.pfx"
EDGE = "edge01"
PROXY = "RTCXMPPTGWPROXY"


def put(bench: Bench, content: bytes, path: str = PFX) -> None:
    bench.ok("Set-Content", host=EDGE, Path=path, Value=PSByteArray(content), Encoding="Byte")


def load(bench: Bench, **parameters: t.Any) -> list[dict[str, t.Any]]:
    given: dict[str, t.Any] = {"Path": PFX, "Password": "pfx", "PrivateKeyExportable": True, "Confirm": False}
    return bench.ok("Import-CsCertificate", host=EDGE, **{**given, **parameters})


def assign(bench: Bench, thumbprint: str, *usages: str) -> None:
    types = PSList(usages or ["XmppServer"])
    bench.ok("Set-CsCertificate", host=EDGE, Type=types, Thumbprint=thumbprint, Confirm=False)


def proxy_of(bench: Bench) -> str:
    return bench.store.service_name(EDGE, PROXY)


def restart(bench: Bench, name: str = "") -> None:
    name = name or proxy_of(bench)
    bench.ok("Stop-CsWindowsService", host=EDGE, Name=name, Confirm=False)
    bench.ok("Start-CsWindowsService", host=EDGE, Name=name)


def certificates(bench: Bench, store: str, *more: str) -> list[dict[str, t.Any]]:
    """The certificates of a store with the properties that a pipeline names."""
    names = ("Thumbprint", "HasPrivateKey", "FriendlyName", "SerialNumber", "Subject", "RawData", *more)
    sink = bench.run(
        (
            ("Get-ChildItem", {"Path": "Cert:\\LocalMachine\\" + store}),
            ("Select-Object", {"Property": PSList(names)}),
        ),
        host=EDGE,
    )
    assert sink.errors == []
    return sink.rows


class TestFiles:
    def test_bytes_are_written_and_read_back(self, bench: Bench) -> None:
        put(bench, b"\x00\x01")
        bench.ok("Add-Content", host=EDGE, Path=PFX.lower(), Value=PSByteArray(b"\xff"), Encoding="Byte")
        bench.ok("Add-Content", host=EDGE, LiteralPath=PFX, Value=PSList([PSByte(7)]), Encoding="Byte")
        assert bench.store.files(EDGE) == {PFX: b"\x00\x01\xff\x07"}
        assert bench.call("Get-Content", host=EDGE, Path=PFX, Encoding="Byte").values == [0, 1, 255, 7]
        (whole,) = bench.call("Get-Content", host=EDGE, Path=PFX, Encoding="Byte", ReadCount=PSInt64(0)).values
        assert whole == b"\x00\x01\xff\x07"

    def test_byte_encoding_takes_bytes_only(self, bench: Bench) -> None:
        for value in (PSList([PSInt(1)]), "text"):
            assert bench.fails("Set-Content", host=EDGE, Path=PFX, Value=value, Encoding="Byte") == (
                "GetContentWriterArgumentError"
            )
        assert bench.store.files(EDGE) == {}

    def test_texts_get_line_ends(self, bench: Bench) -> None:
        bench.ok("Set-Content", host=EDGE, Path=PFX, Value=PSList(["a", "b"]))
        assert bench.store.files(EDGE)[PFX] == b"a\r\nb\r\n"
        assert bench.call("Get-Content", host=EDGE, Path=PFX).values == ["a", "b"]

    def test_errors_of_paths(self, bench: Bench) -> None:
        def write(path: str) -> str:
            return bench.fails("Set-Content", host=EDGE, Path=path, Value="x")

        assert write("C:\\Nowhere\\x") == "GetContentWriterDirectoryNotFoundError"
        assert write("C:\\Windows") == "GetContentWriterUnauthorizedAccessError"
        assert write("X:\\x") == "DriveNotFound"
        assert bench.fails("Get-Content", host=EDGE, Path=PFX) == "PathNotFound"
        assert bench.fails("Remove-Item", host=EDGE, Path=PFX) == "PathNotFound"

    def test_find_and_remove_left_overs_by_name(self, bench: Bench) -> None:
        put(bench, b"1")
        put(bench, b"2", PFX.replace("-1", "-2"))
        put(bench, b"3", "C:\\Windows\\Temp\\other.txt")
        found = bench.ok("Get-ChildItem", host=EDGE, Path="C:\\Windows\\Temp", Filter="sfb-xmpp-*")
        assert [(f["Name"], f["Length"]) for f in found] == [("sfb-xmpp-1.pfx", 1), ("sfb-xmpp-2.pfx", 1)]
        assert bench.ok("Get-ChildItem", host=EDGE, Path="C:\\Windows\\Temp\\none-*") == []
        bench.ok("Remove-Item", host=EDGE, Path="C:\\Windows\\Temp\\sfb-xmpp-*")
        assert list(bench.store.files(EDGE)) == ["C:\\Windows\\Temp\\other.txt"]
        assert bench.store.files("edge02") == {}

    def test_a_literal_path_is_no_pattern(self, bench: Bench) -> None:
        put(bench, b"1")
        pattern = "C:\\Windows\\Temp\\*"
        assert bench.call("Test-Path", host=EDGE, LiteralPath=pattern).values == [False]
        assert bench.call("Test-Path", host=EDGE, Path=pattern).values == [True]
        assert bench.fails("Remove-Item", host=EDGE, LiteralPath=pattern) == "PathNotFound"

    def test_test_path(self, bench: Bench) -> None:
        put(bench, b"1")

        def there(path: str, kind: str = "Any") -> bool:
            (value,) = bench.call("Test-Path", host=EDGE, Path=path, PathType=kind).values
            return bool(value)

        assert there(PFX)
        assert there(PFX, "Leaf")
        assert not there(PFX, "Container")
        assert there("C:\\Windows\\Temp\\", "Container")
        assert there("Cert:\\LocalMachine\\My", "Container")
        assert not there("Cert:\\LocalMachine\\My\\00")
        assert not there("X:\\nothing")

    def test_a_directory_with_content_asks_before_it_goes(self, bench: Bench) -> None:
        put(bench, b"1")
        assert bench.fails("Remove-Item", host=EDGE, Path="C:\\Windows\\Temp") == "HostFunctionNotImplemented"
        bench.ok("Remove-Item", host=EDGE, Path="C:\\Windows\\Temp", Recurse=True)
        assert bench.store.files(EDGE) == {}

    def test_environment(self, bench: Bench) -> None:
        (item,) = bench.ok("Get-Item", host=EDGE, Path="Env:TEMP")
        assert item["Value"].startswith("C:\\Users\\")
        assert bench.call("Get-Content", host=EDGE, Path="Env:\\COMPUTERNAME").values == ["EDGE01"]
        assert "windir" in [i["Name"] for i in bench.ok("Get-ChildItem", host=EDGE, Path="Env:")]

    def test_what_if_writes_nothing(self, bench: Bench) -> None:
        bench.ok("Set-Content", host=EDGE, Path=PFX, Value="x", WhatIf=True)
        assert bench.store.files(EDGE) == {}


class TestCertificates:
    def test_a_certificate_crosses_the_wire_as_its_raw_data(self, bench: Bench) -> None:
        """PowerShell's type data serialises an X509Certificate2 so; Select-Object brings what it names."""
        whole = bench.ok("Get-ChildItem", host=EDGE, Path="Cert:\\LocalMachine\\My")
        assert [set(one) for one in whole] == [{"RawData"}] * 2
        chosen = certificates(bench, "My", "Nothing")
        assert [one["RawData"] for one in chosen] == [one["RawData"] for one in whole]
        assert {(one["HasPrivateKey"], one["Nothing"]) for one in chosen} == {(True, None)}

    def test_an_endpoint_without_select_object(self, bench: Bench) -> None:
        bench.store.set_setting("select_object", False)
        pipeline = (("Get-ChildItem", {"Path": "Cert:\\LocalMachine\\My"}), ("Select-Object", {"Property": "RawData"}))
        sink = bench.run(pipeline, host=EDGE)
        assert (sink.ids, sink.values) == (["CommandNotFoundException"], [])

    def test_the_state_after_the_installation(self, bench: Bench) -> None:
        assigned = bench.ok("Get-CsCertificate", host=EDGE)
        assert {a["Use"].name for a in assigned} == set(EDGE_USAGES) - {"XmppServer"}
        assert bench.ok("Get-CsCertificate", host=EDGE, Type="XmppServer") == []
        (external,) = bench.ok("Get-CsCertificate", host=EDGE, Type="accessedgeexternal")
        assert external["Subject"] == "CN=sip.contoso.test, O=Contoso"
        assert "sip.contoso.test" in external["AlternativeNames"]
        (root,) = certificates(bench, "Root")
        assert (root["HasPrivateKey"], external["Issuer"]) == (False, root["Subject"])

    def test_import_assign_and_restart(self, bench: Bench, rsa_material: Material) -> None:
        put(bench, rsa_material.old)
        load(bench)
        shown = certificates(bench, "My")
        new = next(c for c in shown if c["Thumbprint"] == rsa_material.thumbprint)
        assert (new["HasPrivateKey"], new["FriendlyName"], new["SerialNumber"]) == (True, "lab test", "0ABC")
        assert isinstance(new["RawData"], PSByteArray)
        (issuer,) = certificates(bench, "CA")
        assert (issuer["Thumbprint"], issuer["HasPrivateKey"]) == (rsa_material.issuer_thumbprint, False)
        assert "XmppServer" not in bench.store.assignments(EDGE)
        assign(bench, rsa_material.thumbprint.lower(), "XmppServer", "DataEdgeExternal")
        assert bench.store.assignments(EDGE)["XmppServer"] == rsa_material.thumbprint
        assert "XmppServer" not in bench.store.presented(EDGE)
        restart(bench)
        assert bench.store.presented(EDGE)["XmppServer"] == rsa_material.thumbprint
        # The other service was not restarted and still presents the former certificate.
        assert bench.store.presented(EDGE)["DataEdgeExternal"] != rsa_material.thumbprint
        (reference,) = bench.ok("Get-CsCertificate", host=EDGE, Type="DataEdgeExternal")
        assert reference["PreviousThumbprint"] == bench.store.presented(EDGE)["DataEdgeExternal"]

    @pytest.mark.parametrize("kind", ["modern", "modern_mac"])
    def test_an_old_windows_cannot_open_modern_encryption(
        self, bench: Bench, rsa_material: Material, kind: str
    ) -> None:
        put(bench, getattr(rsa_material, kind))
        sink = bench.call("Import-CsCertificate", host=EDGE, Path=PFX, Password="pfx", Confirm=False)
        assert [e.message for e in sink.errors] == [WRONG_PASSWORD]
        assert len(bench.store.certificates(EDGE, "My")) == 2

    def test_wrong_passphrase_missing_file_and_no_file(self, bench: Bench, rsa_material: Material) -> None:
        def message(**parameters: t.Any) -> str:
            sink = bench.call("Import-CsCertificate", host=EDGE, Path=PFX, Confirm=False, **parameters)
            return sink.errors[0].message

        assert "Could not find" in message(Password="pfx")
        put(bench, rsa_material.old)
        assert message(Password="wrong") == WRONG_PASSWORD
        assert message() == WRONG_PASSWORD
        put(bench, b"no certificate")
        assert message(Password="pfx") == NOT_A_FILE

    def test_a_key_that_the_service_cannot_read_is_not_presented(self, bench: Bench, rsa_material: Material) -> None:
        put(bench, rsa_material.old)
        load(bench, PrivateKeyExportable=False)
        assign(bench, rsa_material.thumbprint)
        restart(bench)
        assert bench.store.assignments(EDGE)["XmppServer"] == rsa_material.thumbprint
        assert "XmppServer" not in bench.store.presented(EDGE)
        load(bench)
        restart(bench)
        assert bench.store.presented(EDGE)["XmppServer"] == rsa_material.thumbprint

    def test_what_cannot_be_assigned(self, bench: Bench, rsa_material: Material) -> None:
        def fails(thumbprint: str, **parameters: t.Any) -> str:
            given: dict[str, t.Any] = {"Thumbprint": thumbprint, "Confirm": False, **parameters}
            return bench.fails("Set-CsCertificate", host=EDGE, **given)

        assert fails(rsa_material.thumbprint, Type="XmppServer") == "CertificateNotFound"
        put(bench, rsa_material.old)
        load(bench)
        assert fails(rsa_material.issuer_thumbprint, Type="XmppServer") == "CertificateNotFound"
        assert fails(rsa_material.thumbprint, Type="OAuthTokenIssuer") == "InvalidArgument"
        assert fails(rsa_material.thumbprint) == "InvalidArgument"

    def test_elliptic_keys_are_refused_by_lync2013_only(
        self, request: pytest.FixtureRequest, ec_material: Material
    ) -> None:
        old: Bench = request.getfixturevalue("bench2013")
        put(old, ec_material.old)
        load(old)
        parameters: dict[str, t.Any] = {"Type": "XmppServer", "Thumbprint": ec_material.thumbprint, "Confirm": False}
        sink = old.call("Set-CsCertificate", host=EDGE, **parameters)
        assert [e.message for e in sink.errors] == ["The buffer supplied to a function was too small."]
        assert "XmppServer" not in old.store.assignments(EDGE)

    def test_elliptic_keys_are_taken_by_sfb2015(self, bench: Bench, ec_material: Material) -> None:
        put(bench, ec_material.old)
        load(bench)
        assign(bench, ec_material.thumbprint)
        assert bench.store.assignments(EDGE)["XmppServer"] == ec_material.thumbprint

    def test_removal_unbinds_and_keeps_the_certificate(self, bench: Bench) -> None:
        thumbprint = bench.store.assignments(EDGE)["DataEdgeExternal"]
        bench.ok("Remove-CsCertificate", host=EDGE, Type="DataEdgeExternal", Confirm=False)
        assert "DataEdgeExternal" not in bench.store.assignments(EDGE)
        assert bench.store.certificate(EDGE, "My", thumbprint) is not None
        again = bench.fails("Remove-CsCertificate", host=EDGE, Type="DataEdgeExternal", Confirm=False)
        assert again == "InvalidArgument"

    def test_a_certificate_can_be_deleted_from_its_store(self, bench: Bench, rsa_material: Material) -> None:
        put(bench, rsa_material.old)
        load(bench)
        path = "Cert:\\LocalMachine\\My\\" + rsa_material.thumbprint
        assert len(bench.ok("Get-Item", host=EDGE, Path=path)) == 1
        bench.ok("Remove-Item", host=EDGE, Path=path)
        assert bench.fails("Get-Item", host=EDGE, Path=path) == "PathNotFound"

    def test_the_front_end_has_none_of_this(self, bench: Bench) -> None:
        for name in ("Get-CsCertificate", "Get-ChildItem", "Import-Module"):
            assert bench.fails(name) == "CommandNotFoundException"


class TestServices:
    def test_the_proxy_is_found_by_its_display_name(self, bench: Bench) -> None:
        services = bench.ok("Get-CsWindowsService", host=EDGE)
        (proxy,) = [s for s in services if "XMPP" in s["DisplayName"]]
        assert (proxy["Name"], proxy["Status"].name) == (proxy_of(bench), "Running")
        assert proxy["DisplayName"].startswith("Skype for Business Server")
        gateway = bench.store.service_name("fe01", "RTCXMPPTGW")
        assert [s["Name"] for s in bench.ok("Get-CsWindowsService", Name=gateway.lower())] == [gateway]

    def test_stop_stops_dependents_and_start_starts_what_is_needed(self, bench: Bench) -> None:
        bench.ok("Stop-CsWindowsService", host=EDGE, Name="RTCMRAUTH", Confirm=False)
        services = bench.store.services(EDGE)
        assert {n for n, status in services.items() if status == "Stopped"} == {"RTCMRAUTH", "RTCMEDIARELAY"}
        assert "AudioVideoAuthentication" not in bench.store.presented(EDGE)
        bench.ok("Start-CsWindowsService", host=EDGE, Name="RTCMEDIARELAY")
        assert set(bench.store.services(EDGE).values()) == {"Running"}
        assert "AudioVideoAuthentication" in bench.store.presented(EDGE)
        assert set(bench.store.services("edge02").values()) == {"Running"}

    def test_all_services_without_a_name(self, bench: Bench) -> None:
        bench.ok("Stop-CsWindowsService", host=EDGE, Confirm=False, LeaveClsAgentRunning=True)
        running = {n for n, status in bench.store.services(EDGE).items() if status == "Running"}
        assert running == {"RTCCLSAGT"}
        assert bench.store.presented(EDGE) == {}
        bench.ok("Start-CsWindowsService", host=EDGE)
        assert set(bench.store.services(EDGE).values()) == {"Running"}
        assert bench.store.presented(EDGE) == bench.store.assignments(EDGE)

    def test_names_are_exact(self, bench: Bench) -> None:
        for name in ("*XMPP*", "Spooler"):
            assert bench.fails("Get-CsWindowsService", host=EDGE, Name=name) == "ItemNotFound"
        assert bench.fails("Get-CsWindowsService", host=EDGE, ComputerName="edge02") == "InvalidArgument"
        assert bench.fails("Restart-CsWindowsService", host=EDGE) == "CommandNotFoundException"

    def test_a_graceful_stop_lasts_as_long_as_the_sessions(self, bench: Bench) -> None:
        def stop(name: str, **more: t.Any) -> None:
            bench.ok("Stop-CsWindowsService", host=EDGE, Name=name, Confirm=False, **more)

        bench.store.set_setting("drain_seconds", 600)
        before = bench.store.presented(EDGE)
        stop("RTCMRAUTH", Graceful=True, NoWait=True)
        paused = {s["Name"] for s in bench.ok("Get-CsWindowsService", host=EDGE) if s["Status"].name == "Paused"}
        assert paused == {"RTCMRAUTH", "RTCMEDIARELAY"}
        assert bench.store.presented(EDGE) == before
        for name in paused:  # the one that is Paused itself, and the one that needs it
            assert bench.fails("Start-CsWindowsService", host=EDGE, Name=name) == "StartServiceFailed"
        assert {bench.store.services(EDGE)[name] for name in paused} == {"Paused"}
        stop("RTCMRAUTH")
        assert {bench.store.services(EDGE)[name] for name in paused} == {"Stopped"}
        bench.ok("Start-CsWindowsService", host=EDGE, Name="RTCMEDIARELAY")

    @pytest.mark.parametrize("call", [{}, {"NoWait": True}], ids=["documented", "drain_blocks"])
    def test_a_graceful_stop_may_return_late(self, bench: Bench, call: dict[str, t.Any]) -> None:
        bench.store.set_setting("drain_seconds", 0.3)
        bench.store.set_setting("drain_blocks", bool(call))
        began = time.monotonic()
        bench.ok("Stop-CsWindowsService", host=EDGE, Name=proxy_of(bench), Graceful=True, Confirm=False, **call)
        assert time.monotonic() - began > 0.29
        assert bench.store.services(EDGE)[proxy_of(bench)] == "Stopped"
        bench.ok("Start-CsWindowsService", host=EDGE, Name=proxy_of(bench))

    def test_a_service_from_the_pipeline(self, bench: Bench) -> None:
        get = ("Get-CsWindowsService", {"Name": proxy_of(bench)})
        assert bench.run((get, ("Stop-CsWindowsService", {"Confirm": False})), host=EDGE).errors == []
        assert bench.store.services(EDGE)[proxy_of(bench)] == "Stopped"
