"""OpenTelemetry traces, with the extra ``odoorway[otel]``; without it nothing happens.

One trace leads from the request to the delivery: the request's span is kept with its event, as a
``traceparent`` header, and the delivery's span continues it, hours later if need be.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

try:
    from opentelemetry import propagate, trace
except ImportError:  # the extra is not installed
    trace = None  # type: ignore[assignment]  # asked for before each use

HEADER = "traceparent"
_NAME = "odoorway"


def start() -> None:
    """Send traces where OpenTelemetry's own variables say, when they say so."""
    if trace is None or not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": _NAME}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


@contextmanager
def receiving(headers: Mapping[str, str], source: str) -> Iterator[str]:
    """Trace a request, in the sender's trace where it names one; give the ``traceparent`` to keep.

    It is empty where nothing is traced.
    """
    if trace is None:
        yield ""
        return
    context = propagate.extract(dict(headers))
    with trace.get_tracer(_NAME).start_as_current_span(
        "receive", context, trace.SpanKind.SERVER, {"odoorway.source": source}
    ):
        carried: dict[str, str] = {}
        propagate.inject(carried)
        yield carried.get(HEADER, "")


def delivered(traceparent: str | None, began: float, ended: float, **facts: str | int) -> None:
    """Add a delivery's span to the trace of its event; times are Unix seconds."""
    if trace is None or not traceparent:
        return
    context = propagate.extract({HEADER: traceparent})
    attributes = {f"odoorway.{name}": value for name, value in facts.items()}
    span = trace.get_tracer(_NAME).start_span(
        "deliver", context, trace.SpanKind.CLIENT, attributes, start_time=int(began * 1e9)
    )
    if facts.get("outcome") in {"dead", "retry"}:
        span.set_status(trace.StatusCode.ERROR, str(facts.get("code", "")))
    span.end(int(ended * 1e9))
