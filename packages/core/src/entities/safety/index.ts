export { detection, detectionTypes, type DetectionRow, type DetectionType } from "./detection.js";
export {
  guardrail,
  guardrailActions,
  guardrailInputOf,
  guardrailSchema,
  guardrailStages,
  severities,
  type GuardrailAction,
  type GuardrailInput,
  type GuardrailRow,
  type GuardrailRules,
  type GuardrailStage,
  type Severity,
} from "./guardrail.js";
export {
  guardrailKinds,
  guardrailSettings,
  piiTypes,
  type GuardrailKind,
  type GuardrailSettings,
  type PiiType,
} from "./guardrail-settings.js";
