/** Checks whether commands' random bytes can follow from a seed: a program draws some twice. */
import { commandFilter, supervise } from "../determinism/seeding.ts";
import { SupervisorHost } from "../determinism/supervisor-host.ts";
import { Spawner } from "../sandbox/processes/spawner.ts";
import { closeNamespace, currentNamespace, inNewNamespaces } from "../sys/namespace.ts";
import { type Check, tryOut } from "./check.ts";
import { outputInProcessSpace } from "./process-space-output.ts";

const program = `console.log(require("node:crypto").randomBytes(8).toString("hex"), require("node:fs").readFileSync("/proc/self/personality", "utf8"))`;
/** ADDR_NO_RANDOMIZE of <sys/personality.h>, as /proc writes it. */
const fixedAddresses = /\b[0-9a-f]{3}[4-7c-f][0-9a-f]{4}\b/;

export function checkSeeding(): Promise<Check> {
  return tryOut(
    "random bytes",
    async () => {
      const [first, second] = [await draw(), await draw()];
      if (first === "" || first !== second) throw new Error("a program drew different ones");
      if (!fixedAddresses.test(first))
        throw new Error("they repeat, but addresses do not, which OpenSSL mixes in");
      return "they follow from a seed, so encrypted sessions replay";
    },
    {
      status: "limited",
      fix: "encrypted sessions differ in replay; seeding takes Linux 5.19 or newer on x86-64, and in a container '--cap-add SYS_ADMIN --cap-add SYS_PTRACE --security-opt seccomp=unconfined'",
    },
  );
}

const sources = { seed: 1, clock: undefined, device: undefined } as const;

async function draw(): Promise<string> {
  const filter = commandFilter({ randomBytes: true, timeOfDay: false });
  if (!filter) throw new Error(`plg knows no filter for the processor ${process.arch}`);
  const network = inNewNamespaces(["net"], () => currentNamespace("net"));
  const spawner = await Spawner.start(filter);
  try {
    if (spawner.listener === undefined) throw new Error(spawner.refusal);
    const place = { index: 0, name: "doctor", network };
    const supervisor = new SupervisorHost();
    supervise(supervisor, spawner.listener, sources, [place]);
    try {
      const command = { file: process.execPath, args: ["-e", program] };
      return await outputInProcessSpace(spawner, network, "", command);
    } finally {
      await supervisor.close();
    }
  } finally {
    await spawner.close();
    closeNamespace(network);
  }
}
