"""Seeded faults: each is planted in a copy of the tree, and the tests must fail on it.

`python tests/mutants.py [WORD...]` plants those whose names contain one of the words. A fault that
survives is a hole in the tests; the exit code is then 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutant:
    """One fault: in `file`, the only occurrence of `good` becomes `bad`; `tests` must notice."""

    name: str
    file: str
    good: str
    bad: str
    tests: str


MUTANTS = [
    Mutant(
        "a bucket on the bound counts as below it",
        "csrc/decide.h",
        "(lasts[2] < draw)",
        "(lasts[2] <= draw)",
        "tests/laws tests/kernel",
    ),
    Mutant(
        "enrolment and treatment share a salt",
        "src/allotment/compile/experiment.py",
        "kernel_draw(treatment_draw(iteration)",
        "kernel_draw(enrolment_draw(iteration)",
        "tests/laws",
    ),
    Mutant(
        "allocations are asked in reverse",
        "src/allotment/compile/experiment.py",
        "key=lambda a: a.priority)",
        "key=lambda a: -a.priority)",
        "tests/laws",
    ),
    Mutant(
        "the fallback is dropped",
        "src/allotment/compile/experiment.py",
        "fallback=None if fallback is None else _slots(fallback, index),",
        "fallback=None,",
        "tests/laws",
    ),
    Mutant(
        "the ramp lets one bucket more in",
        "src/allotment/compile/experiment.py",
        "profile_of(draw).bound(iteration.enrolment_ppm)",
        "profile_of(draw).bound(iteration.enrolment_ppm) + 1",
        "tests/laws",
    ),
    Mutant(
        "an override does not keep its unit out of the layer's others",
        "src/allotment/compile/experiment.py",
        "claims=IdSet(claims) if claims else None,",
        "claims=None,",
        "tests/laws",
    ),
    Mutant(
        "a range is lost in reallocation",
        "src/allotment/change/reallocate.py",
        "    dealt = list(kept)\n    takers = iter(growth.items())",
        "    dealt = list(kept)[1:]\n    takers = iter(growth.items())",
        "tests/change",
    ),
    Mutant(
        "remainders go to the later treatment",
        "src/allotment/change/reallocate.py",
        "key=lambda index: -quotas[index][1])",
        "key=lambda index: (-quotas[index][1], -index))",
        "tests/change",
    ),
    Mutant(
        "two reservations may share a bucket",
        "src/allotment/change/check/layer.py",
        "        if start < stop:\n            raise Conflict(",
        "        if start < stop - 1:\n            raise Conflict(",
        "tests/change tests/dialects/catalogfile",
    ),
    Mutant(
        "a segment's exclude list is not asked",
        "src/allotment/matching/program.py",
        "if segment.exclude and segment.rules:",
        "if segment.exclude and not segment.rules:",
        "tests/matching tests/laws",
    ),
    Mutant(
        "a commit does not catch up with what others committed",
        "src/allotment/store/store.py",
        "before = {name: self._latest(connection, name, latest[name]) for name in latest}",
        "before = {name: self._known.get(name) or Stored(name) for name in latest}",
        "tests/store",
    ),
    Mutant(
        "a commit does not wait for the one before it",
        "src/allotment/store/spaces.py",
        "query = query.with_for_update(key_share=True)",
        "query = query.with_only_columns(*query.selected_columns)",
        "tests/store/test_interleaving.py",
    ),
    Mutant(
        "a commit is not synced",
        "src/allotment/store/sqlite.py",
        "PRAGMA synchronous = FULL",
        "PRAGMA synchronous = NORMAL",
        "tests/store/test_sqlite.py",
    ),
    Mutant(
        "a change that expects an earlier version is made",
        "src/allotment/server/writes/conditions.py",
        "if not has_version(tags, version):",
        "if tags is None:",
        "tests/server/native/test_commands.py",
    ),
    Mutant(
        "a last good file that is torn is loaded",
        "src/allotment/durable.py",
        "if head != kind + sha256(body).hexdigest().encode():",
        "if not head.startswith(kind):",
        "tests/store/test_lastgood.py",
    ),
    Mutant(
        "half a change is committed by itself",
        "src/allotment/store/commit.py",
        "    head = journal.write(connection, before.space, entry, before.head)\n",
        '    connection.exec_driver_sql("COMMIT")\n'
        '    connection.exec_driver_sql("BEGIN IMMEDIATE")\n'
        "    head = journal.write(connection, before.space, entry, before.head)\n",
        "tests/faults/test_crash.py"
        "::test_what_sqlite_acknowledged_survives_kill_9_and_nothing_is_half_there",
    ),
    Mutant(
        "a node goes back to an earlier revision",
        "src/allotment/server/sync/spaces.py",
        "elif served.revision < stored.catalog.revision:",
        "elif served.revision != stored.catalog.revision:",
        "tests/faults/test_two_nodes.py",
    ),
    Mutant(
        "a revision that is asked for is not waited for",
        "src/allotment/server/sync/node.py",
        "if self.served(space).revision >= revision:",
        "if self.served(space).revision >= 0:",
        "tests/faults/test_two_nodes.py",
    ),
    Mutant(
        "a thread ends when a step fails",
        "src/allotment/server/sync/threads.py",
        "except Exception as error:",
        "except ZeroDivisionError as error:",
        "tests/faults/test_postgresql.py",
    ),
    Mutant(
        "a store that hangs is waited for",
        "src/allotment/server/sync/follower.py",
        "_SILENCE_SECONDS: Final = 1.0",
        "_SILENCE_SECONDS: Final = 1e9",
        "tests/faults/test_postgresql.py",
    ),
    Mutant(
        "a store that was put back is followed",
        "src/allotment/store/lineage.py",
        "if found == known.lineage:",
        "if found == known.lineage or lineage_at is None:",
        "tests/faults/test_wrong_store.py",
    ),
    Mutant(
        "an empty store is served where the last good file is not empty",
        "src/allotment/server/sync/node.py",
        "not any(each.revision for each in self.spaces.values())",
        "not self.spaces",
        "tests/faults/test_wrong_store.py",
    ),
    Mutant(
        "the last good file before the last is not loaded",
        "src/allotment/durable.py",
        "    yield path\n    yield _previous(path)\n",
        "    yield path\n",
        "tests/faults/test_last_good.py",
    ),
    Mutant(
        "a listed id that was pushed off its place is not found",
        "csrc/idset.h",
        "while (set->slots[place] < hash) {",
        "while (set->slots[place] < hash && place < home + 1) {",
        "tests/kernel tests/laws",
    ),
    Mutant(
        "true counts as 1",
        "src/allotment/matching/index.py",
        "equal = self._flags if isinstance(value, bool) else self._others",
        "equal = self._others",
        "tests/matching",
    ),
    Mutant(
        "a sample excludes only those whose tags it names",
        "src/allotment/model/segment.py",
        "return bool(named or set(other.exclusive_to) & set(self.tags))",
        "return bool(named)",
        "tests/change/test_samples.py tests/laws/test_samples.py",
    ),
    Mutant(
        "what another node kept first is not read back",
        "src/allotment/store/sticky.py",
        "    return read(connection, space, given)",
        "    return {sticky_key: Kept(given[sticky_key], revision, at) for sticky_key in given}",
        "tests/store/test_sticky.py",
    ),
    Mutant(
        "a masked field that the body lacks stays",
        "src/allotment/dialects/wire/mask.py",
        "            found.pop(name, None)",
        "            pass",
        "tests/dialects/wire/test_mask.py",
    ),
    Mutant(
        "rows of another iteration are left out without a word",
        "src/allotment/cli/kept_file.py",
        "others = [p for p in places if numbers[p] not in (None, live.number)]",
        "others: list[int] = []",
        "tests/cli/test_import_assignments.py",
    ),
    Mutant(
        "a JSON patch passes for a semantic one",
        "src/allotment/server/launchdarkly.py",
        "if not request.app.state.settings.launchdarkly_lenient and not _is_semantic(request):",
        "if request.app.state.settings.launchdarkly_lenient is None:",
        "tests/dialects/launchdarkly/test_refusals.py",
    ),
    Mutant(
        "an experiment that does not run ends its flag's list",
        "src/allotment/engine/resolve.py",
        "if place.otherwise is not None and passed:",
        "if place.otherwise is not None and reason is None:",
        "tests/engine",
    ),
    Mutant(
        "to edit a draft deals it anew",
        "src/allotment/dialects/launchdarkly/iterations.py",
        "if old is experiment.draft and reshuffle is old.reshuffle:",
        "if old is None:",
        "tests/laws/views",
    ),
    Mutant(
        "live weights may shrink through Confidence",
        "src/allotment/change/lifecycle.py",
        'Event.WEIGHTS_DOWN:   ("nalc", "n", ',
        'Event.WEIGHTS_DOWN:   ("nalc", "nc",',
        "tests/dialects/confidence/test_live.py",
    ),
    Mutant(
        "SQL compares with the last draw of the bucket before",
        "src/allotment/sql/draw.py",
        "first = -(-bucket * 2**profile.bits // self.buckets)",
        "first = bucket * 2**profile.bits // self.buckets",
        "tests/sql/test_draw.py",
    ),
    Mutant(
        "SQL forgets who is overridden in another experiment of the layer",
        "src/allotment/sql/checks.py",
        "yield any_of([claimed, negated(ours)]), Reason.NOT_IN_LAYER",
        "yield negated(ours), Reason.NOT_IN_LAYER",
        "tests/sql",
    ),
    Mutant(
        "SQL asks no column for its type",
        "src/allotment/sql/columns.py",
        "    return dialect.refuse(holds, joined(said, found))",
        "    return exp.true()",
        "tests/sql/test_columns.py",
    ),
    Mutant(
        "SQL takes NaN for a number",
        "src/allotment/sql/columns.py",
        "if kind is Kind.FLOAT:",
        "if kind is Kind.BOOLEAN:",
        "tests/sql/test_exact.py",
    ),
    Mutant(
        "SQL orders versions by their texts",
        "src/allotment/sql/version.py",
        "exp.and_(same, compare(this=part.copy(), expression=text(bound))),",
        "compare(this=part.copy(), expression=text(bound)),",
        "tests/sql/test_exact.py",
    ),
    Mutant(
        "a file of other columns is read with the rest",
        "src/allotment/frames/together.py",
        "if here != there:",
        "if here == there + there:",
        "tests/frames/test_together.py",
    ),
    Mutant(
        "what a folder says of its rows is not seen by conditions",
        "src/allotment/frames/together.py",
        "attributes = _joined(rows.attributes, asked, count)",
        "attributes = rows.attributes",
        "tests/frames/test_together.py",
    ),
    Mutant(
        "a result may lie among what is read",
        "src/allotment/frames/inputs.py",
        "for each in (path, *path.parents)",
        "for each in ()",
        "tests/frames/test_inputs.py",
    ),
    Mutant(
        "functions of DuckDB follow the engine in the middle of a query",
        "src/allotment/duckdb.py",
        "still = Engine(engine.snapshot)",
        "still = engine",
        "tests/engine/test_duckdb.py",
    ),
    Mutant(
        "an expression of Polars waits for the whole table",
        "src/allotment/polars.py",
        "is_elementwise=True",
        "is_elementwise=False",
        "tests/engine/test_polars.py",
    ),
    Mutant(
        "transitions are counted the other way round",
        "src/allotment/engine/column.py",
        "(names[index // len(others)], others[index % len(others)]): int(tally[index])",
        "(others[index % len(others)], names[index // len(others)]): int(tally[index])",
        "tests/engine/test_column.py",
    ),
    Mutant(
        "a new iteration follows no vendor's profile",
        "src/allotment/dialects/launchdarkly/rollouts.py",
        "if call.account is None:",
        "if call.account is not None:",
        "tests/dialects/launchdarkly/test_rollouts.py",
    ),
    Mutant(
        "a rollout is shown of an experiment in a layer",
        "src/allotment/dialects/launchdarkly/rollouts.py",
        "kept_out = experiment.layer, experiment.holdout, live.audience",
        "kept_out = None, experiment.holdout, live.audience",
        "tests/dialects/launchdarkly/test_rollouts.py",
    ),
    Mutant(
        "a draft keeps the salt of the segment it had",
        "src/allotment/dialects/confidence/instances.py",
        "audience=segment, salt=segment,",
        "audience=segment,",
        "tests/dialects/confidence/test_dealing.py",
    ),
    Mutant(
        "a preview forgets what is kept for units",
        "src/allotment/engine/moves.py",
        "if noun.keeps_assignments and noun.live is not None:",
        "if noun.keeps_assignments and noun.live is None:",
        "tests/server/native/test_preview.py tests/server/sticky/test_sticky_plans.py",
    ),
    Mutant(
        "a form is saved over a change that it has not seen",
        "src/allotment/server/console/changing.py",
        'if version_of(stored, ("experiment", key)) != form.get("version", ""):',
        'if version_of(stored, ("experiment", key)) == "":',
        "tests/server/console/test_changing.py",
    ),
    Mutant(
        "an undo takes back what others changed since, too",
        "src/allotment/server/console/undoing.py",
        "diff(catalog, only_nouns(catalog, then, nouns))",
        "diff(catalog, then)",
        "tests/server/console/test_changing.py",
    ),
]


def plant(mutant: Mutant, tree: Path) -> None:
    file = tree / mutant.file
    text = file.read_text()
    if text.count(mutant.good) != 1:
        raise SystemExit(f"{mutant.name}: {mutant.good!r} stands {text.count(mutant.good)} times")
    file.write_text(text.replace(mutant.good, mutant.bad))
    if mutant.file.startswith("csrc") or mutant.file.endswith(".pyx"):
        build = [sys.executable, "setup.py", "-q", "build_clib", "build_ext", "--inplace"]
        subprocess.run(build, cwd=tree, check=True, capture_output=True)


def is_caught(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        skipped = shutil.ignore_patterns(".git", ".venv*", "__pycache__", "*.parquet")
        shutil.copytree(HOUSE, tree, ignore=skipped)
        plant(mutant, tree)
        environment = {
            **os.environ,
            "PYTHONPATH": str(tree / "src"),
            "ALLOTMENT_TWIN_INPUTS": "50000",
        }
        run = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not soak", *mutant.tests.split()]
        done = subprocess.run(
            run, cwd=tree, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1):
            raise SystemExit(f"{mutant.name}: the tests did not run\n{done.stdout}{done.stderr}")
        return done.returncode == 1


def main(words: list[str]) -> int:
    chosen = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    survivors = []
    for mutant in chosen:
        caught = is_caught(mutant)
        print(f"{'caught  ' if caught else 'SURVIVED'} {mutant.name}", flush=True)
        survivors += [] if caught else [mutant.name]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
