import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

type Said = Readonly<Record<string, unknown>>;

/** The world outside of the nodes, in the test's own process: it counts what the nodes do to it, and answers as it is told. */
export class World {
  /** In the order they came. */
  readonly models: { readonly node: number; readonly text: string }[] = [];
  readonly tasks: { readonly node: number; readonly key: string; readonly attempt: number }[] = [];
  /** What a model answers to the last text of the user. */
  model: (text: string, messages: readonly Said[]) => Said | Promise<Said> = () => ({ text: "hello" });
  task: (body: Said) => Said | Promise<Said> = () => ({ done: true });
  readonly #server: Server;
  url = "";

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request).then(
        (said) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(said)),
        () => response.destroy(),
      );
    });
  }

  static async open(): Promise<World> {
    const world = new World();
    world.#server.listen(0, "127.0.0.1");
    await once(world.#server, "listening");
    world.url = `http://127.0.0.1:${(world.#server.address() as AddressInfo).port}`;
    return world;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<Said> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Said;
    if (request.url === "/model") {
      const messages = body["messages"] as readonly Said[];
      const text = lastText(messages);
      this.models.push({ node: Number(body["node"]), text });
      return this.model(text, messages);
    }
    this.tasks.push({ node: Number(body["node"]), key: String(body["key"]), attempt: Number(body["attempt"]) });
    return this.task(body);
  }
}

function lastText(messages: readonly Said[]): string {
  const last = messages.findLast(({ role }) => role === "user");
  const content = last?.["content"];
  if (!Array.isArray(content)) return String(content ?? "");
  return (content as readonly Said[]).map(({ text }) => String(text ?? "")).join("");
}
