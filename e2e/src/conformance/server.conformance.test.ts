import { afterAll, describe, expect, it } from "vitest";
import { OWNER_KEY, served } from "../served.js";
import { serveFixture } from "./fixture/serve-fixture.js";
import { runSuite, type Revision } from "./suite.js";
import { withKey } from "./with-key.js";

const revisions: readonly Revision[] = ["2025-11-25", "2026-07-28"];
const eras = ["legacy", "modern"] as const;

const alone = await serveFixture();
const behind = { legacy: await serveFixture("legacy"), modern: await serveFixture("modern") };
const { url } = await served({
  mcpServers: { legacy: { url: behind.legacy.url }, modern: { url: behind.modern.url } },
  namespaces: { legacy: { servers: ["legacy"], naming: "none" }, modern: { servers: ["modern"], naming: "none" } },
});
const door = await withKey(new URL(url), OWNER_KEY);
afterAll(async () => {
  await door.close();
  await Promise.all([alone, behind.legacy, behind.modern].map((fixture) => fixture.close()));
});

describe.each(revisions)("what %s requires of a server", (revision) => {
  it("is what our fixture does when it is asked itself", async () => {
    const verdict = await runSuite({ role: "server", revision, subject: alone.url, expected: "nothing.yaml" });
    expect(verdict.exitCode, `${verdict.output}\n${verdict.failed.join("\n")}`).toBe(0);
    expect(verdict.passed).toBeGreaterThan(60);
  });

  it.each(eras)("is what the gateway does in front of a fixture of the %s era alone", async (era) => {
    const verdict = await runSuite({
      role: "server",
      revision,
      subject: `${door.origin}/ns/${era}/mcp`,
      expected: `${revision}-before-${era}.yaml`,
    });
    expect(verdict.exitCode, `${verdict.output}\n${verdict.failed.join("\n")}`).toBe(0);
    expect(verdict.passed).toBeGreaterThan(60);
  });
});
