// A process that serves and ends by a signal. "calm": nothing is under way; "stuck": a call that never answers, and an hour to finish it.
import { request } from "node:http";
import { serve } from "../../src/node/index.js";
import { Log } from "../../src/util/log.js";

const isStuck = process.argv[2] === "stuck";
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const serving = await serve(
  {
    handle: () => new Promise(() => undefined),
    start: () => Promise.resolve(),
    drain: (o = {}) => say(`draining within ${o.graceMs}`),
    close: () => Promise.resolve(say("gateway closed")),
    config: { server: { host: "127.0.0.1", port: 0, allowedHosts: [], timeouts: { requestMs: 60_000, shutdownMs: 3_600_000 } } },
    log: new Log("info", (_level, message) => say(message)),
  },
  { signals: true },
);
if (isStuck) {
  request(serving.url)
    .on("error", () => undefined)
    .end();
  await new Promise((resolve) => setTimeout(resolve, 50));
}
say(`listening on ${serving.url}`);
