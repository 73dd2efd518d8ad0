import { afterEach, describe, expect, it } from "vitest";
import { clock, httpClient } from "#platform";
import { fetchMedia } from "../../src/routing/lanes/prepare/fetch-media.js";
import { isLong } from "../../src/routing/lanes/prepare/prepare-call.js";
import { wayTo } from "../../src/routing/lanes/prepare/way-to.js";
import { saneUsage } from "../../src/routing/lanes/sane-usage.js";
import { warningsHeader } from "../../src/routing/lanes/warnings-header.js";
import { openaiChat } from "../../src/wire/openai-chat/index.js";
import { way } from "./tokens/harness.js";
import { chat, closeAll, completion, header, json, options, read, routing, upstream, type Reply } from "./harness.js";

afterEach(closeAll);

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 255]);
const picture: Reply = (_seen, answer) => void answer.writeHead(200, { "content-type": "image/png" }).end(PNG);
const media = (url: string, mediaType = "image/*") => ({ field: "messages[0].content[1]", url, mediaType });

describe("84: media by URL for a vendor that cannot fetch", () => {
  async function fetched(reply: Reply, o: { mediaType?: string; allowPrivate?: boolean } = {}) {
    const { base, seen } = await upstream(reply);
    const http = httpClient({ clock, connectMs: 1_000, allowPrivate: o.allowPrivate ?? true });
    const nowMs = Date.now();
    const wanted = [media(`${base}/a`, o.mediaType), media(`${base}/a`, o.mediaType)];
    const found = fetchMedia(wanted, { http, signal: new AbortController().signal, deadlineMs: nowMs + 5_000, nowMs });
    return { found: found.finally(() => http.close()), url: `${base}/a`, seen };
  }

  it("is fetched once, with nothing of the caller's or ours, and given as its bytes", async () => {
    const { found, url, seen } = await fetched(picture);
    expect((await found).get(url)).toEqual({ mediaType: "image/png", data: Buffer.from(PNG).toString("base64") });
    expect(seen).toHaveLength(1);
    expect(Object.keys(seen[0]!.headers).sort()).toEqual(["accept", "connection", "host"]);
  });

  it("is not fetched from a private address, nor by a redirect to one", async () => {
    const { found, seen } = await fetched(picture, { allowPrivate: false });
    await expect(found).rejects.toMatchObject({ code: "address_refused", details: { field: "messages[0].content[1]" } });
    expect(seen).toEqual([]);
  });

  it("follows a few redirects and no more", async () => {
    let hops = 0;
    const hop: Reply = (seen, answer, incoming) => {
      if (hops++ < 3) answer.writeHead(302, { location: `/v1/b${hops}` }).end();
      else void picture(seen, answer, incoming);
    };
    expect((await (await fetched(hop)).found).size).toBe(1);
    hops = -9;
    await expect((await fetched(hop)).found).rejects.toMatchObject({ code: "validation_failed" });
  });

  it.each<[string, Reply, string?]>([
    ["is no media", (_seen, answer) => void answer.writeHead(200, { "content-type": "text/html" }).end("<p>")],
    ["is media of another kind", (_seen, answer) => void answer.writeHead(200, { "content-type": "audio/mpeg" }).end("x")],
    ["is not there", (_seen, answer) => void answer.writeHead(404).end()],
    ["has no type, and none was said", (_seen, answer) => void answer.writeHead(200).end("x"), "application/octet-stream"],
    ["is too large", (_seen, answer) => void answer.writeHead(200, { "content-type": "image/png" }).end(Buffer.alloc(20_971_521))],
  ])("that %s is the caller's mistake, naming the field", async (_case, reply, mediaType) => {
    const { found } = await fetched(reply, mediaType === undefined ? {} : { mediaType });
    await expect(found).rejects.toMatchObject({ code: "validation_failed", message: expect.stringContaining("messages[0].content[1]") });
  });

  it("from a private address costs nothing upstream; bytes that are in the call go there", async () => {
    const pictures = await upstream(picture);
    const vendor = await upstream(json(completion("a dot")));
    const lab = { vendor: "openai-compatible" as const, baseUrl: vendor.base, apiKey: "k", quirks: { mediaByUrl: false } };
    const { models } = routing({ providers: { lab }, config: { network: { allowPrivate: true } } });
    const url = `${pictures.base}/dot.png`;
    const messages = [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }];
    const asked = models.relay(chat({ model: "lab/m", messages }), options());
    // The harness's client refuses private addresses, as every gateway does by default.
    await expect(asked).rejects.toMatchObject({ code: "address_refused" });
    expect(vendor.seen).toEqual([]);
    const inline = [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVA=" } }] }];
    expect(await read(await models.relay(chat({ model: "lab/m", messages: inline }), options()))).toContain("a dot");
  });
});

