import type { Json, ModerateAnswer, ModerateCall } from "../../../calls/index.js";
import type { OperationContext } from "../../operations.js";
import { withClient } from "./client.js";

/** Source: https://platform.openai.com/docs/api-reference/moderations. Pictures make the whole input one; texts alone are judged one by one. */
export function moderate(call: ModerateCall, context: OperationContext): Promise<ModerateAnswer> {
  const { inputs } = call;
  const texts = inputs.filter((input) => typeof input === "string");
  const input =
    texts.length === inputs.length
      ? texts
      : inputs.map((each) =>
          typeof each === "string"
            ? { type: "text" as const, text: each }
            : { type: "image_url" as const, image_url: { url: each.imageUrl } },
        );
  return withClient(context, async (client) => {
    const answer = await client.moderations.create({ ...call.extras?.["openai-chat"], model: context.model, input });
    return {
      model: call.model,
      results: answer.results.map((result) => ({
        flagged: result.flagged,
        categories: { ...result.categories } as unknown as Record<string, boolean>,
        scores: { ...result.category_scores } as unknown as Record<string, number>,
        raw: result as unknown as Json,
      })),
      // The vendor judges for nothing and counts nothing.
      usage: {},
    };
  });
}
