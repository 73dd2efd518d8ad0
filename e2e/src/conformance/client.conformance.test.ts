import { afterAll, describe, expect, it } from "vitest";
import { gatewayAsClient } from "./gateway-as-client.js";
import { runSuite, type Revision } from "./suite.js";

const client = await gatewayAsClient();
afterAll(() => client.close());

const revisions: readonly Revision[] = ["2025-11-25", "2026-07-28"];
describe.each(revisions)("what %s requires of a client", (revision) => {
  it("is what the gateway does towards a server", async () => {
    const verdict = await runSuite({ role: "client", revision, subject: client.command, expected: `${revision}-as-client.yaml` });
    expect(verdict.exitCode, `${verdict.output}\n${verdict.failed.join("\n")}`).toBe(0);
  });
});
