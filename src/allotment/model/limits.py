"""All limits, each with its reason.

They are checked where values are made and asserted again in C (`csrc/allot_limits.h`; a test
compares the two). A limit that is met is an error with a path, never a truncation.
"""

from typing import Final

# The native bucket space: parts per million, fine enough for 0.0001 % and exact for every percent
# with four decimals; a 64-bit draw leaves each bucket a relative error below 1e-13.
BUCKETS: Final = 1_000_000

# Longer keys are almost always a mistake (a token, a whole document) and cost a cache line each.
UNIT_KEY_BYTES_MAX: Final = 1_024

# Documents are JSON, whose readers agree on whole numbers of 64 bits and no more: weights, with
# their sum and total, priorities, numbers of iterations.
WHOLE_MAX: Final = 2**63 - 1

# A noun's key stands in URLs, file names and metrics unescaped.
KEY_BYTES_MAX: Final = 256
NAME_CHARACTERS_MAX: Final = 1_024
TEXT_CHARACTERS_MAX: Final = 16_384

# An outcome is one byte of treatment; a table of more arms cannot be read.
TREATMENTS_MAX: Final = 256
ALLOCATIONS_MAX: Final = 256

# A lookup over 1,024 ranges is ten steps; fifty reweightings of ten arms stay well below it.
RANGES_MAX: Final = 1_024

# The worst legal segment stays within ten times the median cost of a call.
RULES_MAX: Final = 1_000
CLAUSE_VALUES_MAX: Final = 10_000
CONDITION_DEPTH_MAX: Final = 32

# A text or a pattern that others are compared with, but for equality, which hashes it.
COMPARED_CHARACTERS_MAX: Final = 1_024

# RE2 is linear in the text, and the worst legal pattern takes 12 us a character: 0.1 s for this
# many. A longer text matches no pattern.
SUBJECT_CHARACTERS_MAX: Final = 8_192

# A hundred megabytes of keys as text, nine as hashes.
LISTED_IDS_MAX: Final = 1_000_000
OVERRIDES_MAX: Final = 10_000

# More tags than this are a list of units in disguise.
TAGS_MAX: Final = 100

# What a vendor's API sends is as large as its own limits, a few KiB a value; a path holds a key.
KEPT_MAX: Final = 1_000
KEPT_PATH_BYTES_MAX: Final = 1_024
KEPT_CHARACTERS_MAX: Final = 65_536

# The first millisecond that RFC 3339, with its four digits for a year, cannot spell.
INSTANT_END: Final = 253_402_300_800_000

# Memory: a compiled experiment is at most 1 KB.
EXPERIMENTS_MAX: Final = 100_000
ITERATIONS_MAX: Final = 1_000
