import { failure, notice, result, said, type Asked, type Lie } from "./asked.js";

/** Lies only about calls of the tool `ok`; everything else is as it should be. */
const aboutCalls =
  (lie: Lie): Lie =>
  (asked, say) =>
    asked.method === "tools/call" && asked.params["name"] === "ok" ? lie(asked, say) : false;
/** Lies only about one list. */
const aboutList =
  (method: string, lie: Lie): Lie =>
  (asked, say) =>
    asked.method === method ? lie(asked, say) : false;
const bump = (id: Asked["id"], by: number) => (typeof id === "number" ? id + by : `${id}-${by}`);

/** The answer, and another under the same id. */
const answeringTwice = aboutCalls((asked, say) => {
  say.sse(result(asked.id, said("first")));
  say.sse(result(asked.id, said("second")));
  say.end();
});
/** What was asked stays without an answer; answers to questions that nobody asked come in its place. */
const answeringOthers = aboutCalls((asked, say) => {
  for (const by of [-2, -1, 1, 2, 1_000]) say.sse(result(bump(asked.id, by), said("not yours")));
  say.sse(result(String(asked.id), said("not yours")));
  say.sse(JSON.stringify({ jsonrpc: "2.0", id: null, result: said("not yours") }));
  say.end();
});
/** Holds two calls and gives each the other's answer as its own. */
function swappingAnswers(): Lie {
  let held: { readonly asked: Asked; readonly send: (message: string) => void } | null = null;
  return aboutCalls((asked, say) => {
    const mine = String((asked.params["arguments"] as { key?: unknown } | undefined)?.key);
    if (held === null) return void (held = { asked, send: (message) => say.send(message) });
    const first = held;
    const its = String((first.asked.params["arguments"] as { key?: unknown } | undefined)?.key);
    // Each on the other's connection, under the id that belongs there or not.
    first.send(result(asked.id, said(mine)));
    say.send(result(first.asked.id, said(its)));
    held = null;
  });
}
/** Keys that change what an object is where they are copied carelessly. */
const pollutingKeys = aboutCalls((asked, say) => {
  const members = '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":"x"';
  say.send(
    `{"jsonrpc":"2.0","id":${JSON.stringify(asked.id)},"result":{"resultType":"complete",${members},"content":[],"_meta":{${members}},"structuredContent":{${members}}}}`,
  );
});
/** One message of so many bytes. */
const sayingMuch = (bytes: number) => aboutCalls((asked, say) => say.send(result(asked.id, said("x".repeat(bytes)))));
/** Arrays in arrays, this deep. */
const nestingDeep = (depth: number) =>
  aboutCalls((asked, say) =>
    say.send(
      `{"jsonrpc":"2.0","id":${JSON.stringify(asked.id)},"result":{"resultType":"complete","content":[],"structuredContent":${"[".repeat(depth)}${"]".repeat(depth)}}}`,
    ),
  );
/** The first half of the answer, and the end of the line. */
const sayingHalf = aboutCalls(async (asked, say) => {
  const whole = result(asked.id, said("never heard"));
  await say.raw(`${whole.slice(0, whole.length / 2)}${say.transport === "stdio" ? "\n" : ""}`);
  say.end();
});
/** Nothing but comments, for as long as somebody listens. */
const neverComing = aboutCalls(async (_asked, say) => {
  if (say.transport === "stdio") return;
  await say.raw(": soon\n\n", "text/event-stream");
});
/** A byte of the answer now and then; it would take days. */
const dripping = (everyMs: number) =>
  aboutCalls((asked, say) => {
    const whole = result(asked.id, said("x".repeat(100_000)));
    let at = 0;
    const timer = setInterval(() => void say.raw(whole.charAt(at++)), everyMs);
    void say.gone.then(() => clearInterval(timer));
  });
