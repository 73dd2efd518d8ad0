import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { conversation } from "./conversation.js";

it("keeps a conversation over two processes, branches it, and writes it out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-sessions-"));
  try {
    const { first, second, other, markdown } = await conversation(join(folder, "sessions.db"));
    expect([first, second, other]).toEqual([
      "You said: to the sea.",
      "You said: to the sea, then: by train.",
      "You said: to the sea, then: by ship.",
    ]);
    expect(markdown).toContain("# A trip");
    expect(markdown).toContain("## 3. user");
    expect(markdown).not.toContain("by ship");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
