export { classesOf } from "./allowance.js";
export { approvalStep } from "./approval-step.js";
export { Approvals } from "./approvals.js";
export { type Classified } from "./classify.js";
