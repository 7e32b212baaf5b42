// A shop on Node that asks Allotment which flags its visitors see, by OpenFeature and OFREP.
//
//     make serve                                      in one terminal, in the project's folder
//     cd examples/node && npm install && npm start    in another
//
// ALLOTMENT_URL is the server, ALLOTMENT_TOKEN a token of scope `assign`, which `make serve` does
// without.
import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";

const { ALLOTMENT_URL = "http://localhost:8080", ALLOTMENT_TOKEN } = process.env;

await OpenFeature.setProviderAndWait(
  new OFREPProvider({
    baseUrl: ALLOTMENT_URL,
    headers: ALLOTMENT_TOKEN ? [["Authorization", `Bearer ${ALLOTMENT_TOKEN}`]] : [],
  }),
);
const flags = OpenFeature.getClient();

const visitors = [
  { user: "user-1", device: "phone-1", country: "SE" },
  { user: "user-2", device: "laptop-2", country: "FR" },
  { user: "tester-1", device: "phone-3", country: "SE" },
];

for (const { user, device, country } of visitors) {
  // Some experiments randomise users and some devices: each takes the key of its kind.
  const context = { targetingKey: user, targetingKeys: { user, device }, country };
  const order = await flags.getStringDetails("search-order", "relevance", context);
  const login = await flags.getObjectValue("login-page", { title: "Log in" }, context);
  console.log(`${user} in ${country}: results by ${order.value}, "${login.title}"`);
  console.log(`  ${order.reason}, as Allotment says ${order.flagMetadata.reason}`);
}

// A flag that is not there has the value in the code, and an error says so.
const missing = await flags.getBooleanDetails("free-delivery", false, { targetingKey: "user-1" });
console.log(`free-delivery: ${missing.value}, ${missing.errorCode}`);

await OpenFeature.close();
