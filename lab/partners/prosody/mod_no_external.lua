-- Copyright (c) 2026 the sfb.xmpp authors
-- GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later

-- Disable SASL EXTERNAL between servers. Prosody has no option for this. The server neither offers nor uses it.

local function without_mechanisms(features)
	features:maptags(function (tag)
		if tag.name == "mechanisms" then return nil; end
		return tag;
	end);
end

module:hook("s2s-stream-features", function (event) without_mechanisms(event.features); end, -100);

module:hook_tag("http://etherx.jabber.org/streams", "features", function (_session, stanza)
	without_mechanisms(stanza);
end, 1000);
