import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { folder, overStdio } from "../mcp/real-upstreams.js";
import { OWNER_KEY, served } from "../served.js";
import { peer } from "./suite.js";

const { url } = await served({ mcpServers: overStdio });
const { node, program } = peer("@modelcontextprotocol/inspector/clients/launcher/build/index.js");

/** The Inspector's command line, as somebody types it: what it prints is JSON. */
async function inspector(era: string, ...args: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    node,
    [
      program,
      "--cli",
      `${url}/mcp`,
      "--transport",
      "http",
      "--protocol-era",
      era,
      "--header",
      `Authorization: Bearer ${OWNER_KEY}`,
      ...args,
    ],
    { cwd: folder, env: { PATH: process.env["PATH"], HOME: folder, NO_COLOR: "1" } },
  );
  return JSON.parse(stdout);
}

describe.each(["legacy", "modern"])("the Inspector in the %s era", (era) => {
  it("lists and calls the tools of real servers", async () => {
    expect(await inspector(era, "--method", "tools/list")).toMatchObject({
      tools: expect.arrayContaining([
        expect.objectContaining({ name: "everything__echo" }),
        expect.objectContaining({ name: "files__read_text_file" }),
        expect.objectContaining({ name: "memory__read_graph" }),
      ]) as unknown,
    });
    const called = await inspector(era, "--method", "tools/call", "--tool-name", "everything__get-sum", "--tool-arg", "a=2", "b=3");
    expect(JSON.stringify(called)).toContain("5");
    const read = await inspector(
      era,
      "--method",
      "tools/call",
      "--tool-name",
      "files__read_text_file",
      "--tool-arg",
      `path=${folder}/note.txt`,
    );
    expect(JSON.stringify(read)).toContain("kept in a file");
  });

  it("reads resources and prompts", async () => {
    const { resources } = (await inspector(era, "--method", "resources/list")) as { resources: { uri: string }[] };
    const uri = resources.find((resource) => resource.uri.startsWith("sallyport:everything/"))!.uri;
    expect(await inspector(era, "--method", "resources/read", "--uri", uri)).toMatchObject({ contents: [{ uri }] });
    expect(await inspector(era, "--method", "prompts/get", "--prompt-name", "everything__simple-prompt")).toMatchObject({
      messages: [{ role: "user" }],
    });
  });
});
