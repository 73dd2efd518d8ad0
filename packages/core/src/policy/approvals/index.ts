export { classesOf, permissionFor, ruleFor } from "./allowance.js";
export { approvalStep, needsCare } from "./approval-step.js";
export { Approvals } from "./approvals.js";
export { type Classified } from "./classify.js";
