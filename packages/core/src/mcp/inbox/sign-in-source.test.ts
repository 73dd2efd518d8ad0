import { expect, it } from "vitest";
import { GatewayError } from "../../errors/index.js";
import { memoryStore } from "../../memory/index.js";
import { crypto } from "../../platform/node-crypto.js";
import { InboxItems } from "../../policy/inbox/index.js";
import { EventHub, type Services } from "../../seams/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { SignInSource } from "./sign-in-source.js";

/** An inbox whose one user signed in at `authenticatedAtMs`, as the store says after the item was made. */
function place(authenticatedAtMs: number | null) {
  const clock = new FakeClock();
  const store = memoryStore({ clock });
  const events = new EventHub();
  const services = { store, clock, crypto, events, seams: { inbox: { get: () => inbox } } } as unknown as Services;
  const inbox: InboxItems = new InboxItems(services, { keptMs: () => 86_400_000 });
  const source = new SignInSource(services, {
    expiresMs: () => 60_000,
    principalOf: ({ id }) => id,
    statusOf: () => Promise.resolve({ tokenAcquired: authenticatedAtMs !== null, authenticatedAtMs }),
    links: { needed: () => Promise.reject(new Error("nobody looks")) },
  });
  inbox.add(source);
  const told = async (foundAtMs: number | null) => {
    const needed = new GatewayError("authorization_required", "Sign in.");
    const { details } = await source.told(needed, {
      server: "desk",
      principal: "ada",
      found: foundAtMs === null ? null : { authenticatedAtMs: foundAtMs },
    });
    return (await inbox.verdict(details!["inbox_id"] as string))?.status;
  };
  return { told };
}

it("a sign-in that was finished after a call looked for it, and before it was asked for, is waited for by nobody", async () => {
  expect(await place(7).told(null)).toBe("approved");
  expect(await place(7).told(5)).toBe("approved");
});

it("one that is of no use, or that nobody made, is", async () => {
  expect(await place(7).told(7)).toBe("pending");
  expect(await place(null).told(null)).toBe("pending");
  expect(await place(null).told(5)).toBe("pending");
});
