"""The overview as a page for people: plain HTML, no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
h1 { font-size: 1.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #d5dbe3; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { background: #f0f3f7; padding: .1rem .3rem; }
.table { overflow-x: auto; }
"""


def overview_page(overview: Mapping[str, Any]) -> str:
    """The overview (`worker.sandbox.views.overview`) as one page."""
    rows = "\n".join(_row(name, system) for name, system in overview["systems"].items())
    webhooks = overview["webhooks"]
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>contactsync sandbox</title><style>{_STYLE}</style></head>
<body>
<h1>contactsync sandbox</h1>
<p>Five simulated vendors. Nothing here is real, and all of it is gone when the sandbox ends.</p>
<div class="table"><table>
<thead><tr><th>System</th><th>Address</th><th>Records</th><th>Requests</th><th>Faults waiting</th></tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
<p>Webhooks of Robaws: {webhooks["endpoints"]} endpoints, {webhooks["delivered"]} delivered,
{webhooks["failed_tries"]} tries failed (<a href="/_sandbox/robaws/webhooks">all of them</a>).</p>
<p>Settings that point here: <a href="/_sandbox/settings?format=toml">TOML</a>,
<a href="/_sandbox/settings?format=env">environment</a>. Break something:
<code>curl …/_sandbox/rompslomp/faults -H 'Content-Type: application/json' -d '{{"kind": "drop_after"}}'</code></p>
</body>
</html>
"""


def _row(name: str, system: Mapping[str, Any]) -> str:
    records = ", ".join(f"{count} {escape(kind.replace('_', ' '))}" for kind, count in system["records"].items())
    link = f"/_sandbox/{escape(name)}"
    return (
        f'<tr><td><a href="{link}">{escape(name)}</a></td><td><code>{escape(system["base_url"])}</code></td>'
        f'<td>{records}</td><td class="number"><a href="{link}/requests">{system["requests"]}</a></td>'
        f'<td class="number"><a href="{link}/faults">{system["faults"]}</a></td></tr>'
    )
