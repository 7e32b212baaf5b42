"""Confidence: the resolver in its provider, which is WebAssembly; exposures off."""

from __future__ import annotations

from importlib import resources
from itertools import accumulate
from typing import Any

from confidence.local_resolver import LocalResolver
from confidence.proto.confidence.flags.admin.v1 import resolver_pb2
from confidence.proto.confidence.wasm import wasm_api_pb2
from google.protobuf import json_format


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    def flag(name: str) -> dict[str, Any]:
        assignments = [
            {
                "assignmentId": each,
                "variant": {"variant": f"flags/{name}/variants/{each}"},
                "bucketRanges": [{"lower": end - shares[each], "upper": end}],
            }
            for each, end in zip(shares, accumulate(shares.values()), strict=True)
        ]
        rule = {
            "name": f"flags/{name}/rules/r",
            "segment": f"segments/{name}",
            "enabled": True,
            "assignmentSpec": {"bucketCount": 10_000, "assignments": assignments},
        }
        variants = [
            {"name": f"flags/{name}/variants/{each}", "value": {"treatment": each}}
            for each in shares
        ]
        shown = {"name": f"flags/{name}", "state": "ACTIVE", "clients": ["clients/c"]}
        return {**shown, "variants": variants, "rules": [rule]}

    def segment(name: str, countries: list[str]) -> dict[str, Any]:
        values = [{"stringValue": each} for each in countries]
        attribute = {"attributeName": "country", "setRule": {"values": values}}
        targeting = {"criteria": {"c": {"attribute": attribute}}, "expression": {"ref": "c"}}
        return {"name": f"segments/{name}", "targeting": targeting}

    state = json_format.ParseDict(
        {
            "flags": [flag(name) for name in experiments],
            "segmentsNoBitsets": [segment(*each) for each in experiments.items()],
            "clients": [{"name": "clients/c"}],
            "clientCredentials": [
                {"name": "clients/c/clientCredentials/k", "clientSecret": {"secret": "secret"}}
            ],
        },
        resolver_pb2.ResolverState(),
    )
    wasm = resources.files("confidence").joinpath("wasm/confidence_resolver.wasm").read_bytes()
    resolver = LocalResolver(wasm)
    resolver.set_resolver_state(state.SerializeToString(), "acme", disable_exposure_collection=True)

    def resolved(country: str, unit: str, flags: list[str]) -> Any:
        request = wasm_api_pb2.ResolveProcessRequest()
        asked = request.without_materializations
        asked.client_secret = "secret"
        asked.flags.extend(flags)
        asked.evaluation_context["targeting_key"] = unit
        asked.evaluation_context["country"] = country
        return resolver.resolve_process(request).resolved.response.resolved_flags

    def single(country: str, units: list[str]) -> list[Any]:
        found = [resolved(country, unit, ["flags/exp_0"])[0].variant for unit in units]
        return [variant.rsplit("/", 1)[-1] or None for variant in found]

    def every(country: str, units: list[str]) -> list[Any]:
        return [resolved(country, unit, []) for unit in units]

    def row(flags: Any) -> list[Any]:
        found = {each.flag.split("/")[1]: each.variant.rsplit("/", 1)[-1] for each in flags}
        return [found[name] or None for name in experiments]

    return {"single": single, "all": every, "row": row}
