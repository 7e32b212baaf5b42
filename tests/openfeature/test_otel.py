"""Evaluations in traces: an event on the span that asks, with the names of the conventions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import allotment
from allotment.openfeature import AllotmentProvider
from allotment.openfeature.otel import EvaluationHook

CATALOG = Path(__file__).parent / "features" / "flags.yaml"


@pytest.fixture(autouse=True)
def with_the_hook() -> Iterator[None]:
    api.set_provider_and_wait(AllotmentProvider(allotment.load(CATALOG)))
    api.add_hooks([EvaluationHook()])
    yield
    api.clear_hooks()
    api.clear_providers()


def test_an_evaluation_is_an_event_of_the_span_that_asks() -> None:
    exporter, traces = InMemorySpanExporter(), TracerProvider()
    traces.add_span_processor(SimpleSpanProcessor(exporter))
    client = api.get_client()
    with traces.get_tracer("test").start_as_current_span("request"):
        client.get_string_value("colour", "none", EvaluationContext("user-1"))
        client.get_boolean_value("colour", False, EvaluationContext("user-1"))
    (span,) = exporter.get_finished_spans()
    found = [(event.name, dict(event.attributes or {})) for event in span.events]
    same = {
        "feature_flag.key": "colour",
        "feature_flag.provider.name": "allotment",
        "feature_flag.context.id": "user-1",
    }
    assert found == [
        (
            "feature_flag.evaluation",
            {
                **same,
                "feature_flag.result.variant": "lime",
                "feature_flag.result.reason": "split",
                "feature_flag.version": "1",
            },
        ),
        (
            "feature_flag.evaluation",
            {
                **same,
                "feature_flag.result.reason": "error",
                "error.type": "type_mismatch",
                "feature_flag.error.message": (
                    "the flag 'colour' is a string, and a boolean was asked for"
                ),
            },
        ),
    ]


def test_the_names_are_those_of_the_conventions() -> None:
    from opentelemetry.semconv._incubating.attributes import feature_flag_attributes as names

    from allotment.openfeature import otel

    ours = {value for name, value in vars(otel).items() if str(value).startswith("feature_flag.")}
    theirs = {value for name, value in vars(names).items() if name.startswith("FEATURE_FLAG_")}
    assert ours - theirs == {otel.EVENT}


def test_without_a_span_nothing_is_said() -> None:
    client = api.get_client()
    assert client.get_string_value("colour", "none", EvaluationContext("user-1")) == "green"