/** One event that does not end, as fast as it is taken. */
const endlessEvent = (taken: (bytes: number) => void): Lie =>
  aboutCalls(async (_asked, say) => {
    const piece = "x".repeat(65_536);
    await say.raw("data: ", "text/event-stream");
    for (let bytes = 0; say.isOpen; taken((bytes += piece.length))) {
      await say.raw(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
/** Bytes that would be further headers or a further answer, were they copied into a head. */
const injectingHeaders = aboutCalls((asked, say) => {
  const body = result(asked.id, said("fine"));
  say.instead(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: planted=1\r\nx-planted: yes\r\nlocation: http://127.0.0.1:9/\r\nwww-authenticate: Bearer realm="planted"\r\nmcp-session-id: planted\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
});
/** Goes away in the middle of a call whose effect is done. */
const dyingAfterEffect: Lie = (asked, say) => {
  if (asked.method !== "tools/call" || asked.params["name"] !== "effect") return false;
  return void say.cut();
};
/** Tells of progress for whom it likes, backwards, and after the end. */
const wrongProgress = aboutCalls((asked, say) => {
  const token = (asked.params["_meta"] as { progressToken?: unknown } | undefined)?.progressToken;
  for (const progressToken of [token, 424242, "1", null, { a: 1 }, token])
    say.sse(notice("notifications/progress", { progressToken, progress: -5, total: 1e308 }));
  say.sse(result(asked.id, said("fine")));
  say.sse(notice("notifications/progress", { progressToken: token, progress: 1 }));
  say.end();
});
/** Asks whatever a server might ask, of a client that declared nothing. */
const asking = aboutCalls((asked, say) => {
  for (const method of ["sampling/createMessage", "elicitation/create", "roots/list", "tools/call", "initialize", "no/such"])
    say.sse(JSON.stringify({ jsonrpc: "2.0", id: `${method} ${String(asked.id)}`, method, params: {} }));
  say.sse(result(asked.id, said("fine")));
  say.end();
});

/** A new cursor on every page, for ever. */
const endlessPages = aboutList("tools/list", (asked, say) =>
  say.send(
    result(asked.id, {
      resultType: "complete",
      ...{ ttlMs: 0, cacheScope: "private" },
      tools: [{ name: `page_${asked.nth}`, inputSchema: { type: "object" } }],
      nextCursor: `page ${asked.nth}`,
    }),
  ),
);
/** The same cursor again and again. */
const circlingPages = aboutList("tools/list", (asked, say) =>
  say.send(
    result(asked.id, {
      resultType: "complete",
      ...{ ttlMs: 0, cacheScope: "private" },
      tools: [{ name: "ok", inputSchema: { type: "object" } }],
      nextCursor: "again",
    }),
  ),
);
/** These tools, whichever way they are. */
const listing = (tools: (asked: Asked) => readonly unknown[]): Lie =>
  aboutList("tools/list", (asked, say) =>
    say.send(result(asked.id, { resultType: "complete", ttlMs: 0, cacheScope: "private", tools: tools(asked) })),
  );
/** Says that its session is lost, whatever it is asked. */
const losingSessions: Lie = (asked, say) => {
  if (asked.method !== "tools/call" || say.transport !== "http") return false;
  const body = failure(asked.id, -32001, "Session not found");
  return void say.instead(
    `HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
};
/** Sends whoever calls somewhere else. */
const redirecting = (to: string): Lie =>
  aboutCalls((_asked, say) =>
    say.instead(`HTTP/1.1 307 Temporary Redirect\r\nlocation: ${to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`),
  );

/** Ways to lie; each says what its server does. All but those about lists are about calls of the tool `ok`. */
export const lies = {
  answeringTwice,
  answeringOthers,
  swappingAnswers,
  pollutingKeys,
  sayingMuch,
  nestingDeep,
  sayingHalf,
  neverComing,
  dripping,
  endlessEvent,
  injectingHeaders,
  dyingAfterEffect,
  wrongProgress,
  asking,
  endlessPages,
  circlingPages,
  listing,
  losingSessions,
  redirecting,
};
