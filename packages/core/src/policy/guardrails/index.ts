export { type Check, type CheckContext, type CheckFinding } from "./detectors/code.js";
export { type DryRun, type TestFinding } from "./dry-run.js";
export { Guardrails, type CodeGuardrail, type GuardrailTest } from "./guardrails.js";
