"""XMPP clients (slixmpp) driven by the stories over JSON lines: tests/support/xmpp-driver.ts starts it.

    request   {"id": 1, "client": "c1", "method": "connect", "params": {...}}
    answer    {"id": 1, "result": ...}   or   {"id": 1, "error": {"condition": "...", "text": "..."}}
    event     {"client": "c1", "event": "message" | "presence" | "closed", "data": {...}}

It ends when its standard input does.
"""

import asyncio
import json
import logging
import ssl
import sys
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout

REQUEST_TIMEOUT = 30
ARCHIVE_PAGE = 100

CARBONS = "urn:xmpp:carbons:2"
DELAY = "urn:xmpp:delay"
DISCO_INFO = "http://jabber.org/protocol/disco#info"
DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
EXTERNAL_SERVICES = "urn:xmpp:extdisco:2"
FORM = "jabber:x:data"
FORWARD = "urn:xmpp:forward:0"
MAM = "urn:xmpp:mam:2"
MUC = "http://jabber.org/protocol/muc"
MUC_USER = "http://jabber.org/protocol/muc#user"
MUCSUB = "urn:xmpp:mucsub:0"
PRIVATE = "jabber:iq:private"
PUBSUB = "http://jabber.org/protocol/pubsub"
PUBSUB_EVENT = "http://jabber.org/protocol/pubsub#event"
PUBLISH_OPTIONS = "http://jabber.org/protocol/pubsub#publish-options"
PUSH = "urn:xmpp:push:0"
ROSTER = "jabber:iq:roster"
RSM = "http://jabber.org/protocol/rsm"
STANZA_ERROR = "urn:ietf:params:xml:ns:xmpp-stanzas"
STANZA_ID = "urn:xmpp:sid:0"
UPLOAD = "urn:xmpp:http:upload:0"
VCARD = "vcard-temp"


class Refused(Exception):
    """What the server said no with; becomes the error of an answer."""

    def __init__(self, condition, text=""):
        super().__init__(condition)
        self.condition = condition
        self.text = text


def local(tag):
    return tag.rpartition("}")[2]


def text(element, path):
    """The text at a path, or None when nothing is there."""
    found = element.find(path)
    return None if found is None else found.text or ""


def form(fields):
    """A filled-in form (XEP-0004)."""
    filled = (f"<field var={quoteattr(name)}><value>{escape(value)}</value></field>" for name, value in fields.items())
    return f'<x xmlns="{FORM}" type="submit">{"".join(filled)}</x>'


def describe_message(xml):
    """What a story asserts on: the message itself, and the one that it carries (a carbon, a group's event)."""
    delay = xml.find(f"{{{DELAY}}}delay")
    stanza_id = xml.find(f"{{{STANZA_ID}}}stanza-id")
    carbon = next((c for c in xml if c.tag in (f"{{{CARBONS}}}received", f"{{{CARBONS}}}sent")), None)
    items = xml.find(f"{{{PUBSUB_EVENT}}}event/{{{PUBSUB_EVENT}}}items")
    inner = None
    if carbon is not None:
        inner = carbon.find(f"{{{FORWARD}}}forwarded/{{jabber:client}}message")
    elif items is not None:
        inner = items.find(f"{{{PUBSUB_EVENT}}}item/{{jabber:client}}message")
    return {
        "id": xml.get("id"),
        "type": xml.get("type", "normal"),
        "from": xml.get("from"),
        "to": xml.get("to"),
        "body": text(xml, "{jabber:client}body"),
        "subject": text(xml, "{jabber:client}subject"),
        "delayed": delay is not None,
        "stanzaId": None if stanza_id is None else stanza_id.get("id"),
        "carbon": None if carbon is None else local(carbon.tag),
        "node": None if items is None else items.get("node"),
        "carried": None if inner is None else describe_message(inner),
        "xml": ET.tostring(xml, encoding="unicode"),
    }


def describe_presence(xml):
    item = xml.find(f"{{{MUC_USER}}}x/{{{MUC_USER}}}item")
    conditions = [e.tag for e in xml.iterfind("{jabber:client}error/*") if e.tag.startswith(f"{{{STANZA_ERROR}}}")]
    return {
        "type": xml.get("type", "available"),
        "from": xml.get("from"),
        "to": xml.get("to"),
        "affiliation": None if item is None else item.get("affiliation"),
        "role": None if item is None else item.get("role"),
        "statusCodes": [int(s.get("code")) for s in xml.iterfind(f"{{{MUC_USER}}}x/{{{MUC_USER}}}status")],
        "error": local(conditions[0]) if conditions else None,
    }


