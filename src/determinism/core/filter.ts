/**
 * The commands' seccomp filter: it stops the calls that plg answers and allows all others. The
 * kernel determines once which calls pass for any arguments, and no longer runs the filter for
 * those (seccomp_cache_prepare in kernel/seccomp.c).
 */
import { assemble, type Line } from "../../net/bpf.ts";
import type { Architecture } from "./architecture.ts";

// <linux/seccomp.h>
const SECCOMP_RET_USER_NOTIF = 0x7fc0_0000;
const SECCOMP_RET_ALLOW = 0x7fff_0000;
/** `struct seccomp_data { i32 nr; u32 arch; u64 instruction_pointer, args[6]; }` */
const seccompData = { sizeBytes: 64, numberAt: 0, archAt: 4, argumentsAt: 16 } as const;

/** <time.h>: the clocks for the time of day. */
const CLOCK_REALTIME = 0;
const CLOCK_REALTIME_COARSE = 5;

const pollTimeoutIndex = 2;
/** The longest wait that counts as a short one. */
const shortWaitMs = 10;

/** The requests that plg answers in place of the kernel. */
export interface Answered {
  readonly randomBytes: boolean;
  readonly timeOfDay: boolean;
}

/** The program for 64-bit processes of this processor. Calls of all other processes pass. */
export function filterProgram(architecture: Architecture, answered: Answered): Uint8Array {
  const { auditArch, getrandom, exit, threadSetup } = architecture;
  return assemble([
    ["loadWord", seccompData.archAt],
    ["ifEqual", auditArch, { no: "pass" }],
    ["loadWord", seccompData.numberAt],
    ...(answered.randomBytes
      ? [stopOn(getrandom), stopOn(exit), ...stopOnShortWaits(architecture)]
      : []),
    ...(answered.timeOfDay ? stopOnClocks(architecture) : []),
    ["ifEqual", threadSetup.number, { no: "pass" }],
    // Compares the low half only: the relevant arguments are small.
    ...(threadSetup.argument === undefined
      ? []
      : ([
          ["loadWord", seccompData.argumentsAt],
          ["ifEqual", threadSetup.argument, { no: "pass" }],
        ] as const)),
    "stop",
    ["return", SECCOMP_RET_USER_NOTIF],
    "pass",
    ["return", SECCOMP_RET_ALLOW],
  ]);
}

function stopOn(value: number): Line {
  return ["ifEqual", value, { yes: "stop" }];
}

/** See new-threads.ts. */
function stopOnShortWaits({ poll }: Architecture): readonly Line[] {
  if (poll === undefined) return [];
  return [
    ["ifEqual", poll, { no: "not poll" }],
    ["loadWord", seccompData.argumentsAt + 8 * pollTimeoutIndex],
    ["ifEqual", 0, { yes: "long or no wait" }],
    ["ifGreater", shortWaitMs, { yes: "long or no wait" }],
    ["return", SECCOMP_RET_USER_NOTIF],
    "long or no wait",
    ["return", SECCOMP_RET_ALLOW],
    "not poll",
  ];
}

function stopOnClocks({ clockGettime, gettimeofday, time }: Architecture): readonly Line[] {
  return [
    stopOn(gettimeofday),
    ...(time === undefined ? [] : [stopOn(time)]),
    ["ifEqual", clockGettime, { no: "other call" }],
    ["loadWord", seccompData.argumentsAt],
    stopOn(CLOCK_REALTIME),
    stopOn(CLOCK_REALTIME_COARSE),
    ["return", SECCOMP_RET_ALLOW],
    "other call",
  ];
}
