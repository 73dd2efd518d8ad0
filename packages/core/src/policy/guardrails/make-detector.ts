import type { GuardrailRules } from "../../entities/index.js";
import type { HttpClient } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { codeJudge, type Check } from "./detectors/code.js";
import { injectionScanner } from "./detectors/injection.js";
import { moderationJudge } from "./detectors/moderation.js";
import { piiScanner } from "./detectors/pii.js";
import { regexScanner } from "./detectors/regex.js";
import { schemaJudge } from "./detectors/schema.js";
import { secretsScanner } from "./detectors/secrets.js";
import { webhookJudge } from "./detectors/webhook.js";
import { wordsScanner } from "./detectors/words.js";
import type { Detector, GuardrailOrigin } from "./guardrail-set.js";
import { utf8 } from "../../util/json.js";

export interface DetectorOptions {
  readonly services: Services;
  readonly http: HttpClient;
  /** What a webhook's requests are signed with where its guardrail says no secret. */
  readonly webhookKey: (guardrail: string) => Uint8Array;
  readonly checkOf: (name: string) => Check | undefined;
}

/** What a guardrail finds things with. Errors: `missing_dependency`, `validation_failed` for settings that its kind cannot work with. */
export async function makeDetector(
  guardrail: { readonly name: string; readonly origin: GuardrailOrigin; readonly rules: GuardrailRules },
  o: DetectorOptions,
): Promise<Detector> {
  const { rules } = guardrail;
  switch (rules.kind) {
    case "words":
      return { kind: "scan", scanner: wordsScanner(rules.settings) };
    case "regex":
      return { kind: "scan", scanner: await regexScanner(rules.settings) };
    case "secrets":
      return { kind: "scan", scanner: secretsScanner(rules.settings) };
    case "pii":
      return { kind: "scan", scanner: await piiScanner(rules.settings) };
    case "injection":
      return { kind: "scan", scanner: injectionScanner(rules.settings) };
    case "schema":
      return { kind: "judge", judge: await schemaJudge(rules.settings) };
    case "moderation": {
      const { clock, seams } = o.services;
      return { kind: "judge", judge: moderationJudge(rules.settings, { clock, models: () => seams.models.get() }) };
    }
    case "webhook": {
      const { secret } = rules.settings;
      const key = (): Uint8Array => (secret === undefined ? o.webhookKey(guardrail.name) : utf8(secret.reveal()));
      const { clock, crypto } = o.services;
      const trust = guardrail.origin === "database" ? "untrusted" : "operator";
      return { kind: "judge", judge: webhookJudge(rules.settings, { http: o.http, clock, crypto, key, trust }) };
    }
    case "code":
      return { kind: "judge", judge: codeJudge(rules.settings.check, { onError: rules.settings.onError, checkOf: o.checkOf }) };
  }
}