class Client(ClientXMPP):
    def __init__(self, report, jid, password, mechanism, authority, tls_version, interests):
        super().__init__(jid, password, sasl_mech=mechanism)
        self.report = report
        self.archives = {}
        self.stream_error = None
        self.established = asyncio.get_running_loop().create_future()
        self.ssl_context = ssl.create_default_context(cafile=authority)
        if tls_version == "1.2":
            self.ssl_context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.register_plugin("xep_0198", {"allow_resume": True})
        self.register_plugin("xep_0199")
        self.register_plugin("xep_0163")
        self.interests = interests
        self.add_filter("in", self.observe)
        # Not session_start: stream management is still to be agreed on then.
        self.add_event_handler("stream_negotiated", lambda _: self.establish())
        self.add_event_handler("session_resumed", lambda _: self.establish())
        self.add_event_handler("failed_auth", lambda failure: self.refuse(failure["condition"], failure["text"]))
        self.add_event_handler("no_auth", lambda _: self.refuse("invalid-mechanism"))
        self.add_event_handler("connection_failed", lambda error: self.refuse("connection-failed", str(error)))
        self.add_event_handler("stream_error", self.on_stream_error)
        self.add_event_handler("disconnected", self.on_disconnected)

    def get_ssl_context(self):
        """Ours, which verifies both the chain and the name: slixmpp's own leaves the name to others."""
        return self.ssl_context

    # --- the life of a stream ---------------------------------------------------------------------------------

    async def open(self, host, port, direct_tls):
        self.default_domain = self.boundjid.host
        super().connect((host, port), use_ssl=direct_tls, force_starttls=not direct_tls, disable_starttls=direct_tls)
        await asyncio.wait_for(asyncio.shield(self.established), REQUEST_TIMEOUT)
        for node in self.interests:
            self["xep_0163"].add_interest(node)
        await self["xep_0115"].update_caps(broadcast=False)
        return {
            "jid": self.boundjid.full,
            "mechanism": self["feature_mechanisms"].mech.name,
            "offered": sorted(self["feature_mechanisms"].mech_list),
            "tls": self.socket.version(),
            "streamManagement": self["xep_0198"].sm_id is not None,
        }

    def establish(self):
        if not self.established.done():
            self.established.set_result(True)

    def refuse(self, condition, explanation=""):
        self.cancel_connection_attempt()
        if not self.established.done():
            self.established.set_exception(Refused(condition, explanation))

    def on_stream_error(self, error):
        self.stream_error = error["condition"]
        self.refuse(error["condition"], error["text"])

    def on_disconnected(self, reason):
        self.refuse("disconnected", str(reason or ""))
        self.report("closed", {"reason": self.stream_error or str(reason or "")})

    def observe(self, stanza):
        xml = stanza.xml
        if xml.tag == "{jabber:client}message":
            result = xml.find(f"{{{MAM}}}result")
            if result is not None:
                self.archives.setdefault(result.get("queryid"), []).append(result)
            else:
                self.report("message", describe_message(xml))
        elif xml.tag == "{jabber:client}presence":
            self.report("presence", describe_presence(xml))
        return stanza

    async def close(self):
        await self.disconnect(wait=2)

    async def cut(self):
        """The connection breaks: no end of stream, nothing acknowledged any more."""
        self.transport.abort()
        await self.wait_until("disconnected", REQUEST_TIMEOUT)

    async def resume(self, host, port):
        self.established = asyncio.get_running_loop().create_future()
        super().connect((host, port))
        await asyncio.wait_for(asyncio.shield(self.established), REQUEST_TIMEOUT)
        return "stream_management" in self.features and "bind" not in self.features

    # --- stanzas ----------------------------------------------------------------------------------------------

    async def ask(self, kind, payload, to=None):
        """Sends an IQ and answers the payload of its result; an error becomes Refused."""
        iq = self.make_iq(ito=to, itype=kind)
        iq.append(ET.fromstring(payload))
        try:
            answer = await iq.send(timeout=REQUEST_TIMEOUT)
        except IqError as error:
            raise Refused(error.condition, error.text) from None
        except IqTimeout:
            raise Refused("no-answer", payload) from None
        return next((child for child in answer.xml if child.tag != "{jabber:client}error"), None)

    async def iq(self, kind, payload, to=None):
        answer = await self.ask(kind, payload, to)
        return None if answer is None else ET.tostring(answer, encoding="unicode")

    async def presence(self, to=None, kind=None):
        self.send_presence(pto=to, ptype=kind)

    async def message(self, to, body, kind="chat"):
        message = self.make_message(mto=to, mbody=body, mtype=kind)
        message["id"] = self.new_id()
        message.send()
        return message["id"]

    async def send_xml(self, xml):
        self.send_raw(xml)

    # --- contacts, profile, private data ----------------------------------------------------------------------

    async def contacts(self):
        query = await self.ask("get", f'<query xmlns="{ROSTER}"/>')
        items = query.iterfind(f"{{{ROSTER}}}item")
        return [{key: item.get(key) for key in ("jid", "name", "subscription")} for item in items]

    async def add_contact(self, jid, name):
        item = f"<item jid={quoteattr(jid)} name={quoteattr(name)}/>"
        await self.ask("set", f'<query xmlns="{ROSTER}">{item}</query>')

    async def set_vcard(self, name):
        await self.ask("set", f'<vCard xmlns="{VCARD}"><FN>{escape(name)}</FN></vCard>')

    async def vcard(self, jid):
        return text(await self.ask("get", f'<vCard xmlns="{VCARD}"/>', jid), f"{{{VCARD}}}FN")

    async def store_private(self, payload):
        await self.ask("set", f'<query xmlns="{PRIVATE}">{payload}</query>')

    async def private(self, payload):
        answer = await self.ask("get", f'<query xmlns="{PRIVATE}">{payload}</query>')
        return ET.tostring(answer[0], encoding="unicode")

    # --- archive ----------------------------------------------------------------------------------------------

    async def archive(self, of=None, correspondent=None):
        """A whole archive, oldest first: the account's own, or a room's. Asked for page by page from its end."""
        fields = {"FORM_TYPE": MAM} | ({"with": correspondent} if correspondent else {})
        entries = []
        while True:
            page = await self.archive_page(of, fields, entries[0]["stanzaId"] if entries else "")
            entries = page + entries
            if len(page) < ARCHIVE_PAGE:
                return entries

    async def archive_page(self, of, fields, before):
        query_id = self.new_id()
        page = f'<set xmlns="{RSM}"><max>{ARCHIVE_PAGE}</max><before>{before}</before></set>'
        await self.ask("set", f'<query xmlns="{MAM}" queryid="{query_id}">{form(fields)}{page}</query>', of)
        entries = []
        for result in self.archives.pop(query_id, []):
            entry = describe_message(result.find(f"{{{FORWARD}}}forwarded/{{jabber:client}}message"))
            entries.append({**entry, "stanzaId": result.get("id")})
        return entries

    # --- rooms ------------------------------------------------------------------------------------------------

    async def join(self, room, nick):
        """Enters a room, and answers the occupant's own presence; refused with the condition of the error."""
        entered = asyncio.get_running_loop().create_future()

        def watch(stanza):
            xml = stanza.xml
            from_room = xml.tag == "{jabber:client}presence" and xml.get("from", "").partition("/")[0] == room
            if from_room and not entered.done():
                own = describe_presence(xml)
                if own["error"]:
                    entered.set_exception(Refused(own["error"]))
                elif 110 in own["statusCodes"]:
                    entered.set_result(own)
            return stanza

        self.add_filter("in", watch)
        try:
            to = quoteattr(f"{room}/{nick}")
            self.send_raw(f'<presence to={to}><x xmlns="{MUC}"><history maxstanzas="0"/></x></presence>')
            return await asyncio.wait_for(entered, REQUEST_TIMEOUT)
        finally:
            self.del_filter("in", watch)

    async def leave(self, room, nick):
        self.send_presence(pto=f"{room}/{nick}", ptype="unavailable")

    async def subscribe(self, room, nick):
        event = '<event node="urn:xmpp:mucsub:nodes:messages"/>'
        await self.ask("set", f'<subscribe xmlns="{MUCSUB}" nick={quoteattr(nick)}>{event}</subscribe>', room)

    # --- publish-subscribe ------------------------------------------------------------------------------------

    async def publish(self, node, item, payload, options=None):
        publish = f"<publish node={quoteattr(node)}><item id={quoteattr(item)}>{payload}</item></publish>"
        preconditions = ""
        if options:
            preconditions = f'<publish-options>{form({"FORM_TYPE": PUBLISH_OPTIONS} | options)}</publish-options>'
        await self.ask("set", f'<pubsub xmlns="{PUBSUB}">{publish}{preconditions}</pubsub>')

    async def items(self, jid, node):
        answer = await self.ask("get", f'<pubsub xmlns="{PUBSUB}"><items node={quoteattr(node)}/></pubsub>', jid)
        items = answer.iterfind(f"{{{PUBSUB}}}items/{{{PUBSUB}}}item")
        return [{"id": item.get("id"), "payload": ET.tostring(item[0], encoding="unicode")} for item in items]

    # --- services ---------------------------------------------------------------------------------------------

    async def disco_features(self, jid):
        info = await self.ask("get", f'<query xmlns="{DISCO_INFO}"/>', jid)
        return [feature.get("var") for feature in info.iterfind(f"{{{DISCO_INFO}}}feature")]

    async def services(self, jid):
        found = await self.ask("get", f'<query xmlns="{DISCO_ITEMS}"/>', jid)
        return [item.get("jid") for item in found.iterfind(f"{{{DISCO_ITEMS}}}item")]

    async def external_services(self, domain):
        found = await self.ask("get", f'<services xmlns="{EXTERNAL_SERVICES}"/>', domain)
        return [dict(service.attrib) for service in found.iterfind(f"{{{EXTERNAL_SERVICES}}}service")]

    async def upload_slot(self, service, name, size):
        request = f'<request xmlns="{UPLOAD}" filename={quoteattr(name)} size="{int(size)}"/>'
        slot = await self.ask("get", request, service)
        return {way: slot.find(f"{{{UPLOAD}}}{way}").get("url") for way in ("put", "get")}

    async def carbons(self):
        await self.ask("set", f'<enable xmlns="{CARBONS}"/>')

    async def enable_push(self, service, node, secret):
        options = form({"FORM_TYPE": PUBLISH_OPTIONS, "secret": secret})
        target = f"jid={quoteattr(service)} node={quoteattr(node)}"
        await self.ask("set", f'<enable xmlns="{PUSH}" {target}>{options}</enable>')


