import { sqlite } from "@sallyport/adapters-sqlite";
import { Gateway } from "@sallyport/core";
import { guide } from "./guide.js";

export interface Told {
  readonly first: string;
  readonly second: string;
  /** What the model said in the branch, which knows nothing of the second turn. */
  readonly other: string;
  readonly markdown: string;
}

/** A gateway of a process: what it keeps is in the file, and any other process goes on with it. */
function gatewayOn(file: string): Gateway {
  const gateway = new Gateway({ storage: sqlite(file) });
  gateway.providers.add(guide);
  return gateway;
}

/** Two turns in two processes, as it were; then a branch of the first, and the whole as a text. */
export async function conversation(file: string): Promise<Told> {
  const morning = gatewayOn(file);
  const { id } = await morning.sessions.create({ title: "A trip", model: "house/guide", instructions: "You plan trips." });
  const first = await morning.run({ session: id, input: "to the sea" }).text;
  await morning.close();

  const evening = gatewayOn(file);
  try {
    const second = await evening.run({ session: id, input: "by train" }).text;
    const branch = await evening.sessions.branch(id, { atSeq: 2, title: "Another trip" });
    const other = await evening.run({ session: branch.id, input: "by ship" }).text;
    let markdown = "";
    for await (const piece of await evening.sessions.export(id, { format: "markdown" })) markdown += piece;
    return { first, second, other, markdown };
  } finally {
    await evening.close();
  }
}
