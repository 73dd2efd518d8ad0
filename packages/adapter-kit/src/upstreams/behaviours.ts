import { bytesOf, type RawAnswer } from "./http-answers.js";
import type { Arrived, Behaviour, Wire } from "./misbehaving-upstream.js";

type Act = (request: Arrived, wire: Wire) => Promise<void>;

/** Answers as it should. */
export function answering(answer: RawAnswer): Act {
  return async (_request, wire) => {
    await wire.write(bytesOf(answer));
    if (answer.closes) wire.end();
  };
}
/** Takes the request and says nothing. */
export const silent: Act = () => Promise.resolve();

/** RST behind the first `count` bytes of the answer, head included. */
export function resettingAt(answer: RawAnswer, count: number): Act {
  return async (_request, wire) => {
    await wire.write(bytesOf(answer).subarray(0, count));
    // What was written is on its way before the reset overtakes it.
    await turn();
    wire.reset();
  };
}
/** FIN there. */
export function endingAt(answer: RawAnswer, count: number): Act {
  return async (_request, wire) => {
    await wire.write(bytesOf(answer).subarray(0, count));
    wire.end();
  };
}
/** Stops behind the first pieces, and from then on gives only `filler` (a comment is no progress), or nothing. */
export function stallingAfter(
  answer: RawAnswer,
  o: { readonly pieces: number; readonly filler?: Uint8Array; readonly everyMs?: number },
): Act {
  return async (_request, wire) => {
    await wire.write(Buffer.concat([answer.head, ...answer.pieces.slice(0, o.pieces)]));
    if (o.filler === undefined) return;
    const timer = setInterval(() => void wire.write(o.filler!), o.everyMs ?? 20);
    await wire.closed;
    clearInterval(timer);
  };
}
/** Gives the answer in writes of `size` bytes, a turn of the event loop apart. */
export function splitting(answer: RawAnswer, size: number): Act {
  return async (_request, wire) => {
    const bytes = bytesOf(answer);
    for (let at = 0; at < bytes.length && !wire.isClosed; at += size) {
      await wire.write(bytes.subarray(at, at + size));
      await turn();
    }
    if (answer.closes) wire.end();
  };
}
/** Repeats a piece until the peer goes, as fast as it is taken; `taken` is told the bytes after each. */
export function endless(o: { readonly begin: RawAnswer; readonly piece: Uint8Array; readonly taken: (bytes: number) => void }): Act {
  return async (_request, wire) => {
    await wire.write(Buffer.concat([o.begin.head, ...o.begin.pieces]));
    for (let bytes = 0; !wire.isClosed; ) {
      await wire.write(o.piece);
      o.taken((bytes += o.piece.length));
      await turn();
    }
  };
}
/** What was promised of the begun answer is kept back until `go` says so. */
export function holding(answer: RawAnswer, o: { readonly pieces: number; readonly go: Promise<void> }): Act {
  return async (_request, wire) => {
    await wire.write(Buffer.concat([answer.head, ...answer.pieces.slice(0, o.pieces)]));
    await o.go;
    await wire.write(Buffer.concat([...answer.pieces.slice(o.pieces), answer.end]));
  };
}
/** One behaviour a request, the last again and again. */
export function inTurn(...acts: readonly Act[]): Act {
  let next = 0;
  return (request, wire) => acts[Math.min(next++, acts.length - 1)]!(request, wire);
}
/** Refuses as soon as it has seen the head, without reading the body, and hangs up. */
export function refusingEarly(answer: RawAnswer): Behaviour {
  return {
    onHead: (_request, wire) => {
      void wire.write(bytesOf(answer)).then(() => wire.end());
      return true;
    },
  };
}
/** Says something provisional before the answer: `100 Continue`, `103 Early Hints`. Nobody asked for it. */
export function informing(answer: RawAnswer, status: 100 | 102 | 103): Act {
  return async (request, wire) => {
    await wire.write(`HTTP/1.1 ${status} Well\r\n\r\n`);
    await answering(answer)(request, wire);
  };
}
/**
 * Answers the first request of a connection, and behind it at once, before anybody asked, gives a second answer: `poison`. Whoever reuses the connection and takes it for the
 * answer to the next request has been poisoned.
 */
export function poisoning(answer: RawAnswer, poison: RawAnswer): Act {
  return async (_request, wire) => {
    await wire.write(bytesOf(answer));
    await turn();
    await wire.write(bytesOf(poison));
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
