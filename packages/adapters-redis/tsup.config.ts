import { packageBuild } from "../../tools/package-build.js";

export default packageBuild(["index"]);
