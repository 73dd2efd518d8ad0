import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Gateway } from "@sallyport/core";
import { createTestGateway, TEST_OWNER_KEY } from "@sallyport/core/testing";

export const KEY = TEST_OWNER_KEY;
export const MAX_BODY_BYTES = 1_048_576;

/** One streamed answer, made word by word by the test. */
export interface UpstreamStream {
  send(word: string): void;
  end(): void;
  /** Offers so many words as fast as they are taken, then ends. */
  flood(word: string, times: number): { readonly taken: () => number };
  /** Resolves when the gateway gave the call up. */
  readonly aborted: Promise<void>;
}
export interface GatewayUnderTest {
  readonly gateway: Gateway;
  /** Answers with the text that it was sent; asked for a stream, with what `streams` is told. */
  readonly model: string;
  readonly streams: { next(): Promise<UpstreamStream> };
  readonly close: () => Promise<void>;
}

/** A whole gateway, in memory, before a vendor on loopback that the test drives. */
export async function gatewayUnderTest(): Promise<GatewayUnderTest> {
  const opened: UpstreamStream[] = [];
  const waiting: ((stream: UpstreamStream) => void)[] = [];
  const vendor = createServer((request, response) => {
    void answer(request, response, (stream) => {
      const next = waiting.shift();
      if (next === undefined) opened.push(stream);
      else next(stream);
    });
  });
  vendor.listen(0, "127.0.0.1");
  await once(vendor, "listening");
  const baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`;
  const gateway = await createTestGateway({
    server: { maxBodyBytes: MAX_BODY_BYTES },
    providers: { vendor: { vendor: "openai-compatible", baseUrl, apiKey: "sk-of-the-vendor", models: ["echo"] } },
  });
  return {
    gateway,
    model: "vendor/echo",
    streams: {
      next: () => {
        const stream = opened.shift();
        return stream === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(stream);
      },
    },
    close: async () => {
      await gateway.close();
      vendor.closeAllConnections();
      vendor.close();
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, onStream: (stream: UpstreamStream) => void): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const call = JSON.parse(Buffer.concat(chunks).toString()) as { stream?: boolean; messages: { content: string }[] };
  if (call.stream === true) return onStream(controlled(response));
  const message = { role: "assistant", content: call.messages.at(-1)?.content };
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ id: "chatcmpl-1", object: "chat.completion", created: 1, model: "echo", choices, usage }));
}

function controlled(response: ServerResponse): UpstreamStream {
  let taken = 0;
  const begin = (): void => {
    if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  };
  const write = (choice: object): boolean => {
    begin();
    return response.write(
      `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", created: 1, model: "echo", choices: [{ index: 0, ...choice }] })}\n\n`,
    );
  };
  const end = (): void => {
    write({ delta: {}, finish_reason: "stop" });
    response.end("data: [DONE]\n\n");
  };
  return {
    send: (word) => void write({ delta: { content: word }, finish_reason: null }),
    end,
    flood: (word, times) => {
      const pour = async (): Promise<void> => {
        for (taken = 0; taken < times; taken++)
          if (!write({ delta: { content: word }, finish_reason: null })) await once(response, "drain");
        end();
      };
      // A gateway that goes takes the rest of the flood with it.
      pour().catch(() => undefined);
      return { taken: () => taken };
    },
    aborted: new Promise((resolve) => response.on("close", () => (response.writableFinished ? undefined : resolve()))),
  };
}
