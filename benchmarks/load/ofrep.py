"""`python -m benchmarks.load.ofrep`: OFREP beside `POST /v1/assign`, on one server.

Runs of the questions alternate, so that what else the machine does meets all of them. The claim is
about the middle one of the ratios of processor time a request.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import httpx

from allotment.change.apply import apply
from allotment.change.commands import Create, OrderExperiments
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Treatment
from allotment.model.flag import Flag, FlagExperiment, Variation
from benchmarks.catalogs import COUNTRIES, catalog
from benchmarks.harness import UNITS
from benchmarks.load import wrk
from benchmarks.load.questions import Question
from benchmarks.load.servers import TOKEN, ours
from benchmarks.machine import machine

FLAGS = 100
VARIATIONS = (Variation("off", "false"), Variation("on", "true"))

ASSIGN = "POST /v1/assign, one experiment"
BOUNDS = {
    "OFREP, one flag": 1.3,
    f"OFREP, all of {FLAGS} flags": 3.0,
    f"OFREP, all of {FLAGS} flags, 304": 3.0,
}


def flags() -> Catalog:
    """A hundred flags, each with an experiment of its own."""
    plain = catalog(FLAGS, segments=10)
    made: list[Create | OrderExperiments] = [Create(segment) for segment in plain.segments.values()]
    for number in range(FLAGS):
        flag, key = f"flag_{number}", f"exp_{number}"
        made.append(Create(Flag(flag, VARIATIONS, "off")))
        experiment = plain.experiments[key]
        (iteration,) = experiment.iterations
        names = {"control": "off", "blue": "on", "green": "on"}
        treatments = tuple(
            Treatment(each.key, sets=((flag, names[each.key]),)) for each in iteration.treatments
        )
        allocations = tuple(replace(each, slots=()) for each in iteration.allocations)
        iteration = replace(iteration, salt="", treatments=treatments, allocations=allocations)
        made.append(Create(replace(experiment, iterations=(iteration,))))
        made.append(OrderExperiments(flag, (FlagExperiment(key),)))
    return apply(EMPTY, made).catalog


def questions() -> dict[str, Question]:
    """What is asked, by name."""
    visitors = [(unit, COUNTRIES[at % len(COUNTRIES)]) for at, unit in enumerate(UNITS[:256])]
    assigned = [
        {"unit": unit, "attributes": {"country": country}, "experiment": "exp_0"}
        for unit, country in visitors
    ]
    evaluated = [
        {"context": {"targetingKey": unit, "country": country}} for unit, country in visitors
    ]
    one, all_, unchanged = BOUNDS
    targets = {
        ASSIGN: ("/v1/assign", assigned),
        one: ("/ofrep/v1/evaluate/flags/flag_0", evaluated),
        all_: ("/ofrep/v1/evaluate/flags", evaluated),
        unchanged: ("/ofrep/v1/evaluate/flags", evaluated[:1]),
    }
    return {
        name: Question(name, "POST", [target], [json.dumps(body).encode() for body in bodies])
        for name, (target, bodies) in targets.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.ofrep", description=__doc__)
    parser.add_argument("--seconds", type=int, default=1, help="how long a run takes")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each question")
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    if not wrk.is_installed():
        print("this needs wrk (Debian: apt-get install wrk)", file=sys.stderr)
        return 2
    cpu: dict[str, list[float]] = {name: [] for name in questions()}
    with tempfile.TemporaryDirectory() as folder, ours(Path(folder), shown=flags()) as server:
        scripts = {}
        for at, (name, question) in enumerate(questions().items()):
            scripts[name] = Path(folder) / f"{at}.lua"
            more = {"If-None-Match": _tag(server.url, question)} if "304" in name else {}
            wrk.write_script(question, TOKEN, scripts[name], **more)
            wrk.run(server.url, scripts[name], options.seconds, options.connections)
        for _ in range(options.rounds):
            for name, script in scripts.items():
                before = server.cpu
                run = wrk.run(server.url, script, options.seconds, options.connections)
                cpu[name].append((server.cpu - before) * 1e6 / run.requests)
    print(machine())
    print(f"{ASSIGN}: {statistics.median(cpu[ASSIGN]):.1f} us of CPU a request")
    holds = True
    for name, bound in BOUNDS.items():
        ratios = [ours_ / its for ours_, its in zip(cpu[name], cpu[ASSIGN], strict=True)]
        ratio = statistics.median(ratios)
        holds &= ratio <= bound
        print(f"{name}: {statistics.median(cpu[name]):.1f} us, {ratio:.2f} x (at most {bound})")
    return 0 if holds else 1


def _tag(url: str, question: Question) -> str:
    """The entity tag of an answer, which the requests then send."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    target, body = question.targets[0], question.bodies[0]
    return httpx.post(f"{url}{target}", content=body, headers=headers).headers["etag"]


if __name__ == "__main__":
    sys.exit(main())
