import { fileURLToPath } from "node:url";

/** The compiled entry point, for commands that run plg again as a child process. */
export const mainModule: string = fileURLToPath(new URL("../main.js", import.meta.url));
