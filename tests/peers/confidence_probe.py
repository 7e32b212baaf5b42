"""Asks the resolver in Confidence's provider, with a state in memory, and answers on standard
output as JSON: the variant and the value of each flag."""

import base64
import json
import sys
from importlib import resources

from confidence.local_resolver import LocalResolver
from confidence.proto.confidence.flags.admin.v1 import resolver_pb2
from confidence.proto.confidence.wasm import wasm_api_pb2
from google.protobuf import json_format

asked = json.load(sys.stdin)
client = resolver_pb2.ClientResolverState()
client.ParseFromString(base64.b64decode(asked["payload"]))
state = resolver_pb2.ResolverState()
state.ParseFromString(client.state)
secret = state.client_credentials.add(name=f"{state.clients[0].name}/clientCredentials/one")
secret.client_secret.secret = "secret"
wasm = resources.files("confidence").joinpath("wasm/confidence_resolver.wasm").read_bytes()
resolver = LocalResolver(wasm)
resolver.set_resolver_state(
    state.SerializeToString(), client.account, disable_exposure_collection=True
)


def answers(unit, attributes):
    """What each flag answers; a flag that gives no variant gives what the caller gave."""
    request = wasm_api_pb2.ResolveProcessRequest()
    resolve = request.without_materializations
    resolve.client_secret = "secret"
    resolve.flags.extend(f"flags/{flag}" for flag in asked["flags"])
    json_format.ParseDict({"targeting_key": unit, **attributes}, resolve.evaluation_context)
    resolved = resolver.resolve_process(request).resolved.response.resolved_flags
    found = {each.flag.removeprefix("flags/"): each for each in resolved}
    return [answer(found[flag]) for flag in asked["flags"]]


def answer(flag):
    if not flag.variant:
        return asked["default"]
    return [flag.variant.split("/")[-1], json_format.MessageToDict(flag.value)]


json.dump([answers(unit, attributes) for unit, attributes in asked["units"]], sys.stdout)
