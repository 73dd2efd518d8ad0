import { expect, it } from "vitest";
import type { Caller } from "../../calls/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { WHOLE, type View } from "../catalogue/view.js";
import { readMessage, upstreamPlan } from "../frames/message.js";
import { utf8 } from "../frames/splice.js";
import { Notifier, type Subscriber } from "./notifier.js";

const update = (uri: string) =>
  readMessage(utf8(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"${uri}"}}`), upstreamPlan);

it("an update of a resource costs nothing for those who do not watch it, however many there are", () => {
  const asked: string[] = [];
  const told: string[] = [];
  const notifier = new Notifier({
    clock: new FakeClock(),
    mayUse: ({ id }) => asked.push(`use ${id}`) > 0,
    looksAt: ({ id }) => asked.push(`look ${id}`) < 0,
    principalOf: ({ id }) => id,
  });
  const add = (id: string, watched: string): void => {
    const caller: Caller = { kind: "key", id, name: id, projects: ["lab"], grants: ["mcp:*"] };
    const subscriber: Subscriber = {
      ...{ view: WHOLE as View, caller, callerId: id },
      listChanged: () => undefined,
      watching: (_server, uri) => uri === watched,
      resourceUpdated: (_server, uri) => void told.push(`${id} ${uri}`),
      logged: () => undefined,
    };
    notifier.add(subscriber);
  };
  for (let n = 0; n < 1_000; n++) add(`idle ${n}`, "notes://other");
  add("ada", "notes://1");
  notifier.resourceUpdated("notes", update("notes://1"));
  expect([told, asked]).toEqual([["ada notes://1"], ["use ada", "look ada"]]);
});
