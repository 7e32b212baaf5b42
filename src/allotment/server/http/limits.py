"""The limits of what comes over HTTP, in one block, each with its reason.

What a request may say is limited here; what a catalog may hold, in `model/limits.py`.
"""

from __future__ import annotations

from typing import Final

# The latest revision that a request may name.
REVISION_MAX: Final = 10**17

# The most a client sends honestly: cookies and traces of a proxy or two fit four times over.
HEAD_BYTES_MAX: Final = 16 * 1024
HEADERS_MAX: Final = 100

# A unit key of 1,024 bytes, every one of them escaped, and a query beside it.
TARGET_BYTES_MAX: Final = 8 * 1024

# Reading a megabyte of JSON keeps the event loop for some ten milliseconds; a batch is read in
# pieces off the loop, and its memory is bounded whatever its size.
BODY_BYTES_MAX: Final = 1 << 20
BATCH_BYTES_MAX: Final = 64 << 20

# A request of so many bytes is answered on the event loop, unless one of its experiments may take
# longer than so many nanoseconds with it; a larger one in a thread. None may take more than ten
# seconds of one: these are what it takes at the worst, and usually it is a tenth.
SMALL_BYTES: Final = 1024
ON_LOOP: Final = 10_000_000
REQUEST_NANOSECONDS_MAX: Final = 10_000_000_000

# What may hold a list of ids, or a whole catalog.
LISTS_BYTES_MAX: Final = 64 << 20

# A value or a name in a body takes some 60 to 90 bytes once it is read, so a body becomes 700 MB at
# the most. 100,000 experiments as commands, or seven lists of a million ids, fit.
BODY_VALUES_MAX: Final = 8_000_000

# A condition may be nested 32 deep, and each level of it is an object and a list. It is looked at
# before a body is decoded: Python objects that nest some hundred deep are not safe to free.
BODY_DEPTH_MAX: Final = 96

# What is kept of the bodies and the large answers of all requests of a process together, until
# each is answered. A value or a name counts as so many bytes beside its own: what is made of a body
# takes three to four times what is counted. The largest body fits alone.
BODIES_BYTES_MAX: Final = 256 << 20
VALUE_BYTES: Final = 24

# Answers are written in pieces of so many bytes, each when the client has taken most of the one
# before. A larger answer counts against the bytes above.
PIECE_BYTES: Final = 256 << 10

# What an event stream's reader may leave unread before the stream sends no more: some ten events.
STREAM_BYTES: Final = 4 << 10

# A page of the journal ends early when its changes, as they are stored, have so many bytes; a
# larger change is a page of its own. What is made of it takes some ten times as much.
PAGE_BYTES_MAX: Final = 8 << 20

# Bodies with the caller's secret in them that one address may be sending at once. Behind a proxy
# all callers have one address, but a proxy sends a body when it has it whole, and so all at once.
STRANGERS_MAX: Final = 64

# Who sends a body more slowly than a modem of 1990 holds a connection, and means to.
BODY_BYTES_A_SECOND_MIN: Final = 1024

# Requests that one connection may send ahead of their answers; browsers and proxies send none.
PIPELINED_MAX: Final = 100

# Connections of one process, at some 5 KB each; the open files that are not for connections; and
# the part of the connections that event streams may take, so that others can still connect.
CONNECTIONS_MAX: Final = 20_000
FILES_OF_OURS: Final = 100
STREAMS_PART: Final = 2

# How long an answer may lie without its reader taking any of it, and how much of it a reader takes
# at the least while it is waited for: two lines of ISDN. So none holds a large answer, which counts
# against the bytes above, for longer than its size explains.
UNREAD_SECONDS: Final = 30.0
READ_BYTES_A_SECOND_MIN: Final = 16 << 10

# How long a client whose request is answered may go on sending it: to read the answer, most first
# send all they have.
LINGER_SECONDS: Final = 10.0
