import { image } from "./image.js";

for (const [name, bytes] of Object.entries(await image())) console.log(`${name}: a picture of ${bytes.length} bytes`);
