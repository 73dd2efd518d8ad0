import type { Client } from "@modelcontextprotocol/client";
import { expect } from "vitest";

/** A client that a case drives, and what it was asked and told meanwhile. */
export interface Cell {
  readonly client: Client;
  readonly era: "legacy" | "modern";
  /** Methods of what was asked of the client, in order. */
  readonly asked: string[];
  readonly heard: { readonly method: string; readonly params?: unknown }[];
  readonly waits: ReadonlyMap<string, "waiting" | "cancelled">;
}
export interface CellCase {
  readonly title: string;
  readonly run: (cell: Cell) => Promise<void>;
}

const call = ({ client }: Cell, name: string, args: Record<string, unknown> = {}) => client.callTool({ name, arguments: args });
const content = async (cell: Cell, name: string) => JSON.stringify((await call(cell, name)).content);
const texts = (cell: Cell, method: string) => cell.heard.filter((one) => one.method === method);
const heard = (cell: Cell, method: string, matches: (params: unknown) => boolean = () => true) =>
  expect.poll(() => texts(cell, method).some(({ params }) => matches(params))).toBe(true);
/** Both eras' way to say which changes are wanted to be heard of. */
async function watch({ client, era }: Cell, uri: string): Promise<void> {
  if (era === "legacy") await client.subscribeResource({ uri });
  else await client.listen({ toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: [uri] });
}

const plain: readonly CellCase[] = [
  {
    title: "tools, with schemas as their server wrote them",
    run: async ({ client }) => {
      const { tools } = await client.listTools();
      expect(tools.find(({ name }) => name === "json_schema_2020_12_tool")?.inputSchema).toMatchObject({
        $defs: { address: { $anchor: "addressDef" } },
        if: { required: ["contactMethod"] },
      });
      expect(tools.find(({ name }) => name === "test_structured")?.outputSchema).toMatchObject({ required: ["n"] });
    },
  },
  {
    title: "text, pictures, sound, embedded resources",
    run: async (cell) => {
      expect(await content(cell, "test_simple_text")).toContain("simple text");
      expect(await content(cell, "test_image_content")).toContain('"mimeType":"image/png"');
      expect(await content(cell, "test_audio_content")).toContain('"mimeType":"audio/wav"');
      expect(await content(cell, "test_multiple_content_types")).toContain("test://mixed-content-resource");
    },
  },
  {
    title: "structured content",
    run: async (cell) => expect((await call(cell, "test_structured")).structuredContent).toEqual({ n: 1.5, of: ["a"] }),
  },
  {
    title: "errors of tools, and of the protocol",
    run: async (cell) => {
      expect(await call(cell, "test_error_handling")).toMatchObject({ isError: true });
      await expect(call(cell, "no_such_tool")).rejects.toMatchObject({ code: -32602 });
    },
  },
  {
    title: "resources and templates",
    run: async ({ client }) => {
      expect((await client.listResources()).resources.map(({ uri }) => uri)).toContain("test://static-text");
      expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
      expect(await client.readResource({ uri: "test://template/7/data" })).toMatchObject({ contents: [{ uri: "test://template/7/data" }] });
      expect(await client.readResource({ uri: "test://static-binary" })).toMatchObject({
        contents: [{ blob: expect.any(String) as string }],
      });
      await expect(client.readResource({ uri: "test://nowhere" })).rejects.toThrow();
    },
  },
  {
    title: "prompts and completion",
    run: async ({ client }) => {
      expect((await client.listPrompts()).prompts.length).toBeGreaterThan(3);
      const prompt = await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "a", arg2: "b" } });
      expect(prompt.messages[0]).toMatchObject({ content: { text: "Prompt with arguments: arg1='a', arg2='b'" } });
      const ref = { type: "ref/prompt" as const, name: "test_prompt_with_arguments" };
      expect((await client.complete({ ref, argument: { name: "arg1", value: "pari" } })).completion.values).toEqual(["paris"]);
    },
  },
];

const meanwhile: readonly CellCase[] = [
  {
    title: "progress",
    run: async ({ client }) => {
      const steps: number[] = [];
      await client.callTool(
        { name: "test_tool_with_progress", arguments: {} },
        { onprogress: ({ progress }) => void steps.push(progress) },
      );
      expect(steps).toEqual([0, 50, 100]);
    },
  },
  {
    title: "log messages, to who asked for them",
    run: async (cell) => {
      if (cell.era === "legacy") await cell.client.setLoggingLevel("info");
      const _meta = cell.era === "legacy" ? {} : { "io.modelcontextprotocol/logLevel": "info" };
      await cell.client.callTool({ name: "test_tool_with_logging", arguments: {}, _meta });
      await expect.poll(() => texts(cell, "notifications/message").length).toBe(3);
    },
  },
  {
    title: "cancellation",
    run: async (cell) => {
      const label = `${cell.era} ${Math.random()}`;
      const abort = new AbortController();
      const waiting = cell.client.callTool({ name: "test_wait", arguments: { label } }, { signal: abort.signal });
      await expect.poll(() => cell.waits.get(label)).toBe("waiting");
      abort.abort();
      await expect(waiting).rejects.toThrow();
      await expect.poll(() => cell.waits.get(label)).toBe("cancelled");
    },
  },
  {
    title: "changes of lists",
    run: async (cell) => {
      await watch(cell, "test://watched-resource");
      await call(cell, "test_trigger_tool_change");
      await heard(cell, "notifications/tools/list_changed");
      await call(cell, "test_trigger_prompt_change");
      await heard(cell, "notifications/prompts/list_changed");
    },
  },
  {
    title: "changes of a resource",
    run: async (cell) => {
      await watch(cell, "test://watched-resource");
      await call(cell, "test_touch");
      await heard(cell, "notifications/resources/updated", (params) => JSON.stringify(params).includes("test://watched-resource"));
    },
  },
];

const asks = (
  title: string,
  { tool, methods, answer }: { readonly tool: string; readonly methods: readonly string[]; readonly answer: string },
): CellCase => ({
  title,
  run: async (cell) => {
    expect(await content(cell, `test_${tool}`)).toContain(answer);
    expect([...cell.asked].sort()).toEqual([...methods].sort());
  },
});
const questions: readonly CellCase[] = [
  asks("a question to the user, by form", {
    tool: "input_required_result_elicitation",
    methods: ["elicitation/create"],
    answer: "Hello, Ada!",
  }),
  asks("a question to the user, by URL", { tool: "url_elicitation", methods: ["elicitation/create"], answer: "accept" }),
  asks("a question to the client's model (sampling)", {
    tool: "input_required_result_sampling",
    methods: ["sampling/createMessage"],
    answer: "Paris",
  }),
  asks("a question for the client's roots", { tool: "input_required_result_list_roots", methods: ["roots/list"], answer: "file:///here" }),
  asks("several questions at once", {
    tool: "input_required_result_multiple_inputs",
    methods: ["elicitation/create", "roots/list", "sampling/createMessage"],
    answer: "All three",
  }),
  asks("several rounds of questions", {
    tool: "input_required_result_multi_round",
    methods: ["elicitation/create", "elicitation/create"],
    answer: "Both steps",
  }),
  {
    title: "a question of a prompt",
    run: async ({ client, asked }) => {
      const prompt = await client.getPrompt({ name: "test_input_required_result_prompt" });
      expect(JSON.stringify(prompt.messages)).toContain("In the context");
      expect(asked).toEqual(["elicitation/create"]);
    },
  },
];

/** What a client and a server may have to do with each other, whichever era each is of. */
export const cellCases: readonly CellCase[] = [...plain, ...meanwhile, ...questions];
