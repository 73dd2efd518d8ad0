import { expect, it } from "vitest";
import type { Caller } from "../../calls/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { utf8 } from "../frames/splice.js";
import type { Connection } from "../lanes/own-request.js";
import type { ListEntry } from "./list-entries.js";
import { NO_LISTS, type Lists } from "./server-lists.js";
import { UserConnections, type OneOf, type Own } from "./user-connections.js";

const connection = {} as Connection;
const user = (name: string): Caller => ({ kind: "user", id: name, name, projects: ["default"], grants: ["*"] });
const within = { deadlineMs: Infinity };

/** One whose list of tools is what the test says, read when it is connected. */
class One implements OneOf {
  lists: Lists;
  connection: Connection | null = null;
  subscriptions = { isWatched: false };
  isClosed = false;

  constructor(
    readonly own: Own,
    readonly raw: () => Uint8Array,
  ) {
    this.lists = own.lists;
  }
  ready(): Promise<void> {
    const entry: ListEntry = { name: "t", raw: this.raw(), at: { start: 0, end: 0 }, paramHeaders: [] };
    this.lists = { ...NO_LISTS, tools: this.own.known("tools", new Map([["t", entry]])) };
    this.own.onRead("tools", { isPublic: false });
    this.connection = connection;
    return Promise.resolve();
  }
  close(): Promise<void> {
    this.isClosed = true;
    this.connection = null;
    return Promise.resolve();
  }
}

function users(raw: (name: string) => Uint8Array = () => utf8("{}")) {
  const clock = new FakeClock();
  const made: One[] = [];
  const connections = new UserConnections<One>({
    ...{ server: "mail", clock, startMs: 1_000, onPublic: () => undefined },
    authorizerOf: ({ id }) => ({
      ...{ principal: id, context: id },
      authorizer: {
        headers: () => Promise.resolve([]),
        standing: () => Promise.resolve("in"),
        secrets: () => [],
        refused: () => Promise.resolve(false),
      },
    }),
    make: (own) => {
      const one = new One(own, () => raw(own.principal));
      made.push(one);
      return one;
    },
  });
  const look = (name: string) => connections.look(user(name), within);
  const tools = (name: string) => connections.listsOf(user(name)).tools;
  return { clock, made, connections, look, tools };
}

it("as many as fit are kept: whoever was not used for longest goes first, and whoever watches something last", async () => {
  const { made, look, tools } = users();
  await look("watching");
  made[0]!.subscriptions = { isWatched: true };
  for (let i = 0; i < 999; i++) await look(`u${i}`);
  expect(made.filter(({ isClosed }) => isClosed)).toEqual([]);
  await look("u0");
  await look("one more");
  expect(made.filter(({ isClosed }) => isClosed).map(({ own }) => own.principal)).toEqual(["u1"]);
  expect([tools("u1").size, tools("u0").size, tools("watching").size]).toEqual([0, 1, 1]);
});

it("their lists are bounded in bytes as well", async () => {
  const large = new Uint8Array(50 * 1024 * 1024);
  let next = 0;
  const { made, look, tools } = users(() => {
    const raw = large.slice();
    raw[0] = next++;
    return raw;
  });
  for (const name of ["a", "b", "c"]) await look(name);
  expect(made.map(({ isClosed }) => isClosed)).toEqual([true, false, false]);
  expect(["a", "b", "c"].map((name) => tools(name).size)).toEqual([0, 1, 1]);
});

it("equal lists are one", async () => {
  const { look, tools } = users((name) => utf8(name === "eve" ? '{"of":"eve"}' : '{"of":"all"}'));
  for (const name of ["ada", "bob", "eve"]) await look(name);
  expect(tools("ada")).toBe(tools("bob"));
  expect(tools("eve")).not.toBe(tools("ada"));
});

it("a connection that is not used ends, unless something is watched over it; what it showed is shown on, and followed again with the next look", async () => {
  const { clock, made, look, tools } = users();
  await look("ada");
  await look("bob");
  made[1]!.subscriptions = { isWatched: true };
  await clock.advance(700_000);
  expect(made.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  expect(tools("ada").size).toBe(1);
  const kept = tools("ada");
  await look("ada");
  expect([made.length, made[2]!.connection, tools("ada")]).toEqual([3, connection, kept]);
});
