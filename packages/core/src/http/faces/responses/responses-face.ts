import { GatewayError } from "../../../errors/index.js";
import type { responsesRoutes } from "../../../routes/index.js";
import type { InputItemsPage, Seams } from "../../../seams/index.js";
import { jsonAnswer, jsonBytesAnswer } from "../../answers.js";
import { callOptions, type Exchange, type Handler } from "../../exchange.js";
import { countTokens } from "../count-tokens.js";
import { readJsonBytes } from "../json-body.js";
import { invalidQuery, pageSize } from "../page-size.js";
import { decodeParam } from "../params.js";
import { sseHeaders } from "../sse.js";

const protocol = "openai-responses";

/** OpenAI's Responses; what is kept of them is `Responses`' affair. Source: https://platform.openai.com/docs/api-reference/responses */
export function responsesFace(seams: Seams): Readonly<Record<keyof typeof responsesRoutes, Handler>> {
  const responses = () => seams.responses.get();
  return {
    create: async (x) => responses().create(await readJsonBytes(x.inbound, x.maxBodyBytes), callOptions(x)),
    inputTokens: async (x) => {
      const bytes = await responses().expand(await readJsonBytes(x.inbound, x.maxBodyBytes), x.caller);
      return countTokens(seams.models.get(), { protocol, bytes }, x);
    },
    compact: () => {
      throw new GatewayError(
        "unsupported_feature",
        "The gateway does not compact conversations: what a vendor seals of one can be read by nobody else.",
        {
          hint: "Continue with previous_response_id, or send a shorter input.",
        },
      );
    },
    get: async (x) => {
      const query = new URLSearchParams(x.inbound.query);
      if (query.get("stream") !== "true") return jsonBytesAnswer(await responses().get(idOf(x), x.caller));
      const { caller, inbound } = x;
      const frames = await responses().events(idOf(x), { caller, signal: inbound.signal, after: startingAfter(query) });
      return { status: 200, headers: sseHeaders, body: { kind: "frames", frames }, done: () => undefined };
    },
    delete: async (x) => {
      const id = idOf(x);
      await responses().remove(id, x.caller);
      return jsonAnswer(200, { id, object: "response", deleted: true });
    },
    cancel: async (x) => jsonBytesAnswer(await responses().cancel(idOf(x), x.caller)),
    inputItems: async (x) => {
      const page = itemsPage(new URLSearchParams(x.inbound.query));
      return jsonBytesAnswer(await responses().inputItems(idOf(x), page, x.caller));
    },
  };
}

/** Errors: `not_found` for what can be no id. */
function idOf(x: Exchange): string {
  const id = decodeParam(x.params, "id");
  if (/^[A-Za-z0-9_-]{1,64}$/.test(id)) return id;
  throw new GatewayError("not_found", "There is no such response.", { hint: "Ids of responses begin with resp_." });
}

function startingAfter(query: URLSearchParams): number {
  const given = query.get("starting_after");
  if (given === null || given === "") return -1;
  if (/^\d{1,9}$/.test(given)) return Number(given);
  throw invalidQuery("starting_after", "must be the sequence number of an event");
}

function itemsPage(query: URLSearchParams): InputItemsPage {
  const order = query.get("order") ?? "desc";
  if (order !== "asc" && order !== "desc") throw invalidQuery("order", "must be asc or desc");
  const after = query.get("after");
  return { limit: pageSize(query, "limit", { usual: 20, most: 100 }), order, after: after === null || after === "" ? undefined : after };
}
