/** The steps of the demo, in order. */
import { ExitCode } from "../errors/exit-code.ts";

/** One command line of plg. */
export interface DemoStep {
  /** The purpose of the step, in a few words; `text` explains it in a few lines. */
  readonly title: string;
  readonly text: string;
  /** The arguments of plg. The programs and the dump are in the working directory. */
  readonly args: readonly string[];
  /** The expected exit code. */
  readonly exitCode: ExitCode;
  /** The exit code where random bytes cannot follow from a seed, if it is another. */
  readonly exitCodeUnseeded?: ExitCode;
}

/** The system: each container's name and command. The others find the store by its name. */
const system = [
  "store=node store.js",
  "worker=node worker.js",
  "alice=node alice.js",
  "bob=node bob.js",
];

/** The second system, which speaks TLS. */
const vault = ["vault=node vault.js", "carol=node carol.js"];

export const demoSteps: readonly DemoStep[] = [
  {
    title: "Record",
    text: `Four programs run, each in its own network container, and plg records what they say to each other.
Nobody has to wait for the store to listen: plg holds connections to it until it does.`,
    args: ["record", "--wait-listen", "5s", ...system],
    exitCode: ExitCode.ok,
  },
  {
    title: "Look",
    text: `The recording is one file. This is its table of connections. 'plg view' writes a page of it for your
browser; Wireshark, tshark and tcpdump open the file, too.`,
    args: ["show", "dump.traffic"],
    exitCode: ExitCode.ok,
  },
  {
    title: "Replay",
    text: `All four run again, each alone against the recording: it receives what it received then, and plg
compares what it sends with what it sent then.`,
    args: ["replay"],
    exitCode: ExitCode.ok,
  },
  {
    title: "Replay one alone",
    text: `Now only alice runs. The recording plays the store that she talks to.`,
    args: ["replay", "--only", "alice"],
    exitCode: ExitCode.ok,
  },
  {
    title: "Find the difference",
    text: `The worker is changed: it takes 3 instead of 2 for the first prime. The recording plays the store to
it, and plg reports the first byte that it sends differently. (Exit code 3: the replay differed.)`,
    args: ["replay", "--only", "worker", "worker=node worker.js 3"],
    exitCode: ExitCode.replayDiffers,
  },
  {
    title: "Record an encrypted session",
    text: `carol fetches a secret number from a vault over TLS, which agrees on fresh keys each time.`,
    args: ["record", "-f", "tls.traffic", "--wait-listen=5s", "--until=carol", ...vault],
    exitCode: ExitCode.ok,
  },
  {
    title: "Replay it without a server",
    text: `There is no vault any more, and plg does not know the key. carol draws the same random numbers
again, so the whole session is the same, byte for byte, and she receives the same number.`,
    args: ["replay", "-f", "tls.traffic", "--only", "carol"],
    exitCode: ExitCode.ok,
    exitCodeUnseeded: ExitCode.replayDiffers,
  },
];
