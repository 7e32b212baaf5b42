// Asks the real JavaScript client what each line of the input asks, and lets it apply what it got.
// A line is [client secret, flag and path, default, context]; the answer [value, variant, error].
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { createConfidenceServerProvider } from "@spotify-confidence/openfeature-server-provider";

const TYPES = { boolean: "Boolean", number: "Number", string: "String", object: "Object" };
const APPLIED_AFTER = 10; // milliseconds

const [, baseUrl] = process.argv;
const refused = [];
const fetchImplementation = async (url, options) => {
  const answer = await fetch(url, options);
  if (!answer.ok) refused.push(`${url}: ${answer.status} ${await answer.clone().text()}`);
  return answer;
};

for await (const line of createInterface({ input: process.stdin })) {
  const [clientSecret, flag, usual, context] = JSON.parse(line);
  const apply = { timeout: APPLIED_AFTER };
  const provider = createConfidenceServerProvider({
    clientSecret, baseUrl, fetchImplementation, apply,
  });
  const ask = provider[`resolve${TYPES[typeof usual]}Evaluation`].bind(provider);
  const { value, variant, errorCode } = await ask(flag, usual, context, console);
  console.log(JSON.stringify([value, variant ?? null, errorCode ?? null]));
  await sleep(5 * APPLIED_AFTER);
}
if (refused.length) {
  console.error(refused.join("\n"));
  process.exit(1);
}
