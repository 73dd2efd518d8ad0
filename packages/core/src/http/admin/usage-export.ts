import type { UsageRow } from "../../entities/index.js";
import { usageRoutes } from "../../routes/index.js";
import { decimalUsd } from "../../util/encoding/decimal-usd.js";
import { csvLine } from "../resources/csv.js";

type View = ReturnType<typeof usageViewOf>;

const encoder = new TextEncoder();

/** What people see of a usage row. */
export function usageViewOf(row: UsageRow) {
  return {
    id: row.id,
    at_ms: row.atMs,
    project_id: row.projectId,
    caller_id: row.callerId,
    key_id: row.keyId,
    user_id: row.userId,
    team_id: row.teamId,
    agent_id: row.agentId,
    request_id: row.requestId,
    run_id: row.runId,
    kind: row.kind,
    operation: row.operation,
    name: row.name,
    server: row.server,
    provider: row.provider,
    model: row.model,
    purpose: row.purpose,
    input_tokens: row.inputTokens,
    cache_read_tokens: row.cacheReadTokens,
    cache_write_tokens: row.cacheWriteTokens,
    output_tokens: row.outputTokens,
    reasoning_tokens: row.reasoningTokens,
    cost_usd: row.costNanoUsd === null ? null : decimalUsd(row.costNanoUsd),
    saved_usd: row.savedNanoUsd === null ? null : decimalUsd(row.savedNanoUsd),
    attempts: row.attempts,
    estimated: row.estimated,
    partial: row.partial,
    status: row.status,
    duration_ms: row.durationMs,
  };
}

/** One file of usage rows, a page of the store at a time: the whole is never held. */
export async function* usageFile(pages: AsyncIterable<readonly UsageRow[]>, format: "csv" | "json"): AsyncGenerator<Uint8Array> {
  const columns = Object.keys(usageRoutes.export.output.schema.element.shape) as (keyof View)[];
  let isFirst = true;
  for await (const page of pages) {
    let text = isFirst ? (format === "csv" ? csvLine(columns) : "[") : "";
    for (const row of page) {
      const view = usageViewOf(row);
      if (format === "csv") text += csvLine(columns.map((column) => view[column]));
      else text += `${isFirst ? "" : ","}\n${JSON.stringify(view)}`;
      isFirst = false;
    }
    isFirst = false;
    if (text !== "") yield encoder.encode(text);
  }
  if (format === "json") yield encoder.encode("\n]\n");
}
