/** What differs between processors: the numbers of system calls, and code that makes one. */

/** A function of the vDSO, and the system call that it stands for. */
interface FastCall {
  readonly symbol: string;
  readonly callNumber: number;
}

export interface Architecture {
  /** AUDIT_ARCH_* of <linux/audit.h>. Calls of other kinds (32-bit programs) are left alone. */
  readonly auditArch: number;
  readonly getrandom: number;
  /**
   * The system call by which a program sets up its first thread: soon after it starts, and before it reads
   * a clock or AT_RANDOM. `argument` narrows it down by its first argument.
   */
  readonly threadSetup: { readonly number: number; readonly argument?: number };
  /** Calls that ask for the time of day, or may. */
  readonly clockGettime: number;
  readonly gettimeofday: number;
  /** Undefined where there is no such call. */
  readonly time: number | undefined;
  /** See vdso(7). */
  readonly randomInVdso: FastCall;
  readonly clocksInVdso: readonly FastCall[];
  /** Machine code that makes the call with the arguments it was given, and returns. */
  stub(callNumber: number): Uint8Array;
}

/** <asm/unistd_64.h>; ARCH_SET_FS of <asm/prctl.h>. glibc, musl and Go make that call before anything else of note. */
const x64: Architecture = {
  auditArch: 0xc000_003e,
  getrandom: 318,
  threadSetup: { number: 158, argument: 0x1002 },
  clockGettime: 228,
  gettimeofday: 96,
  time: 201,
  randomInVdso: { symbol: "__vdso_getrandom", callNumber: 318 },
  clocksInVdso: [
    { symbol: "__vdso_clock_gettime", callNumber: 228 },
    { symbol: "__vdso_gettimeofday", callNumber: 96 },
    { symbol: "__vdso_time", callNumber: 201 },
  ],
  // mov eax, number; syscall; ret
  stub: (number) => Uint8Array.of(0xb8, number & 0xff, number >> 8, 0x00, 0x00, 0x0f, 0x05, 0xc3),
};

/** <asm-generic/unistd.h>. Not tested: nobody has run it. `set_tid_address` is made by glibc and musl, not by Go. */
const arm64: Architecture = {
  auditArch: 0xc000_00b7,
  getrandom: 278,
  threadSetup: { number: 96 },
  clockGettime: 113,
  gettimeofday: 169,
  time: undefined,
  randomInVdso: { symbol: "__kernel_getrandom", callNumber: 278 },
  clocksInVdso: [
    { symbol: "__kernel_clock_gettime", callNumber: 113 },
    { symbol: "__kernel_gettimeofday", callNumber: 169 },
  ],
  // movz x8, number; svc 0; ret
  stub: (number) => {
    const code = new DataView(new ArrayBuffer(12));
    code.setUint32(0, 0xd280_0008 | (number << 5), true);
    code.setUint32(4, 0xd400_0001, true);
    code.setUint32(8, 0xd65f_03c0, true);
    return new Uint8Array(code.buffer);
  },
};

/** The table of a processor by Node's name for it; undefined where nothing is known. */
export function architectureOf(name: string): Architecture | undefined {
  return new Map([
    ["x64", x64],
    ["arm64", arm64],
  ]).get(name);
}
