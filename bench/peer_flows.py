"""The flows that Node-RED and n8n are given: an event in, its answer out, and nothing behind it."""

from __future__ import annotations

from typing import Any, Final

from bench.processes import SECRET

_CHECK: Final = """
const said = /^t=(\\d+),v1=([0-9a-f]{64})$/.exec(msg.req.headers['robaws-signature'] || '');
const body = Buffer.isBuffer(msg.payload) ? msg.payload : Buffer.from('');
const own = crypto.createHmac('sha256', 'SECRET').update((said ? said[1] : '') + '.').update(body).digest();
const right = said !== null && crypto.timingSafeEqual(own, Buffer.from(said[2], 'hex'));
msg.event = right ? JSON.parse(body.toString()) : null;
msg.statusCode = right ? 202 : 401;
msg.payload = {status: right ? 'accepted' : 'rejected'};
return msg;
"""

NODE_RED_FLOW: Final[list[dict[str, Any]]] = [
    {"id": "bench", "type": "tab", "label": "bench"},
    {
        "id": "in",
        "type": "http in",
        "z": "bench",
        "url": "/webhooks/robaws",
        "method": "post",
        "skipBodyParsing": True,
        "wires": [["check"]],
    },
    {
        "id": "check",
        "type": "function",
        "z": "bench",
        "func": _CHECK.replace("SECRET", SECRET),
        "outputs": 1,
        "libs": [{"var": "crypto", "module": "crypto"}],
        "wires": [["out"]],
    },
    {"id": "out", "type": "http response", "z": "bench", "wires": []},
]

NODE_RED_SETTINGS: Final = """
module.exports = {
    uiHost: "127.0.0.1", httpAdminRoot: false, flowFile: "flows.json", credentialSecret: false,
    functionExternalModules: true, telemetry: {enabled: false}, logging: {console: {level: "error"}},
};
"""

N8N_WORKFLOW: Final[dict[str, Any]] = {
    "id": "benchbenchbench1",
    "name": "bench",
    "active": False,
    "nodes": [
        {
            "id": "in",
            "name": "Webhook",
            "type": "n8n-nodes-base.webhook",
            "typeVersion": 2,
            "position": [0, 0],
            "webhookId": "robaws",
            "parameters": {"httpMethod": "POST", "path": "robaws", "responseMode": "onReceived", "options": {}},
        },
    ],
    "connections": {},
    "settings": {},
}
