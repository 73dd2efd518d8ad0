import { keyPool } from "./key-pool.js";

const { statuses, keys } = await keyPool(5);
console.log(`The caller saw ${statuses.join(" ")}; the vendor saw ${keys.join(", ")}.`);
