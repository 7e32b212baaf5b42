"""What hostile clients send. Each comes with the mark, which no refusal may give back."""

from __future__ import annotations

MARK = "h0st1le"

# Whole bodies that are no JSON of ours: each is refused, whatever the operation.
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "NaN": b'{"where": NaN}',
    "infinity": b'{"where": -Infinity}',
    "a number beyond doubles": b'{"where": 1e999}',
    "an integer of 5,000 digits": b'{"where": ' + b"9" * 5_000 + b"}",
    "a lone surrogate": b'{"where": "h0st1le\\ud800"}',
    "a lone surrogate in a name": b'{"where\\udfff": 1}',
    "a repeated name": b'{"where": 1, "where": 2}',
    "bytes that are not UTF-8": b'{"where": "\xff\xfe"}',
    "an encoded surrogate": b'{"where": "\xed\xa0\x80"}',
    "UTF-16": '{"where": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"where": 1}',
    "a depth of 3,000": b'{"where": ' + b"[" * 3_000 + b"]" * 3_000 + b"}",
    "an open end": b'{"where": ',
    "two documents": b'{"where": 1}{"where": 2}',
    "single quotes": b"{'where': 'h0st1le'}",
    "a comment": b'{"where": 1} // h0st1le',
    "a raw control character": b'{"where": "\x00\x1b[31m"}',
    "a form": b"h0st1le=1&name=h0st1le",
    "a list": b'["h0st1le"]',
    "a text": b'"h0st1le"',
    "null": b"null",
}

# JSON text of values to stand in the place of any other.
VALUES: dict[str, str] = {
    "null": "null",
    "true": "true",
    "minus one": "-1",
    "minus zero": "-0.0",
    "a fraction": "33.5",
    "2 to the 63rd": "9223372036854775808",
    "2 to the 53rd and a half": "9007199254740993.5",
    "a small number": "1e-320",
    "a large number": "1e308",
    "nothing": '""',
    "a space": '" "',
    "spaces around": '" h0st1le "',
    "NUL": '"h0st1le\\u0000h0st1le"',
    "a newline": '"h0st1le\\r\\nSet-Cookie: h0st1le=1"',
    "a terminal's escape": '"\\u001b[2Jh0st1le"',
    "right to left": '"\\u202eh0st1le"',
    "not normalised": '"h0st1lee\\u0301"',
    "beyond the first plane": '"h0st1le\\ud83d\\ude00"',
    "SQL": '"h0st1le\'); DROP TABLE document; --"',
    "a path": '"../../../../etc/h0st1le"',
    "a template": '"{{7*7}}h0st1le${7*7}%s%n"',
    "markup": '"<script>h0st1le</script>"',
    "a long text": '"' + "h0st1le" * 3_000 + '"',
    "a long name": '{"' + "h0st1le" * 3_000 + '": 1}',
    "a prototype": '{"__proto__": {"where": true}}',
    "an empty object": "{}",
    "an empty list": "[]",
    "a long list": "[" + ",".join(["1"] * 5_000) + "]",
    "a deep list": "[" * 31 + "]" * 31,
    "a pattern that doubles": '{"matches": "^(h0st1le+)+$"}',
    "a pattern that explodes": '{"matches": ["((h0st1le{100}){100}){100}"]}',
}

# What a part of a path or a query may hold, percent-encoded.
TEXTS: dict[str, str] = {
    "bytes that are not UTF-8": "%FF%FE",
    "an encoded surrogate": "%ED%A0%80",
    "an overlong form": "%C0%AF",
    "NUL": "h0st1le%00",
    "half an escape": "h0st1le%",
    "no escape": "h0st1le%zz",
    "a newline": "h0st1le%0d%0aSet-Cookie:%20h0st1le",
    "a slash": "..%2f..%2fh0st1le",
    "nothing": "",
    "a long text": "h0st1le" * 400,
    "a number": "99999999999999999999999999",
    "minus one": "-1",
    "a fraction": "1.5",
    "another script's digit": "%D9%A3",
    "JSON": "%7B%22h0st1le%22%3ANaN%7D",
}

# Values of headers, as bytes.
HEADERS: dict[str, bytes] = {
    "nothing": b"",
    "a text": b"h0st1le",
    "bytes beyond ASCII": b"h0st1le\xff\xfe",
    "a quote that is open": b'"h0st1le',
    "a weak tag": b'W/"1"',
    "a negative number": b"-1",
    "a huge number": b"9" * 40,
    "a fraction": b"1.5",
    "a list": b'"1", "2", *, ,,',
    "a long text": b"h0st1le" * 500,
    "slashes": b"h0st1le/../h0st1le",
}
NAMES = (
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Allotment-Space",
    "Allotment-Min-Revision",
    "Accept",
    "Accept-Encoding",
    "Content-Type",
    "Content-Encoding",
    "Range",
    "X-Request-Id",
    "X-HTTP-Method-Override",
    "Traceparent",
)
