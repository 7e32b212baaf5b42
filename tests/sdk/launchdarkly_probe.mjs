// Walk the experiments of npm launchdarkly-api-typescript, from its metrics to its archive.
//
//     node launchdarkly_probe.mjs URL TOKEN, in a folder with the package installed

import { createRequire } from "node:module";

const ld = createRequire(`${process.cwd()}/`)("launchdarkly-api-typescript");

const [url, token] = process.argv.slice(2);
const [P, E, RUN] = ["default", "production", process.pid];
const KEY = (word) => `${word}-${RUN}`;
const SEMANTIC = {
  headers: { "Content-Type": "application/json; domain-model=launchdarkly.semanticpatch" },
};

const made = (api, apiKey = token) => new ld[api](new ld.Configuration({ apiKey, basePath: url }));
const [flags, experiments, layers, holdouts, metrics, groups, environments, other] = [
  ...["FeatureFlagsApi", "ExperimentsApi", "LayersApi", "HoldoutsBetaApi"],
  ...["MetricsApi", "MetricsBetaApi", "EnvironmentsApi", "OtherApi"],
].map((name) => made(name));

function same(found, wanted) {
  const [one, two] = [found, wanted].map((each) => JSON.stringify(each));
  if (one !== two) throw new Error(`${one} is not ${two}`);
}

async function refused(status, code, asked) {
  const { response } = await asked.then(
    () => Promise.reject(new Error(`this was to be refused with ${status}`)),
    (error) => error,
  );
  same([response?.status, response?.data.code], [status, code]);
}

async function done(asked, status = 200) {
  const answer = await asked;
  same(answer.status, status);
  return answer.data;
}

const instruct = (key, ...instructions) =>
  experiments.patchExperiment(P, E, KEY(key), { comment: "probe", instructions }, SEMANTIC);
const known = {};

function iteration(percent, canReshuffleTraffic = false) {
  const [flagKey, metric] = [KEY("button"), KEY("sales")];
  return {
    hypothesis: "Green sells more",
    canReshuffleTraffic,
    metrics: [{ key: metric, isGroup: false }],
    primarySingleMetricKey: metric,
    treatments: ["red", "green"].map((value) => ({
      name: value,
      baseline: value === "red",
      allocationPercent: percent,
      parameters: [{ flagKey, variationId: known[value] }],
    })),
    flags: { [flagKey]: { ruleId: "fallthrough", flagConfigVersion: 1 } },
    randomizationUnit: "user",
  };
}

const create = (key, more = {}) =>
  experiments.createExperiment(P, E, { name: key, key: KEY(key), iteration: iteration("10"), ...more });

