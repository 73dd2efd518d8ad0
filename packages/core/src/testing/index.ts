export { cassette, type CassetteOptions } from "./cassette.js";
export { FakeClock } from "./fake-clock.js";
export { type Recording } from "./recording.js";
export { script, type ScriptedCall, type ScriptedModel, type Turn } from "./script.js";
export { createTestGateway, TEST_OWNER_KEY, type TestGatewayOptions } from "./test-gateway.js";
