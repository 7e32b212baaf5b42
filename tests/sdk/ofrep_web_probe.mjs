// Drives the real JavaScript client for pages, one command a line, one answer a line:
//   ["start", context]       set the provider, and wait until it is ready
//   ["context", context]     change the context
//   ["get", flag, default]   [value, variant, reason, error code, metadata]
//   ["changed", seconds]     the flags of the next change that it tells of; null if there is none
//   ["poll"]                 ask again, as a page does that is looked at again
//   ["requests"]             [path and query, status] of all requests since it was asked last
import { createInterface } from "node:readline";
import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";

const [, baseUrl, token] = process.argv;
const TYPES = { boolean: "Boolean", number: "Number", string: "String", object: "Object" };
const changes = [];
let requests = [];
let tell = () => {};

const fetchImplementation = async (request, options) => {
  const answer = await fetch(request, options);
  const { pathname, search } = new URL(request.url);
  requests.push([pathname + search, answer.status]);
  return answer;
};
const provider = new OFREPWebProvider({
  baseUrl,
  headers: [["Authorization", `Bearer ${token}`]],
  fetchImplementation,
  cacheMode: "disabled",
});
const client = OpenFeature.getClient();
client.addHandler(ProviderEvents.ConfigurationChanged, (event) => {
  changes.push(event?.flagsChanged ?? []);
  tell();
});

const DO = {
  start: async (context) => {
    await OpenFeature.setContext(context);
    try {
      await OpenFeature.setProviderAndWait(provider);
      return "ready";
    } catch (error) {
      return `${error.cause?.name ?? error.name}`;
    }
  },
  context: async (context) => {
    await OpenFeature.setContext(context);
    return client.providerStatus;
  },
  get: (flag, usual) => {
    const found = client[`get${TYPES[typeof usual]}Details`](flag, usual);
    const { value, variant, reason, errorCode, flagMetadata } = found;
    return [value, variant ?? null, reason, errorCode ?? null, flagMetadata];
  },
  changed: async (seconds) => {
    const over = new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    if (!changes.length) await Promise.race([over, new Promise((resolve) => (tell = resolve))]);
    return changes.shift() ?? null;
  },
  poll: async () => {
    await provider._refreshFlags("test");
    return "polled";
  },
  requests: () => requests.splice(0),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...given] = JSON.parse(line);
  console.log(JSON.stringify(await DO[command](...given)));
}
await OpenFeature.close();
process.exit(0);
