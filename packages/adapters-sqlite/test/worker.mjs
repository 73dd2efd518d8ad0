// A process of its own on a database file: told what to do by its argument, it says on standard output what was acknowledged, a line each.
import { writeSync } from "node:fs";
import { sqlite } from "@sallyport/adapters-sqlite";
import { auditEntry, allEntities, gatewayKey, runEvent } from "@sallyport/core/entities";
import { append, insert, update } from "@sallyport/core/ports";

const { path, doing, name, count } = JSON.parse(process.argv[2]);
const scope = { projects: ["p1"] };
const within = () => ({ deadlineMs: Date.now() + 30_000 });
const say = (line) => writeSync(1, `${line}\n`);

const store = await sqlite(path).open({ entities: allEntities });
say("open");
if (doing === "insert") {
  // Until it is killed.
  for (let i = 0; ; i++) {
    const row = {
      id: `${name}_${i}`,
      atMs: i,
      projectId: "p1",
      callerId: name,
      action: "test",
      target: "",
      requestId: "r",
      outcome: "done",
      code: null,
    };
    const [result] = await store.commit([{ scope, writes: [insert(auditEntry, { ...row, status: 200, durationMs: 0 })] }], within());
    if (result.ok) say(i);
  }
}
for (let i = 0; i < count; i++) {
  const results = await store.commit(
    [
      { scope, writes: [update(gatewayKey, "key", { change: { add: { expiresAtMs: 1 } } })] },
      { scope, writes: [append(runEvent, "stream", { entries: [{ projectId: "p1", event: { name, i } }] })] },
    ],
    within(),
  );
  if (results.every((result) => result.ok)) say(i);
}
await store.close();
say("closed");