const steps = {
  "who calls": async () => {
    same((await done(other.getCallerIdentity())).projectName, P);
    await refused(401, "unauthorized", made("OtherApi", "wrong").getCallerIdentity());
  },
  environments: async () => {
    const { items } = await done(environments.getEnvironmentsByProject(P, 100));
    same(items.some((each) => each.key === E), true);
  },
  "a metric and a group": async () => {
    const metric = { key: KEY("sales"), kind: "custom", eventKey: "bought", name: "Sales" };
    same((await done(metrics.postMetric(P, metric), 201)).name, "Sales");
    same((await done(metrics.getMetric(P, KEY("sales")))).eventKey, "bought");
    const within = [{ key: KEY("sales"), nameInGroup: "first" }];
    const group = { key: KEY("steps"), name: "Steps", kind: "funnel", maintainerId: "m", tags: [] };
    await done(groups.createMetricGroup(P, { ...group, metrics: within }), 201);
    same((await done(groups.getMetricGroup(P, KEY("steps")))).metrics[0].name, "Sales");
    await refused(409, "key_exists", metrics.postMetric(P, metric));
  },
  "a flag that is turned on": async () => {
    const variations = ["red", "green"].map((value) => ({ value, name: value }));
    const flag = { key: KEY("button"), name: "Button", variations };
    for (const each of (await done(flags.postFeatureFlag(P, flag), 201)).variations)
      known[each.value] = each._id;
    const patch = { instructions: [{ kind: "turnFlagOn" }], environmentKey: E };
    const on = await done(flags.patchFeatureFlag(P, KEY("button"), patch, undefined, SEMANTIC));
    same(on.environments[E].on, true);
    same((await done(flags.getFeatureFlagStatus(P, E, KEY("button")))).name, "active");
    const found = await done(flags.getFeatureFlags(P, E, undefined, 1, 0, false, true, `query:${KEY("button")}`));
    same(found.items.map((each) => each.key), [KEY("button")]);
  },
  "an experiment that is started": async () => {
    same((await done(create("colour"), 201)).draftIteration.treatments.length, 2);
    await refused(409, "key_exists", create("colour"));
    const plain = { instructions: [{ kind: "startIteration" }] };
    await refused(400, "invalid_request", experiments.patchExperiment(P, E, KEY("colour"), plain));
    const started = await done(instruct("colour", { kind: "startIteration" }));
    same(started.currentIteration.status, "running");
  },
  "an iteration that grows": async () => {
    const draft = await done(experiments.createIteration(P, E, KEY("colour"), iteration("50")));
    same(draft.treatments.map((each) => each.allocationPercent), ["50", "50"]);
    await refused(400, "invalid_request", instruct("colour", { kind: "startIteration" }));
    const why = { kind: "startIteration", changeJustification: "no harm was done" };
    same((await done(instruct("colour", why))).previousIterations.length, 1);
  },
  "a list and one with all of it": async () => {
    const filter = `flagKey:${KEY("button")},status:running`;
    const found = await done(experiments.getExperiments(P, E, 5, 0, filter, "treatments"));
    same([found.total_count, found.items[0].key], [1, KEY("colour")]);
    const all = "previousIterations,draftIteration,secondaryMetrics,treatments,analysisConfig";
    known.shown = await done(experiments.getExperiment(P, E, KEY("colour"), all));
    same(known.shown.currentIteration.primarySingleMetric.name, "Sales");
  },
  "a winner, and the archive": async () => {
    const winner = known.shown.currentIteration.treatments[1]._id;
    const stop = { kind: "stopIteration", winningTreatmentId: winner, winningReason: "it sold" };
    const shown = await done(instruct("colour", stop, { kind: "archiveExperiment" }));
    same(shown.currentIteration.winningTreatmentId, winner);
    same((await done(instruct("colour", { kind: "restoreExperiment" }))).archivedDate, undefined);
  },
  "a layer with a reservation": async () => {
    await done(create("inside"), 201);
    await done(layers.createLayer(P, { key: KEY("page"), name: "Page", description: "" }), 201);
    const step = { kind: "updateExperimentReservation", experimentKey: KEY("inside") };
    const patch = { environmentKey: E, instructions: [{ ...step, reservationPercent: 10 }] };
    const shown = await done(layers.updateLayer(P, KEY("page"), patch, SEMANTIC));
    same(shown.environments[E].reservations[0].reservationPercent, 10);
    const found = await done(layers.getLayers(P, `reservations.experimentKey contains ${KEY("inside")}`));
    same(found.totalCount, 1);
  },
  "a holdout": async () => {
    const holdout = { name: "Quarter", key: KEY("quarter"), holdoutamount: "5", metrics: [] };
    const { _id } = await done(holdouts.postHoldout(P, E, holdout), 201);
    same((await done(holdouts.getHoldoutById(P, E, _id))).holdoutAmount, "5");
    same((await done(create("held", { holdoutId: _id }), 201)).holdoutId, _id);
    same((await done(holdouts.getHoldout(P, E, KEY("quarter")))).relatedExperiments.length, 1);
    const end = { instructions: [{ kind: "endHoldout" }] };
    same((await done(holdouts.patchHoldout(P, E, KEY("quarter"), end, SEMANTIC))).status, "ended");
  },
  "settings": async () => {
    const units = [{ randomizationUnit: "user", default: true }];
    await done(experiments.putExperimentationSettings(P, { randomizationUnits: units }));
    same((await done(experiments.getExperimentationSettings(P))).randomizationUnits, units);
  },
  "what is not served is the vendor's 404": async () => {
    await refused(404, "not_found", made("AccountMembersApi").getMembers());
    await refused(404, "not_found", made("ProjectsApi").getProjects());
    await refused(404, "not_found", experiments.getExperimentResults(P, E, KEY("colour"), "sales"));
  },
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log("PASS", name);
  } catch (error) {
    failed += 1;
    console.log("FAIL", name, String(error).slice(0, 600), JSON.stringify(error.response?.data ?? ""));
  }
}
const count = Object.keys(steps).length;
console.log(`${count - failed} PASS, ${failed} FAIL of ${count} steps`);
process.exit(failed ? 1 : 0);
