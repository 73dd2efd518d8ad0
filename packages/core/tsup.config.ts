import { packageBuild } from "../../tools/package-build.js";

export default packageBuild([
  "index",
  "ports/index",
  "entities/index",
  "client/index",
  "node/index",
  "testing/index",
  "platform/node",
  "platform/web",
]);
