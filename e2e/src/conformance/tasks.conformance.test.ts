import { afterAll, expect, it } from "vitest";
import { OWNER_KEY, served } from "../served.js";
import { serveTasks } from "./fixture/serve-tasks.js";
import { runSuite } from "./suite.js";
import { withKey } from "./with-key.js";

const behind = await serveTasks();
const { url } = await served({
  mcpServers: { tasks: { url: behind.url } },
  namespaces: { tasks: { servers: ["tasks"], naming: "none" } },
  // What takes half a second is a task: the suite's take a second.
  mcp: { questions: { taskAfterMs: 500 } },
});
const door = await withKey(new URL(url), OWNER_KEY);
afterAll(async () => {
  await door.close();
  await behind.close();
});

/** All of the extension, but `tasks-status-notifications`, which the suite leaves out itself until it listens the new way. */
const scenarios = [
  "tasks-lifecycle",
  "tasks-capability-negotiation",
  "tasks-wire-fields",
  "tasks-request-state-removal",
  "tasks-mrtr-input",
  "tasks-request-headers",
  "tasks-dispatch-and-envelope",
  "tasks-required-task-error",
  "tasks-mrtr-composition",
];

it.each(scenarios)("tasks of the gateway in front of a server that knows none pass %s", async (scenario) => {
  const subject = `${door.origin}/ns/tasks/mcp`;
  const verdict = await runSuite({ role: "server", revision: "2026-07-28", scenario, subject, expected: "tasks-before-legacy.yaml" });
  expect(verdict.exitCode, `${verdict.output}\n${verdict.failed.join("\n")}`).toBe(0);
  expect(verdict.passed, verdict.output).toBeGreaterThan(0);
});