describe("the warnings of a call", () => {
  it("are one header, the same said once", () => {
    expect(warningsHeader([])).toBeNull();
    expect(
      warningsHeader([
        { field: "seed", what: "is not known there" },
        { field: "messages[1]", what: "was cut" },
        { field: "topK", what: "is not known there" },
      ]),
    ).toBe("seed (and 1 more): is not known there; messages[1]: was cut");
  });

  it("are bounded and cannot break a header, whatever they quote", () => {
    const hostile = Array.from({ length: 500 }, (_, i) => ({
      field: `tools[${i}]\r\nx-evil: 1`,
      what: `é; ${"long ".repeat(i % 90)}${i}`,
    }));
    const value = warningsHeader(hostile)!;
    expect(value).toMatch(/^[\x20-\x7e]{1,1020}$/);
    expect(value).toMatch(/; \+\d+ more$/);
  });

  it("reach the caller of a translated call, and not of one without any", async () => {
    const vendor = await upstream(json(completion("x")));
    const quirks = { developerRole: false, dropped: ["seed"] as const };
    const { models } = routing({ providers: { lab: { vendor: "openai-compatible", baseUrl: vendor.base, apiKey: "k", quirks } } });
    const messages = [
      { role: "developer", content: "be brief" },
      { role: "user", content: "hello" },
    ];
    const answer = await models.relay(chat({ model: "lab/m", messages, seed: 1 }), options());
    expect(header(answer, "x-sallyport-warnings")).toMatch(/seed/);
    const clean = await models.relay(chat({ model: "lab/m", messages }), options());
    expect(header(clean, "x-sallyport-warnings")).toBeUndefined();
  });
});

describe("F55: usage that cannot be true", () => {
  const unbounded = { contextTokens: null, maxOutputTokens: null };
  it.each([
    ["zero stays zero", { inputTokens: 0, outputTokens: 0 }, { inputTokens: 0, outputTokens: 0 }],
    ["missing stays missing", { outputTokens: 3 }, { outputTokens: 3 }],
    ["negative is unknown", { inputTokens: -5, outputTokens: 3 }, { inputTokens: undefined, outputTokens: 3, estimated: true }],
    [
      "broken is unknown",
      { inputTokens: 0.5, outputTokens: Number.NaN },
      { inputTokens: undefined, outputTokens: undefined, estimated: true },
    ],
    ["huge is unknown where no bound is known", { outputTokens: 1e308 }, { outputTokens: undefined, estimated: true }],
  ])("%s", (_case, told, kept) => {
    expect(saneUsage(told, unbounded)).toEqual(kept);
  });
  it("huge is cut to what the model can do", () => {
    const told = { inputTokens: 9e15, outputTokens: 9e15, cacheReadTokens: 7 };
    expect(saneUsage(told, { contextTokens: 200_000, maxOutputTokens: 8_000 })).toEqual({
      ...{ inputTokens: 200_000, outputTokens: 8_000, cacheReadTokens: 7, estimated: true },
    });
  });
});

describe("the protocol of an attempt", () => {
  const codecOf = (protocol: string) => (protocol === "openai-chat" ? openaiChat : null);
  it("is the caller's own when the target has it, else the first that we speak", () => {
    const { target } = way("openai-chat");
    expect(wayTo(target, "openai-chat", { codecOf }).codec).toBe(openaiChat);
    expect(wayTo(target, "anthropic-messages", { codecOf }).codec).toBe(openaiChat);
    expect(() => wayTo(target, null, { codecOf: () => null })).toThrow(expect.objectContaining({ code: "unsupported_feature" }));
  });

  it("63: a whole answer that may be long is streamed from the vendor", () => {
    const long = { ...openaiChat, traits: { ...openaiChat.traits, streamAbove: 20_000 } };
    expect([20_000, 20_001, undefined].map((maxOutputTokens) => isLong({ maxOutputTokens }, long))).toEqual([false, true, false]);
    expect(isLong({ maxOutputTokens: 1e9 }, openaiChat)).toBe(false);
  });
});
