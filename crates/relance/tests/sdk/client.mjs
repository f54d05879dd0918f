// An unmodified Segment client for Node: its host is changed, and nothing else.
//
//     node client.mjs HOST WRITE_KEY USER_ID EMAIL
//
// The package is looked up beside NODE_CLIENT_FOLDER/package.json. Ends with 0 when the server took
// every call, with 1 and the reason when it did not.
import { createRequire } from "node:module";
import { join } from "node:path";

const folder = process.env.NODE_CLIENT_FOLDER;
if (!folder) throw new Error("set NODE_CLIENT_FOLDER to the folder that holds node_modules");
const { Analytics } = createRequire(join(folder, "package.json"))("@segment/analytics-node");

const [host, writeKey, userId, email] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, maxRetries: 1 });
const failed = [];
analytics.on("error", (error) => failed.push(error.reason ?? error));

analytics.identify({
  userId,
  traits: { email, firstName: "Ana", language: "en", age: 33 },
  context: { locale: "en-US", timezone: "Europe/Berlin" },
});
analytics.track({ userId, event: "Signed Up", properties: { plan: "pro" } });
analytics.page({ userId, name: "Start", properties: { path: "/" } });
analytics.screen({ userId, name: "Home" });
analytics.group({ userId, groupId: "acme", traits: { name: "Acme" } });
analytics.alias({ userId, previousId: `anonymous-of-${userId}` });
await analytics.closeAndFlush({ timeout: 30_000 });

if (failed.length > 0) {
  console.error(failed);
  process.exit(1);
}
