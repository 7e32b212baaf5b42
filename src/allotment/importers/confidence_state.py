"""The state that Confidence's local resolvers load, from protocol buffers to JSON values.

It is a `ClientResolverState`: an account, and its `ResolverState` as bytes. What decides something
is described here. A field that is not known becomes `field N`, so that what has it is left out;
those of `_BESIDE` are known to decide nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from allotment.errors import InvalidInput, MissingExtra

try:
    from google.protobuf import (
        descriptor_pb2,
        descriptor_pool,
        json_format,
        message_factory,
        struct_pb2,
    )
    from google.protobuf.message import DecodeError, Message
    from google.protobuf.unknown_fields import UnknownFieldSet
except ImportError as error:
    raise MissingExtra(
        "the state of Confidence's resolvers is read with protobuf: "
        "pip install 'allotment[confidence]'"
    ) from error

_STRUCT: Final = "google.protobuf.Struct"
# The fields of a message, each `number:name:type`; a `*` stands for many, and a type that is no
# scalar is another message.
_MESSAGES: Final = {
    "ClientResolverState": "1:state:bytes 2:account:string",
    "ResolverState": "1:flags*:Flag 2:segments_no_bitsets*:Segment 5:bitsets*:PackedBitset "
    "6:clients*:Client",
    "PackedBitset": "1:segment:string 2:gzipped_bitset:bytes 3:full_bitset:bool",
    "Client": "1:name:string 13:managed_context*:Opaque",
    "Flag": "1:name:string 2:schema:StructSchema 3:variants*:Variant 4:state:int32 5:rules*:Rule "
    "12:clients*:string 13:description:string",
    "Variant": f"1:name:string 2:value:{_STRUCT}",
    "Rule": "1:name:string 2:segment:string 5:targeting_key_selector:string 11:enabled:bool "
    "12:assignment_spec:AssignmentSpec 13:materialization_spec:MaterializationSpec "
    "16:environments*:string",
    "MaterializationSpec": "1:write_materialization:string 2:read_materialization:string "
    "3:mode:Opaque",
    "AssignmentSpec": "1:bucket_count:int32 2:assignments*:Assignment",
    "Assignment": "1:assignment_id:string 2:variant:AssignedVariant 3:fallthrough:Opaque "
    "4:client_default:Opaque 5:bucket_ranges*:BucketRange",
    "AssignedVariant": "1:variant:string",
    "BucketRange": "1:lower:int32 2:upper:int32",
    "Segment": "1:name:string 2:targeting:Targeting 3:allocation:Allocation 12:display_name:string",
    "Allocation": "3:exclusivity_tags*:string 4:exclusive_to*:string",
    "Targeting": "1:criteria*:NamedCriterion 2:expression:Expression",
    "NamedCriterion": "1:key:string 2:value:Criterion",
    "Criterion": "1:attribute:AttributeCriterion 2:segment:SegmentCriterion "
    "3:materialized_segment:Opaque",
    "SegmentCriterion": "1:segment:string",
    "AttributeCriterion": "1:attribute_name:string 2:eq_rule:EqRule 3:set_rule:SetRule "
    "4:range_rule:RangeRule 5:any_rule:ListRule 6:all_rule:ListRule 7:starts_with_rule:TextRule "
    "8:ends_with_rule:TextRule 9:contains_rule:TextRule",
    "ListRule": "1:rule:InnerRule",
    "InnerRule": "1:eq_rule:EqRule 2:set_rule:SetRule 3:range_rule:RangeRule "
    "4:starts_with_rule:TextRule 5:ends_with_rule:TextRule 6:contains_rule:TextRule",
    "EqRule": "1:value:Value",
    "SetRule": "1:values*:Value",
    "RangeRule": "1:start_inclusive:Value 2:start_exclusive:Value 3:end_inclusive:Value "
    "4:end_exclusive:Value",
    "TextRule": "1:value:string",
    "Value": "1:bool_value:bool 4:string_value:string 5:timestamp_value:Opaque "
    "6:version_value:Opaque 7:number_value:double 8:list_value:Opaque",
    "Expression": "1:ref:string 2:not:Expression 3:and:Operands 4:or:Operands",
    "Operands": "1:operands*:Expression",
    "StructSchema": "1:schema*:NamedSchema",
    "NamedSchema": "1:key:string 2:value:Schema",
    "Schema": "1:struct_schema:StructSchema 2:list_schema:Opaque 3:int_schema:Opaque "
    "4:double_schema:Opaque 5:string_schema:Opaque 6:bool_schema:Opaque",
    "Opaque": "",  # that it is there is all that is asked
}
# Who made what and when, where logs go, the credentials, and lists of units as Bloom filters, for
# which nothing here asks.
_BESIDE: Final = {
    "ClientResolverState": {4},
    "ResolverState": {7, 8, 10},
    "Client": {2, *range(3, 13)},
    "Flag": {6, 7, 10, 11, 14, 15, 16},
    "Variant": {3, 4, 5, 8, 9, 10},
    "Rule": {4, 6, 7, 10, 14, 15},
    "Segment": {5, 6, 7, 8, 9, 13, 14, 15, 16, 17},
    "Allocation": {1},
    "Opaque": range(1 << 29),
}
PACKAGE: Final = "allotment.confidence"


def decode(data: bytes) -> dict[str, Any]:
    """The JSON values of a state; raises InvalidInput where the bytes are none."""
    client = _parsed("ClientResolverState", data)
    inner = base64.b64decode(client.get("state", ""))
    return {**client, "state": _parsed("ResolverState", inner)}


def _parsed(name: str, data: bytes) -> dict[str, Any]:
    message = CLASSES[f"{PACKAGE}.{name}"]()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise InvalidInput(f"this is no {name} of Confidence's: {error}", "$") from None
    return _plain(message)


def _plain(message: Message) -> dict[str, Any]:
    """The fields that are there, under their names in JSON."""
    shown: dict[str, Any] = {}
    for field, value in message.ListFields():
        many = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        shown[field.json_name] = [*map(_value, value)] if many else _value(value)
    beside = _BESIDE.get(message.DESCRIPTOR.name, ())
    unknown_fields: Any = UnknownFieldSet(message)  # it can be gone through
    for unknown in unknown_fields:
        if unknown.field_number not in beside:
            shown[f"field {unknown.field_number}"] = True
    return shown


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if not isinstance(value, Message):
        return value
    is_struct = value.DESCRIPTOR.full_name == _STRUCT
    return json_format.MessageToDict(value) if is_struct else _plain(value)


def _described() -> Mapping[str, type[Message]]:
    """The classes of the messages, by their names.

    Each is described with presence for every field, so that `false` and "" are told from nothing.
    """
    kinds = descriptor_pb2.FieldDescriptorProto
    scalars = set(kinds.Type.keys())
    file = descriptor_pb2.FileDescriptorProto(
        name="confidence.proto", package=PACKAGE, syntax="proto2",
        dependency=[struct_pb2.DESCRIPTOR.name],
    )  # fmt: skip
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for each in fields.split():
            number, key, kind = each.split(":")
            field = message.field.add(name=key.removesuffix("*"), number=int(number))
            field.label = kinds.LABEL_REPEATED if key.endswith("*") else kinds.LABEL_OPTIONAL
            scalar = f"TYPE_{kind.upper()}"
            if scalar in scalars:
                field.type = kinds.Type.Value(scalar)
            else:
                field.type = kinds.TYPE_MESSAGE
                field.type_name = f".{kind}" if "." in kind else f".{PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClassesForFiles([file.name], pool)


CLASSES: Final = _described()
