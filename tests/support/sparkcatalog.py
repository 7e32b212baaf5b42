"""A catalog for Spark: two experiments in one layer, one that draws as another platform does, and
one that keeps."""

from __future__ import annotations

from dataclasses import replace

import allotment

KEYS = ("checkout", "search", "price-page", "welcome")

_TEXT = """
allotment: 1
segments:
  nordic-adults:
    rules:
      - all:
          - {attribute: country, in: [SE, "NO", DK, FI]}
          - {attribute: age, at_least: 21}
  paying:
    rules:
      - all:
          - {attribute: account.plan, in: [pro, team]}
layers:
  pages:
    reservations: {checkout: 60%, search: 30%}
holdouts:
  untouched: {share: 5%}
experiments:
  checkout:
    state: running
    treatments: {control: {control: true}, green: {}}
    allocations:
      - weights: {control: 50, green: 50}
  search:
    state: running
    audience: nordic-adults
    treatments: {control: {control: true}, fuzzy: {}, exact: {}}
    allocations:
      - weights: {control: 1, fuzzy: 1, exact: 1}
        of: 3
  price-page:
    state: running
    profile: growthbook-2
    salt: price-page
    holdout: untouched
    treatments: {control: {control: true}, lower: {}}
    allocations:
      - {key: payers, segment: paying, weights: {control: 10, lower: 90}}
      - {key: others, fallback: true, weights: {control: 90, lower: 10}}
  welcome:
    state: running
    keeps_assignments: true
    treatments: {control: {control: true}, long: {}}
    allocations:
      - weights: {control: 99, long: 1}
"""


def engine_at(revision: int) -> allotment.Engine:
    """An engine of the catalog at a revision."""
    catalog = allotment.load(_TEXT).catalog
    return allotment.load(replace(catalog, revision=revision))
