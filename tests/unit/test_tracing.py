"""One trace leads from the sender's request to the delivery."""

import json
import time

import aiohttp
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from test_destinations import SECRET, Recorder, gateway_of, settled

from odoorway import tracing
from odoorway.settings import Settings
from odoorway.sources import hmac, sign
from odoorway.testing import SandboxOdoo
from odoorway.wiring import running

SENDERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """Keep the spans; OpenTelemetry takes one provider a process."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    return kept


async def test_from_the_request_to_the_delivery(exporter: InMemorySpanExporter) -> None:
    """The sender's trace goes on in the request, and in every delivery of its event."""
    async with SandboxOdoo() as one, Recorder() as erp:
        settings = Settings(
            journal="memory", port=0, console_port=-1, odoo_url=one.url, odoo_database="sandbox",
            odoo_api_key="sandbox-key",
        )  # fmt: skip
        environ = {"SECOND_URL": one.url, "KEY": "sandbox-key"}
        async with running(gateway_of(erp=erp.url), settings, environ) as served:
            definition = hmac.source(secret=SECRET, header="X-Signature", topic="header:X-Topic")
            body = json.dumps({"id": 1, "name": "x"}).encode()
            headers = sign(
                definition, SECRET, body, topic="lead", event_id="1", now=time.time()
            ) | {"traceparent": SENDERS}
            async with aiohttp.ClientSession() as session:
                await session.post(f"{served.url}/in/shop", data=body, headers=headers)
            await settled(served.journal, 3)
    spans = exporter.get_finished_spans()
    received, *delivered = sorted(spans, key=lambda span: span.name != "receive")
    assert {format(span.context.trace_id, "032x") for span in spans} == {SENDERS.split("-")[1]}
    assert {span.parent.span_id for span in delivered if span.parent} == {received.context.span_id}
    told = {(s.attributes["odoorway.destination"], s.attributes["odoorway.outcome"])
            for s in delivered if s.attributes}  # fmt: skip
    assert told == {("odoo", "delivered"), ("second", "delivered"), ("erp", "delivered")}


def test_without_a_trace_nothing_is_added(exporter: InMemorySpanExporter) -> None:
    """An event from before, or without the extra, has no traceparent."""
    before = len(exporter.get_finished_spans())
    tracing.delivered(None, 1.0, 2.0, outcome="delivered")
    assert len(exporter.get_finished_spans()) == before
