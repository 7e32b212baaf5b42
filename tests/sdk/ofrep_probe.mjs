// Asks the real JavaScript client for servers what each line of the input asks.
// A line is [flag, default, context]; the answer [value, variant, reason, error code, metadata].
import { createInterface } from "node:readline";
import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";

const [, baseUrl, token] = process.argv;
const TYPES = { boolean: "Boolean", number: "Number", string: "String", object: "Object" };

await OpenFeature.setProviderAndWait(
  new OFREPProvider({ baseUrl, headers: [["X-API-Key", token]] }),
);
const client = OpenFeature.getClient();
for await (const line of createInterface({ input: process.stdin })) {
  const [flag, usual, context] = JSON.parse(line);
  const found = await client[`get${TYPES[typeof usual]}Details`](flag, usual, context);
  const { value, variant, reason, errorCode, flagMetadata } = found;
  console.log(JSON.stringify([value, variant ?? null, reason, errorCode ?? null, flagMetadata]));
}
await OpenFeature.close();
