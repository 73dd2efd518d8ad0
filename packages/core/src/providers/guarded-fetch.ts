import type { Headers as HeaderList } from "../calls/index.js";
import type { OperationContext } from "./operations.js";

/** What a vendor's SDK sends of its own accord and the provider says otherwise: who calls, with which credential, and what runs here. */
const dropped =
  /^(?:authorization|x-api-key|x-goog-api-key|api-key|user-agent|accept-encoding|host|content-length|connection|x-stainless-.*|x-goog-api-client)$/;
const bodiless = new Set([101, 204, 205, 304]);

/**
 * The guarded client as the `fetch` that vendors' SDKs take: the same dialer, deadline and signal as every other call of the provider, and the provider's credential instead of the SDK's. No redirect is
 * followed.
 */
export function guardedFetch(context: OperationContext): typeof fetch {
  return async (input, init) => {
    // A request that has its bytes knows its own type, also of a form.
    const request = new Request(input, init);
    const bytes = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
    const headers: (readonly [string, string])[] = [...context.headers];
    for (const [name, value] of request.headers) if (!dropped.test(name) && !has(context.headers, name)) headers.push([name, value]);
    const response = await context.http.exchange(
      {
        ...{ method: request.method, url: request.url, headers, body: bytes },
        ...{ trust: context.trust ?? "operator", idleMs: context.idleMs, endByMs: context.deadlineMs },
      },
      { deadlineMs: context.deadlineMs, signal: context.signal },
    );
    const given = response.headers.map(([name, value]): [string, string] => [name, value]);
    if (!bodiless.has(response.status)) return new Response(toStream(response.chunks()), { status: response.status, headers: given });
    response.discard();
    return new Response(null, { status: response.status, headers: given });
  };
}

function has(headers: HeaderList, name: string): boolean {
  return headers.some(([other]) => other === name);
}

function toStream(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await source.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => void (await source.return?.()),
    },
    { highWaterMark: 0 },
  );
}
