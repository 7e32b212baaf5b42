"""The sequential p-values of the test's own authors, for lists of [counts, shares] on stdin."""

import json
import sys

import numpy as np

np.Inf = np.inf  # numpy 2 has one name for it, and ssrm-test asks for the other

from ssrm_test.ssrm_test import sequential_p_values  # noqa: E402

for line in sys.stdin:
    counts, shares = json.loads(line)
    print(sequential_p_values(np.array([counts]), np.array(shares))[-1])
