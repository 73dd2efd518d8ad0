export { mount, type ExpressHandler, type ExpressRequest } from "./mount.js";
