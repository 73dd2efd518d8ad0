import { expect, it } from "vitest";
import type { JsonObject } from "../../calls/index.js";
import type { QuestionGuard } from "../../policy/guardrails/guard-call.js";
import { GuardedAsker } from "./guarded-asker.js";
import type { Asker, Question } from "./question.js";

function place() {
  const asked: Question[] = [];
  const completed: string[] = [];
  const asker: Asker = {
    capabilities: {},
    ask: (question) => Promise.resolve((asked.push(question), { result: '{"action":"accept"}' })),
    completed: (id) => void completed.push(id),
  };
  const masked = (said: JsonObject) => Promise.resolve(JSON.parse(JSON.stringify(said).replaceAll("pear", "[removed]")) as JsonObject);
  const guard: QuestionGuard = { question: masked, answer: masked };
  const never = new AbortController().signal;
  const guarded = new GuardedAsker(asker, { guard: () => guard, seesAnswers: true, end: (error) => Promise.reject(error) });
  return { asked, completed, guarded, never };
}
const errand = (elicitationId: string) => JSON.stringify({ mode: "url", message: "Go.", url: "https://x.example/", elicitationId });

it("tells of an errand that is done by the id that its client knows", async () => {
  const { asked, completed, guarded, never } = place();
  for (const id of ["pear-1", "2"]) await guarded.ask({ method: "elicitation/create", params: errand(id) }, never);
  expect(asked.map(({ params }) => (JSON.parse(params!) as { elicitationId: string }).elicitationId)).toEqual(["[removed]-1", "2"]);
  for (const id of ["pear-1", "2"]) guarded.completed(id);
  expect(completed).toEqual(["[removed]-1", "2"]);
});

it("leaves alone what this gateway asks by itself", async () => {
  const { asked, guarded, never } = place();
  const ours: Question = { method: "elicitation/create", params: errand("pear"), isOurs: true };
  await guarded.ask(ours, never);
  expect(asked).toEqual([ours]);
});
