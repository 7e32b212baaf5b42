"""What the scenarios say, in terms of the SDK's client."""

from __future__ import annotations

import json
from pathlib import Path

from behave import given, then, when
from behave.runner import Context
from openfeature import api
from openfeature.evaluation_context import EvaluationContext

import allotment
from allotment.openfeature import AllotmentProvider

CATALOG = Path(__file__).parents[1] / "flags.yaml"


@given("a client whose provider is ready")
def ready(context: Context) -> None:
    api.set_provider_and_wait(AllotmentProvider(allotment.load(CATALOG)))
    context.client = api.get_client()
    context.key, context.attributes = None, {}


@given('the targeting key "{key}"')
def targeting_key(context: Context, key: str) -> None:
    context.key = key


@given("a targeting key of {count:d} letters")
def long_key(context: Context, count: int) -> None:
    context.key = "x" * count


@given('the context has "{name}" with the value {value}')
def attribute(context: Context, name: str, value: str) -> None:
    context.attributes[name] = json.loads(value)


@when('the {kind} flag "{key}" is asked for with the default {default}')
def asked(context: Context, kind: str, key: str, default: str) -> None:
    ask = getattr(context.client, f"get_{kind}_details")
    asked_with = EvaluationContext(context.key, context.attributes)
    context.details = ask(key, json.loads(default), asked_with)


@then("the value is {value}")
def has_value(context: Context, value: str) -> None:
    wanted, found = json.loads(value), context.details.value
    assert (found, type(found)) == (wanted, type(wanted)), found


@then('the variant is "{variant}"')
def has_variant(context: Context, variant: str) -> None:
    assert context.details.variant == variant, context.details


@then('the reason is "{reason}"')
def has_reason(context: Context, reason: str) -> None:
    assert context.details.reason == reason, context.details


@then("there is no error")
def has_no_error(context: Context) -> None:
    assert context.details.error_code is None, context.details


@then('the error is "{code}" and says "{text}"')
def has_error(context: Context, code: str, text: str) -> None:
    assert context.details.error_code == code, context.details
    assert text in context.details.error_message, context.details


@then(
    'the metadata has the experiment "{experiment}", the treatment "{treatment}" '
    "and the iteration {iteration:d}"
)
def has_metadata(context: Context, experiment: str, treatment: str, iteration: int) -> None:
    found = context.details.flag_metadata
    names = ("experiment", "treatment", "iteration", "reason")
    assert [found[name] for name in names] == [experiment, treatment, iteration, "ALLOCATED"]