# What a story may call on a client, by the name that it uses.
METHODS = (
    "close cut resume iq presence message send_xml contacts add_contact set_vcard vcard store_private private archive"
    " join leave subscribe publish items disco_features services external_services upload_slot carbons enable_push"
).split()


class Driver:
    def __init__(self):
        self.clients = {}

    def write(self, **line):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    async def perform(self, client, method, params):
        if method == "connect":
            def report(event, data):
                self.write(client=client, event=event, data=data)

            where = {key: params.pop(key) for key in ("host", "port", "direct_tls")}
            self.clients[client] = Client(report, **params)
            return await self.clients[client].open(**where)
        if method not in METHODS:
            raise Refused("unknown-method", method)
        return await getattr(self.clients[client], method)(**params)

    async def answer(self, request):
        try:
            result = await self.perform(request["client"], request["method"], request["params"])
            self.write(id=request["id"], result=result)
        except Refused as refused:
            self.write(id=request["id"], error={"condition": refused.condition, "text": refused.text})
        except asyncio.TimeoutError:
            self.write(id=request["id"], error={"condition": "no-answer", "text": request["method"]})
        except Exception as error:  # a fault of this file: the story must fail with it, not hang
            self.write(id=request["id"], error={"condition": "fault", "text": repr(error)})

    async def run(self):
        lines = asyncio.StreamReader(limit=1 << 24)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        running = set()
        while line := await lines.readline():
            task = asyncio.create_task(self.answer(json.loads(line)))
            running.add(task)
            task.add_done_callback(running.discard)


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    asyncio.run(Driver().run())
