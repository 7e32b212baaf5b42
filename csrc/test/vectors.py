"""Writes the native vectors as C tables: python vectors.py native.json > vectors.inc."""

import json
import sys


def u64(digits: str) -> str:
    """A 64-bit constant of hex digits."""
    return f"UINT64_C(0x{digits})"


def text(value: str) -> str:
    """The UTF-8 bytes of a text as a C array and its size."""
    encoded = value.encode()
    numbers = ", ".join(map(str, encoded)) or "0"
    return f"(const uint8_t[]){{{numbers}}}, {len(encoded)}"


def main() -> None:
    """Print one table a kind of vector."""
    with open(sys.argv[1], encoding="utf-8") as file:
        vectors = json.load(file)
    print("static const digest_vector digests[] = {")
    for v in vectors["digests"]:
        unit, salt = map(u64, v["unit_digest"]), map(u64, v["salt_digest"])
        print(f"    {{{text(v['text'])}, {{{', '.join(unit)}}}, {{{', '.join(salt)}}}}},")
    print("};\nstatic const draw_vector draws[] = {")
    for v in vectors["vectors"]:
        place = f"{u64(v['draw'])}, {v['bucket']}"
        print(f"    {{{text(v['salt'])}, {text(v['unit'])}, {place}}},")
    print("};\nstatic const edge_vector edges[] = {")
    for v in vectors["bucket_edges"]:
        print(f"    {{{u64(v['draw'])}, {v['bucket']}}},")
    print("};\nstatic const mix_vector mixes[] = {")
    for v in vectors["mixes"]:
        unit, salt = map(u64, v["unit_digest"]), map(u64, v["salt_digest"])
        print(f"    {{{{{', '.join(unit)}}}, {{{', '.join(salt)}}}, {u64(v['draw'])}}},")
    print("};")


if __name__ == "__main__":
    main()
