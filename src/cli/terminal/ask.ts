/** Asks the user yes-or-no questions, if there is a user to ask. */
import { createInterface } from "node:readline";

/** Whether there is a user to ask: standard input and standard error are terminals. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/**
 * Asks on standard error. Any answer but yes, and the end of the input, means no. Returns undefined
 * for Ctrl-C.
 */
export function ask(question: string): Promise<boolean | undefined> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    const settle = (answer: boolean | undefined): void => {
      resolve(answer);
      prompt.close();
    };
    prompt.once("SIGINT", () => {
      process.stderr.write("\n");
      settle(undefined);
    });
    prompt.once("close", () => settle(false));
    prompt.question(`${question} [y/N] `, (answer) => settle(/^y(es)?$/i.test(answer.trim())));
  });
}
