# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List the product's own words. The words reveal nothing about a deployment. Other words of a capture are replaced."""

from __future__ import annotations

import re


def _set(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in text.split())


# Values of properties, and prefixes of names in values, such as "Tag:" and "CN=".
KNOWN = _set(
    """
    Global Tag Site Host Service Pool
    Federated PublicVerified PublicUnverified Required Optional NotSupported
    UseSourceVerification AlwaysVerifiable AlwaysUnverifiable UseDnsSrvRouting UseDefaultRouting
    Running Stopped StartPending StopPending ContinuePending PausePending Paused
    AccessEdgeExternal DataEdgeExternal AudioVideoAuthentication Internal XmppServer Default
    WebServicesInternal WebServicesExternal OAuthTokenIssuer ProvisionService PICWebService WebServiceExternal
    EdgeServer Registrar UserServer UserDatabase ConferencingServer WebServer FileStore ApplicationServer
    CentralManagement CentralManagementDatabase MediationServer MonitoringServer ArchivingServer Director
    PersistentChatServer PersistentChatStore WacServer TrustedApplicationPool PstnGateway ApplicationDatabase
    ArchivingDatabase MonitoringDatabase EdgeServerPool CentralSite RemoteSite BranchSite Cmdlet Function Alias
    SRV sip sips tel http https CN OU DC O L ST S C E SERIALNUMBER STREET
    True False None Enabled Disabled Success Failure Unknown
    REPLICA MASTER FTA RTCSRV RTCCLSAGT RTCDATAPROXY RTCMRAUTH RTCMEDIARELAY RTCXMPPTGW RTCXMPPTGWPROXY RTCIMMCU
    RTCASMCU RTCATS RTCAVMCU RTCCAA RTCCAS RTCCPS RTCDATAMCU RTCHA RTCMEDSRV RTCPDPAUTH RTCPDPCORE RTCRGS RTCXMPP
    """
)

# Words in the texts of the product and of PowerShell: errors, warnings, versions, names of services.
WORDS = _set(
    """
    a able about above accept accepted access account active add address administrator after again agent all allow
    allowed already also an and announcement another answer any application archiving are argument as at attempt
    attendant audio authentication available back bandwidth be because been before being below between both business
    but by call called can cannot capture captured center central centralized certificate change changed chat check
    class client cmdlet code collection com command commands complete completed computer conference conferencing
    configuration configure confirm connect connection connects contact contain contains core correct could create
    created credential current data database date default defined delete denied dependent description destination
    details directory display do does domain done due during each edge edition either element empty enable enabled
    end ensure enter enterprise entry error errors event exception exist exists expected expired expression external
    fail failed failure false federation file find following for force format found from front function gateway get
    given global group had handle has have health help here host id identity if im import in include incorrect
    information input install installed instance instead insufficient internal into invalid invoke is it item its
    key known lab language length level license limit line list loaded local location log logging look lync make
    management master match maximum may means media mediation member message method microsoft minimum mismatch
    missing mode module monitoring more most must name named names near need needed network new no none not
    nothing now null number object objects of off offer offered office on one online only open operable operation
    option or other out output owner packet pages parameter parameters park part pass path perform permission
    permissions persistent pipeline please policy pool port positional possible prefix present preview process
    product program prompt property protocol provide provided provider proxy read reading reads reason receive
    recognized record reference refers refused relay remote remove removed replays replica replicator request
    requested require required requires resource response restart result retry return returned rights role route rtc
    run running script search security see select sent server servers service servicegroup services session set
    settings setup sharing should signature since site size skype source specified specify spelling standard start
    started state statement status stop stopped store string such supply support supported switch system table term
    than that the their them then there they this time timed timeout to topology transfer translating true try type
    unable unexpected unknown update use used user users uses using valid validate value values verb verify version
    video volume wait warning was web were when where whether which while windows with within without work workgroup
    would write wrong xmpp you your
    """
) | {"nobody"}

# The words in names of types, for names of types in free text. In a field for types, all names stay.
TYPES = WORDS | _set(
    """
    ACL AD Array Automation Boolean Byte Char Classes Cmdlet Cmdlets Collection Collections Config Connect Crypto
    Cryptography Custom Decimal Deserialized Dictionary Directory Double Enum Exception Generic Guid Hashtable IO Id
    Identity Int Item Linq Modifier Model Net Nullable Operation PS Primitive Private Record Rich Runtime Schema Secure
    Selected Single Sip Span Stream Supported Synthetic System Task Text Thing Transactions Tuple UInt Unauthorized Uri
    Url Values Void WS WSMan Win Writable Xds Xml Microsoft Rtc Shell Power Settings Xmpp Allowed Partner Policy
    External Access Federation Gateway Configuration Edge Topology Deploy Resource Relative Global
    """
)

# Commands of PowerShell itself. The product's commands are Verb-CsNoun.
COMMANDS = _set(
    """
    Get-Command Get-Help Get-FormatData Select-Object Measure-Object Out-Default Out-String Out-Null Exit-PSSession
    Get-Module Import-Module Remove-Module Get-Date Get-Item Get-ChildItem Get-Content Set-Content Add-Content
    Remove-Item Test-Path New-Item Copy-Item Move-Item Get-ItemProperty Set-ItemProperty Where-Object ForEach-Object
    Sort-Object Group-Object Format-List Format-Table ConvertTo-Json ConvertFrom-Json Export-Csv Import-Csv
    ConvertTo-Xml Export-Clixml Import-Clixml Get-Service Start-Service Stop-Service Restart-Service Get-Process
    Get-Variable Set-Variable New-Object Add-Type Write-Output Write-Error Write-Warning Invoke-Command Get-Credential
    Get-ExecutionPolicy Get-PSSession New-PSSession Get-PSProvider Get-PSDrive Get-Member Compare-Object Test-WSMan
    Get-WmiObject Get-EventLog Get-WinEvent Get-Acl Set-Acl Get-Host Get-Culture Get-Location Set-Location Split-Path
    Join-Path Resolve-Path Test-Connection Start-Sleep Restart-Computer
    """
)
_VERBS = """
    Add Approve Backup Clear Complete Convert ConvertTo Copy Debug Disable Enable Export Find Get Grant Import
    Initialize Install Invoke Lock Merge Move New Publish Read Remove Reset Restart Restore
    Resume Revoke Search Set Show Start Stop Suspend Sync Test Undo Uninstall Unlock Unpublish Update
"""
_OWN = re.compile(r"(?:%s)-(?:Cs|OcsPowershell)[A-Z][A-Za-z0-9]{2,}" % "|".join(_VERBS.split()))


def is_command(name: str) -> bool:
    """Return whether a command belongs to the product or to PowerShell. Other commands can have private names."""
    return bool(_OWN.fullmatch(name)) or name.casefold() in COMMANDS
