// What npm's auth0 7.1.0 has for experiments: advanceRamp, and `fetch` for every other path.
import { ManagementClient } from "auth0";

const [base, token] = process.argv.slice(1);
let asked = 0;

// The client writes https before any domain; here is none that has a certificate.
const plain = (input, init) => {
  asked += 1;
  const { pathname, search } = new URL(input instanceof Request ? input.url : String(input));
  return fetch(new URL(pathname + search, base), init);
};
const client = new ManagementClient({ domain: new URL(base).host, token, fetch: plain, maxRetries: 0 });
const { experiments } = client.experimentation;

async function ask(method, path, body) {
  const answer = await client.fetch(`experimentation${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

async function refusal(work) {
  try {
    await work;
  } catch (error) {
    return [error.constructor.name, error.statusCode, error.body?.errorCode];
  }
  return "no refusal";
}

const same = (name, got, expected) => {
  const [one, other] = [got, expected].map((each) => JSON.stringify(each));
  if (one !== other) throw new Error(`${name}: ${one}, not ${other}`);
  console.log(`ok ${name}`);
};

const flag = await ask("POST", "/feature-flags", {
  name: "Node box",
  parameters: { show: { type: "boolean", value: false } },
});
const path = `/feature-flags/${flag.id}/variations`;
const control = await ask("POST", path, { name: "control", overrides: {} });
const shown = await ask("POST", path, { name: "shown", overrides: { show: { value: true } } });
await ask("PATCH", `/feature-flags/${flag.id}`, { status: "active" });
const made = await ask("POST", "/experiments", {
  name: "By node",
  feature_flag_id: flag.id,
  authentication_flow: "authentication",
  allocations: [
    { variation_id: control.id, weight: 50, is_control: true },
    { variation_id: shown.id, weight: 50, is_control: false },
  ],
  levels: [10, 50, 100],
});
const one = `/experiments/${made.id}`;
const advance = (target_level, id = made.id) => experiments.advanceRamp(id, { target_level });

same("a draft has no ramp", await refusal(advance(50)), [
  "ConflictError", 409, "experiment_ramp_not_active",
]);
await ask("PATCH", one, { status: "active" });
same("it begins at its first level", (await ask("GET", one)).current_level, 10);
same("a level further than the next", await refusal(advance(100)), [
  "BadRequestError", 400, "experiment_ramp_level_not_next",
]);
for (const [from_level, to_level] of [[10, 50], [50, 50], [50, 100]]) {
  same(`from ${from_level} to ${to_level}`, await advance(to_level), {
    experiment_id: made.id, from_level, to_level, current_level: to_level,
  });
}
const { data, rawResponse } = await advance(100).withRawResponse();
same("with the raw answer", [data.to_level, rawResponse.status], [100, 200]);
same("it is shown", (await ask("GET", one)).current_level, 100);
same("no way back", await refusal(advance(50)), [
  "BadRequestError", 400, "experiment_ramp_level_not_next",
]);
same("no experiment", await refusal(advance(10, "exp_1111111111111111111111")), [
  "NotFoundError", 404, "experiment_not_found",
]);
same("an id of any characters", await refusal(advance(10, "a b ü")), [
  "NotFoundError", 404, "experiment_not_found",
]);
const stranger = new ManagementClient({ domain: "x", token: "no", fetch: plain, maxRetries: 0 });
same(
  "no such token",
  await refusal(stranger.experimentation.experiments.advanceRamp(made.id, { target_level: 10 })),
  ["UnauthorizedError", 401, "invalid_token"],
);
await ask("PATCH", one, { status: "completed" });
await ask("DELETE", one);
console.log(`${asked} requests`);
