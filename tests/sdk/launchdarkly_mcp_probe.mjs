// Walk the tools of npm @launchdarkly/mcp-server that this server has an answer to.
//
//     node launchdarkly_mcp_probe.mjs URL TOKEN, in a folder with the package installed
//
// The server of the package runs as its users run it, over its standard input and output. What it
// reads from ours it also checks: a tool whose answer it cannot parse says that it failed.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.cwd()}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Client } = await load("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = await load("@modelcontextprotocol/sdk/client/stdio.js");

const [url, token] = process.argv.slice(2);
const [P, E, FLAG] = ["default", "production", `mcp-${process.pid}`];

const transport = new StdioClientTransport({
  command: process.execPath,
  args: [
    `${process.cwd()}/node_modules/@launchdarkly/mcp-server/bin/mcp-server.js`,
    ...["start", "--api-key", token, "--server-url", url],
  ],
  stderr: "inherit",
});
const client = new Client({ name: "probe", version: "1" });
await client.connect(transport);

async function called(name, request) {
  const answer = await client.callTool({ name, arguments: { request } });
  const text = answer.content.map((each) => each.text).join("");
  if (answer.isError) throw new Error(text);
  return text && JSON.parse(text);
}

function same(found, wanted) {
  const [one, other] = [found, wanted].map((each) => JSON.stringify(each));
  if (one !== other) throw new Error(`${one} is not ${other}`);
}

const one = { projectKey: P, featureFlagKey: FLAG };
const steps = {
  "get-environments": async () => {
    const found = await called("get-environments", { projectKey: P });
    same(found.items.some((each) => each.key === E), true);
  },
  "create-feature-flag": async () => {
    const FeatureFlagBody = {
      name: "Made by a tool",
      key: FLAG,
      variations: [{ value: "red", name: "red" }, { value: "green", name: "green" }],
      defaults: { onVariation: 0, offVariation: 1 },
      tags: ["probe"],
    };
    same((await called("create-feature-flag", { projectKey: P, FeatureFlagBody })).key, FLAG);
  },
  "list-feature-flags": async () => {
    const found = await called("list-feature-flags", { projectKey: P, limit: 100, summary: true });
    same(found.items.some((each) => each.key === FLAG), true);
  },
  "get-feature-flag": async () => {
    const found = await called("get-feature-flag", { ...one, env: E });
    same(found.variations.map((each) => each.value), ["red", "green"]);
    same(found.environments[E].on, false);
  },
  "update-feature-flag": async () => {
    const patch = [{ op: "replace", path: `/environments/${E}/on`, value: true }];
    const PatchWithComment = { patch, comment: "turned on by a tool" };
    const found = await called("update-feature-flag", { ...one, PatchWithComment });
    same(found.environments[E].on, true);
  },
  "get-flag-status-across-environments": async () => {
    const found = await called("get-flag-status-across-environments", one);
    same(found.environments[E].name, "active");
  },
  "delete-feature-flag": async () => {
    await called("delete-feature-flag", one);
    const gone = await client.callTool({ name: "get-feature-flag", arguments: { request: one } });
    same(gone.isError, true);
  },
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log("PASS", name);
  } catch (error) {
    failed += 1;
    console.log("FAIL", name, String(error).slice(0, 600));
  }
}
await client.close();
const count = Object.keys(steps).length;
console.log(`${count - failed} PASS, ${failed} FAIL of ${count} steps`);
process.exit(failed ? 1 : 0);
