import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Speaker } from "./asked.js";

export function httpSpeaker(response: ServerResponse): Speaker {
  const gone = new Promise<void>((resolve) => response.once("close", () => resolve()));
  const begin = (type: string): void => {
    if (!response.headersSent) response.writeHead(200, { "content-type": type });
  };
  return {
    transport: "http",
    get isOpen() {
      return !response.destroyed && !response.writableEnded;
    },
    gone,
    send(message) {
      begin("application/json");
      response.end(message);
    },
    sse(message) {
      begin("text/event-stream");
      response.write(`data: ${message}\n\n`);
    },
    async raw(bytes, contentType = "application/json") {
      begin(contentType);
      if (!response.write(bytes)) await Promise.race([once(response, "drain"), gone]);
    },
    instead(bytes) {
      response.socket?.end(bytes);
    },
    end() {
      if (!response.headersSent) response.writeHead(202);
      response.end();
    },
    cut() {
      response.socket?.resetAndDestroy();
    },
  };
}

export function stdioSpeaker(socket: Socket): Speaker {
  const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return {
    transport: "stdio",
    get isOpen() {
      return !socket.destroyed;
    },
    gone,
    send: (message) => void socket.write(`${message}\n`),
    sse: (message) => void socket.write(`${message}\n`),
    async raw(bytes) {
      if (!socket.write(bytes)) await Promise.race([once(socket, "drain"), gone]);
    },
    instead: (bytes) => void socket.write(bytes),
    // A stream that carries everything has no end of one answer.
    end: () => undefined,
    cut: () => void socket.destroy(),
  };
}
