export { type TlsOptions } from "./address.js";
export { mysql, type MysqlOptions, type MysqlSource } from "./mysql.js";
export { type HostPool } from "./driver/open-driver.js";
