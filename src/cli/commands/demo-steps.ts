/** The steps of the demo, in order. */
import { ExitCode } from "../../base/errors.ts";

/** One command line of plg. */
export interface DemoStep {
  /** The purpose of the step, in a few words; `text` explains it in a few lines. */
  readonly title: string;
  readonly text: string;
  /** The arguments of plg. The programs and the dump are in the working directory. */
  readonly args: readonly string[];
  /** The expected exit code. */
  readonly exitCode: ExitCode;
}

/** The system: each container's name and command. The others find the store by its name. */
const system = [
  "store=node store.js",
  "worker=node worker.js",
  "alice=node alice.js",
  "bob=node bob.js",
];

export const demoSteps: readonly DemoStep[] = [
  {
    title: "Record",
    text: `Four programs run, each in a network container of its own, and plg records what they say to each
other. Nobody has to sleep until the store listens: connections to it are held that long.`,
    args: ["record", "--wait-listen", "5s", ...system],
    exitCode: ExitCode.ok,
  },
  {
    title: "Look",
    text: `The recording is one file. This is its table of connections. 'plg view' makes a page of it for your
browser; Wireshark, tshark and tcpdump open it as well.`,
    args: ["show", "dump.traffic"],
    exitCode: ExitCode.ok,
  },
  {
    title: "Replay",
    text: `All four run again. Each stands alone against the recording: what it gets is what it got then, and
what it sends is compared with what it sent then.`,
    args: ["replay"],
    exitCode: ExitCode.ok,
  },
  {
    title: "Replay one alone",
    text: `Now only alice runs. The store that she talks to is played from the recording.`,
    args: ["replay", "--only", "alice"],
    exitCode: ExitCode.ok,
  },
  {
    title: "Find the difference",
    text: `The worker is changed: it takes 3 instead of 2 for the first prime. plg plays the recorded store to
it, and tells the first byte that it sends otherwise. (Exit code 3 says: it differs.)`,
    args: ["replay", "--only", "worker", "worker=node worker.js 3"],
    exitCode: ExitCode.replayDiffers,
  },
];
