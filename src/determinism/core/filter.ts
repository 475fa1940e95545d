/**
 * The filter that commands run under: it stops the calls that plg answers, and lets all others pass. The kernel
 * works out once which calls pass whatever their arguments are, and does not run the program for those any more
 * (seccomp_cache_prepare in kernel/seccomp.c).
 */
import { assemble } from "../../net/bpf.ts";
import type { Architecture } from "./architecture.ts";

// <linux/seccomp.h>
const SECCOMP_RET_USER_NOTIF = 0x7fc0_0000;
const SECCOMP_RET_ALLOW = 0x7fff_0000;
/** `struct seccomp_data { i32 nr; u32 arch; u64 instruction_pointer, args[6]; }` */
const seccompData = { sizeBytes: 64, numberAt: 0, archAt: 4, argumentsAt: 16 } as const;

/** The program for a 64-bit process of this processor; any other's calls all pass. */
export function filterProgram({ auditArch, getrandom, threadSetup }: Architecture): Uint8Array {
  const { number, argument } = threadSetup;
  return assemble([
    ["loadWord", seccompData.archAt],
    ["ifEqual", auditArch, { no: "pass" }],
    ["loadWord", seccompData.numberAt],
    ["ifEqual", getrandom, { yes: "stop" }],
    ["ifEqual", number, { no: "pass" }],
    // The low half: arguments that matter here are small.
    ...(argument === undefined
      ? []
      : ([
          ["loadWord", seccompData.argumentsAt],
          ["ifEqual", argument, { no: "pass" }],
        ] as const)),
    "stop",
    ["return", SECCOMP_RET_USER_NOTIF],
    "pass",
    ["return", SECCOMP_RET_ALLOW],
  ]);
}
