import type { Asker } from "../bridge/question.js";
import { readDeepMessage, readMessage, upstreamPlan, type RpcMessage } from "../frames/message.js";
import { utf8 } from "../frames/splice.js";
import type { ServerTarget } from "../server-target.js";
import type { Secret } from "../../ports/index.js";
import type { Lane, LaneEvents } from "./lane.js";

type Redact = (text: string) => string;

/** Names of environment variables that hold a credential; the others are settings, and stand in results rightly. */
const SECRET_NAME = /auth|cookie|cred|dsn|key|pass|pwd|secret|session|token|url/i;
const TOKEN = /"(?:[^"\\]|\\[^])*"|-?\d[\d.eE+-]*/g;
/** Escapes of characters that credentials are made of. */
const ESCAPED = /\\(?:\/|u00)/;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a server is given and may not tell those who call it. */
export function secretsOf(target: ServerTarget): readonly (Secret | string)[] {
  if (target.kind === "http" || target.kind === "openapi") return target.headers.map(([, value]) => value);
  if (target.kind !== "stdio") return [];
  return Object.entries(target.server.env).flatMap(([name, value]) => (SECRET_NAME.test(name) ? [value] : []));
}

/**
 * A lane on which the server's errors say none of the gateway's secrets (T26), and when the server has secrets of its own, nothing else that it says does. A server without secrets costs its results nothing.
 */
export class RedactingLane implements Lane {
  constructor(
    readonly inner: Lane,
    readonly o: { readonly redact: Redact; readonly hasSecrets: boolean },
  ) {}

  async exchange(...[request, o]: Parameters<Lane["exchange"]>): Promise<RpcMessage> {
    const { onNotice, asker } = o;
    const { redact, hasSecrets } = this.o;
    const isHeard = hasSecrets && (onNotice !== undefined || asker !== undefined);
    const heard = isHeard
      ? {
          ...o,
          onNotice: onNotice === undefined ? undefined : (notice: RpcMessage) => onNotice(redacted(notice, redact)),
          asker: asker === undefined ? undefined : redactingAsker(asker, redact),
        }
      : o;
    const reply = await this.inner.exchange(request, heard);
    return reply.error === null && !hasSecrets ? reply : redacted(reply, redact, request.mayBeDeep);
  }

  notify(...given: Parameters<Lane["notify"]>): Promise<void> {
    return this.inner.notify(...given);
  }
  adopt(version: string): void {
    this.inner.adopt(version);
  }
  begin(): void {
    this.inner.begin();
  }
  stderr(): string | null {
    const text = this.inner.stderr();
    return text === null ? null : this.o.redact(text);
  }
  close(): Promise<void> {
    return this.inner.close();
  }
}

/** What a server with secrets says outside of any request. */
export function redactingEvents(events: LaneEvents, redact: Redact): LaneEvents {
  return {
    onNotice: (notice) => events.onNotice(redacted(notice, redact)),
    onLog: (owner, notice) => events.onLog(owner, redacted(notice, redact)),
    onClose: (why) => events.onClose(why),
  };
}

/** A caller that is asked nothing with a secret in it. */
function redactingAsker(asker: Asker, redact: Redact): Asker {
  return {
    capabilities: asker.capabilities,
    ask: (question, signal) =>
      asker.ask({ ...question, params: question.params === null ? null : redactedText(question.params, redact) }, signal),
    completed: (elicitationId) => asker.completed(elicitationId),
  };
}

function redacted(message: RpcMessage, redact: Redact, isDeep = false): RpcMessage {
  const text = decoder.decode(message.bytes);
  const kept = redactedText(text, redact);
  if (kept === text) return message;
  return isDeep ? readDeepMessage(utf8(kept)) : readMessage(utf8(kept), upstreamPlan);
}

/** The text itself when there is nothing in it to take out. It stays JSON: only strings, names and numbers are replaced, each as a whole token. */
function redactedText(text: string, redact: Redact): string {
  if (!ESCAPED.test(text) && redact(text) === text) return text;
  return text.replace(TOKEN, (token) => {
    const isString = token.startsWith('"');
    const said = isString ? (JSON.parse(token) as string) : token;
    const left = redact(said);
    return left === said ? token : JSON.stringify(left);
  });
}
