/** The library's public face. */
export { Subnet } from "./net/subnet.ts";
