/** Questions that a user answers with yes or no, where there is a user to ask. */
import { createInterface } from "node:readline";

/** Whether somebody can be asked: both ends of the conversation are a terminal. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/**
 * Asks on standard error. Anything but a yes is a no, the end of the input too; undefined means that
 * Ctrl-C was the answer.
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
