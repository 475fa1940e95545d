import { fileURLToPath } from "node:url";

/** The compiled command line: what a command starts to run plg again as a child process. */
export const mainModule: string = fileURLToPath(new URL("../main.js", import.meta.url));
