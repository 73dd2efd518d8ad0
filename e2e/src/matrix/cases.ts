import { expect } from "vitest";
import type { Ask, Face, Said } from "./faces/face.js";

const weather = { name: "get_weather", schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } };
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

export interface Case {
  readonly title: string;
  /** By provider: why the vendors' stand-in cannot play this case; the codec's own tests have it from recordings. */
  readonly unplayable?: Readonly<Record<string, string>>;
  /** `lastBody` is what the vendor was sent last. */
  run(face: Face, o: { readonly model: string; readonly lastBody: () => string }): Promise<void>;
}

const user = (text: string) => ({ role: "user" as const, text });
const whole = (model: string, text: string, more: Partial<Ask> = {}): Ask => ({ model, turns: [user(text)], stream: false, ...more });
const streamed = (model: string, text: string, more: Partial<Ask> = {}): Ask => whole(model, text, { ...more, stream: true });
const both = async (face: Face, ask: Ask, check: (said: Said) => void): Promise<void> => {
  check(await face.ask(ask));
  check(await face.ask({ ...ask, stream: true }));
};

/** What every face has to carry to every protocol. */
export const cases: readonly Case[] = [
  {
    title: "text",
    run: async (face, { model }) => {
      const said = await face.ask(whole(model, "hello"));
      expect(said).toMatchObject({ text: "Hello there, friend.", finish: "stop", calls: [] });
    },
  },
  {
    title: "text, streamed",
    run: async (face, { model }) => {
      const said = await face.ask(streamed(model, "hello"));
      expect(said).toMatchObject({ text: "Hello there, friend.", finish: "stop", calls: [] });
    },
  },
  {
    title: "usage",
    run: (face, { model }) =>
      both(face, whole(model, "hello"), ({ usage }) => expect(usage).toEqual({ input: expect.any(Number), output: expect.any(Number) })),
  },
  {
    title: "system",
    run: (face, { model }) =>
      both(face, whole(model, "who are you", { system: "You are a pirate" }), ({ text }) => expect(text).toBe("Arr, a pirate.")),
  },
  {
    title: "many turns",
    run: async (face, { model }) => {
      const first = await face.ask(whole(model, "hello"));
      const turns = [user("hello"), { role: "assistant" as const, raw: first.raw }, user("and then")];
      await both(face, { model, turns, stream: false }, ({ text }) => expect(text).toBe("The end."));
    },
  },
  {
    title: "tool call",
    run: (face, { model }) =>
      both(face, whole(model, "what is the weather", { tools: [weather] }), ({ calls, finish }) => {
        expect(calls).toEqual([{ id: expect.any(String), name: "get_weather", args: { city: "Oslo" } }]);
        expect(finish).toBe("tools");
      }),
  },
  {
    title: "parallel tool calls",
    run: (face, { model }) =>
      both(face, whole(model, "what is the weather in two places", { tools: [weather] }), ({ calls }) =>
        expect(calls.map(({ args }) => args)).toEqual([{ city: "Oslo" }, { city: "Rome" }]),
      ),
  },
  {
    title: "tool result",
    run: async (face, { model }) => {
      for (const stream of [false, true]) {
        const first = await face.ask(whole(model, "what is the weather", { tools: [weather], stream }));
        const results = first.calls.map(({ id, name }) => ({ id, name, text: "12 degrees" }));
        const turns = [user("what is the weather"), { role: "assistant" as const, raw: first.raw }, { role: "tool" as const, results }];
        const second = await face.ask({ model, turns, tools: [weather], stream });
        expect(second).toMatchObject({ text: "Sunny in Oslo.", finish: "stop" });
      }
    },
  },
  {
    title: "structured output",
    run: async (face, { model, lastBody }) => {
      const schema = { type: "object", properties: { answer: { type: "string" } }, required: ["answer"], additionalProperties: false };
      await both(face, whole(model, "say it in json", { schema }), ({ text }) => expect(JSON.parse(text)).toEqual({ answer: "yes" }));
      expect(lastBody()).toContain('"answer"');
    },
  },
  {
    title: "picture",
    run: async (face, { model, lastBody }) => {
      const turns = [{ role: "user" as const, text: "what do you see", imageBase64: pixel }];
      expect((await face.ask({ model, turns, stream: false })).text).toBe("A picture.");
      expect(lastBody()).toContain(pixel);
    },
  },
  {
    title: "reasoning",
    run: (face, { model }) =>
      both(face, whole(model, "think hard"), ({ text, reasoning }) => {
        expect(text).toBe("Forty-two.");
        expect(reasoning).toBe("Six times seven.");
      }),
  },
  {
    title: "cut off at the limit",
    unplayable: { responses: "the stand-in does not say why an answer is incomplete" },
    run: (face, { model }) => both(face, whole(model, "be long"), ({ finish }) => expect(finish).toBe("length")),
  },
  {
    title: "rate limit",
    run: (face, { model }) => expect(face.ask(whole(model, "slow down"))).rejects.toBeInstanceOf(face.errorClass(429)),
  },
  {
    title: "vendor down",
    run: (face, { model }) => expect(face.ask(streamed(model, "break"))).rejects.toBeInstanceOf(face.errorClass(502)),
  },
];
