import { files } from "#platform";
import { GatewayError } from "../errors/index.js";
import type { HttpClient, HttpRequest, HttpResponse, Within } from "../ports/index.js";
import { keyOf, nearest, questionOf, type Recording } from "./recording.js";

export interface CassetteOptions {
  /**
   * `replay`: answers come from the file alone. `record`: every exchange goes out and replaces what the file has for it. `auto`: what is not in
   * the file goes out and is added. Default: `replay`.
   */
  readonly mode?: "replay" | "record" | "auto";
  /** What really sends, when recording. */
  readonly through?: HttpClient;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Answers of upstreams kept in a file: an HttpClient for a test gateway. Equal requests (method, URL, body as JSON) get their recordings in the order they
 * were recorded; the last one repeats. Streams are replayed whole.
 * Errors: `misconfigured` for a miss in replay, naming the nearest recording and where it differs, or when recording has nothing to send through.
 */
export function cassette(path: string, options: CassetteOptions = {}): HttpClient & { save(): Promise<void> } {
  return new Cassette(path, options);
}

class Cassette implements HttpClient {
  readonly #path: string;
  readonly #mode: "replay" | "record" | "auto";
  readonly #through: HttpClient | undefined;
  readonly #served = new Map<string, number>();
  #loaded: Promise<Recording[]> | null = null;
  #fresh: Recording[] = [];

  constructor(path: string, options: CassetteOptions) {
    this.#path = path;
    this.#mode = options.mode ?? "replay";
    this.#through = options.through;
  }

  async exchange(request: HttpRequest, within: Within): Promise<HttpResponse> {
    const recordings = await (this.#loaded ??= this.#load());
    const question = questionOf(request);
    const key = keyOf(question);
    const matching = this.#mode === "record" ? [] : recordings.filter((recording) => keyOf(recording.request) === key);
    if (matching.length > 0) {
      const served = this.#served.get(key) ?? 0;
      this.#served.set(key, served + 1);
      return replayed(matching[Math.min(served, matching.length - 1)] as Recording);
    }
    if (this.#mode === "replay") throw this.#miss(question, recordings);
    return this.#record(request, question, within);
  }

  /** Writes what was recorded. A cassette that only replays writes nothing. */
  async save(): Promise<void> {
    if (this.#fresh.length === 0) return;
    const recordings = await (this.#loaded ??= this.#load());
    const replaced = new Set(this.#mode === "record" ? this.#fresh.map((recording) => keyOf(recording.request)) : []);
    const all = [...recordings.filter((recording) => !replaced.has(keyOf(recording.request))), ...this.#fresh];
    await files.write(this.#path, `${JSON.stringify(all, null, 2)}\n`);
    this.#loaded = Promise.resolve(all);
    this.#fresh = [];
  }

  async close(): Promise<void> {
    await this.save();
    await this.#through?.close();
  }

  async #load(): Promise<Recording[]> {
    const text = await files.read(this.#path);
    return text === null ? [] : (JSON.parse(text) as Recording[]);
  }

  async #record(request: HttpRequest, question: Recording["request"], within: Within): Promise<HttpResponse> {
    if (this.#through === undefined)
      throw new GatewayError("misconfigured", `The cassette ${this.#path} shall record, but has nothing to send through.`, {
        hint: "Give it { through: httpClient }.",
      });
    const response = await this.#through.exchange(request, within);
    const body = new TextDecoder().decode(await response.bytes(MAX_BODY_BYTES));
    const headers = response.headers.filter(([name]) => name === "content-type");
    const recording: Recording = { request: question, response: { status: response.status, headers, body } };
    this.#fresh.push(recording);
    return replayed(recording);
  }

  #miss(question: Recording["request"], recordings: readonly Recording[]): GatewayError {
    const near = nearest(question, recordings);
    const lines =
      near === null
        ? ["The cassette is empty."]
        : [
            `The nearest of ${recordings.length} is ${near.recording.request.method} ${near.recording.request.url}, which differs:`,
            ...near.differences.slice(0, 8).map((line) => `  ${line}`),
          ];
    return new GatewayError(
      "misconfigured",
      [`The cassette ${this.#path} has no recording of ${question.method} ${question.url}.`, ...lines].join("\n"),
      {
        hint: 'Record it with { mode: "auto", through: … }, or mend what changed the request.',
      },
    );
  }
}

function replayed(recording: Recording): HttpResponse {
  const bytes = new TextEncoder().encode(recording.response.body);
  return {
    status: recording.response.status,
    headers: recording.response.headers,
    bytes: () => Promise.resolve(bytes),
    async *chunks() {
      yield bytes;
    },
    discard: () => undefined,
  };
}
