/**
 * The faults that are injected: what docs/reliability.md has a row for. Pure, so that the page can
 * be checked without injecting any.
 */

interface FaultPlan {
  /** As the page names it. */
  readonly title: string;
  /** How often `npm test` injects it, and how often `npm run reliability` does. */
  readonly times: readonly [few: number, many: number];
}

const plans = {
  killPlg: { title: "`kill -9` of plg while it records, at a random moment", times: [6, 100] },
  killInUserNamespace: {
    title: "the same, in a user namespace that may hold the network namespaces of one run",
    times: [4, 40],
  },
  killReplay: { title: "`kill -9` of plg while it replays, at a random moment", times: [3, 20] },
  killKeeper: { title: "`kill -9` of the keeper of the processes", times: [2, 20] },
  killCommand: { title: "`kill -9` of a command in the middle of its stream", times: [3, 20] },
  stopCommand: { title: "SIGSTOP of a command that receives, then SIGCONT", times: [1, 5] },
  stopPlg: { title: "SIGSTOP of plg, then SIGCONT", times: [1, 5] },
  engineBug: { title: "an exception in the engine thread", times: [2, 10] },
  completerBug: { title: "an exception in the completer thread", times: [2, 10] },
  writerBug: { title: "an exception in the writer thread", times: [2, 10] },
  diskFull: { title: "the disk is full (ext4, `O_DIRECT`)", times: [1, 10] },
  fileLimit: { title: "the dump reaches the limit of file sizes (`ulimit -f`)", times: [1, 5] },
  diskGone: { title: "the disk fails (ext4, shut down: every write is EIO)", times: [1, 10] },
  diskReadOnly: { title: "the disk is read-only", times: [1, 3] },
  dumpInMemory: { title: "the dump is on a tmpfs", times: [1, 5] },
  diskStalls: { title: "the disk stalls (ext4, frozen), then goes on", times: [1, 5] },
  datagramsInStall: { title: "the same, while datagrams are sent", times: [1, 5] },
  killInStall: { title: "`kill -9` of plg while the disk stalls", times: [1, 5] },
  diskSlow: {
    title: "the disk is slower than the network (ext4, frozen most of the time)",
    times: [1, 5],
  },
  descriptors: { title: "plg runs out of file descriptors", times: [1, 5] },
  clockSteps: { title: "the time of day is set, an hour back and a day ahead", times: [1, 5] },
  daemons: { title: "commands leave daemons in sessions of their own", times: [1, 10] },
  outputFlood: { title: "a command floods its output; Ctrl-C", times: [1, 5] },
  interfaceDown: { title: "a command takes its interface down, and up again", times: [1, 5] },
  interfaceDeleted: { title: "a command deletes its interface", times: [1, 5] },
} as const satisfies Record<string, FaultPlan>;

export type FaultName = keyof typeof plans;

export const faults: Readonly<Record<FaultName, FaultPlan>> = plans;

/** What a test found out about a fault. */
export interface FaultRow {
  readonly fault: FaultName;
  readonly times: number;
  readonly lost: string;
  readonly afterwards: string;
}
