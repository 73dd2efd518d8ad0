// One of several processes on one store: reads what to do from its first argument, prints what it did.
import { openSubject, type Place } from "./subjects.js";

const { place, method, batch, startAtMs, seconds } = JSON.parse(process.argv[2]!) as {
  place: Place;
  method: "hot" | "ledger";
  batch: number;
  startAtMs: number;
  seconds: number;
};
const work = await openSubject(place);
await work[method](batch);
await new Promise((resolve) => setTimeout(resolve, startAtMs - Date.now()));
const endAtMs = Math.max(startAtMs, Date.now()) + seconds * 1_000;
let units = 0;
const startedAt = performance.now();
while (Date.now() < endAtMs) units += await work[method](batch);
console.log(JSON.stringify({ units, perSecond: (units * 1_000) / (performance.now() - startedAt) }));
await work.close();
process.exit(0);
