/** The differences between processors: system call numbers, and machine code that makes a call. */

/** A function of the vDSO, and machine code that makes the equivalent system call instead. */
interface FastCall {
  readonly symbol: string;
  readonly code: Uint8Array;
}

export interface Architecture {
  /** AUDIT_ARCH_* of <linux/audit.h>. Calls of other kinds (32-bit programs) pass. */
  readonly auditArch: number;
  readonly getrandom: number;
  /**
   * The system call that sets up a program's first thread, soon after its start and before it reads
   * a clock or AT_RANDOM. `argument`, if given, is the first argument of such a call.
   */
  readonly threadSetup: { readonly number: number; readonly argument?: number };
  /** The call that ends a process. */
  readonly exit: number;
  /** Calls that ask for the time of day, or may. */
  readonly clockGettime: number;
  readonly gettimeofday: number;
  /** Undefined on processors without this call. */
  readonly time: number | undefined;
  /**
   * The wait whose timeout, in milliseconds, is an argument; undefined on processors that pass
   * timeouts in memory only.
   */
  readonly poll: number | undefined;
  /** The calls that wait for any of several files: poll, select, epoll_wait and their like. */
  readonly waits: readonly number[];
  /** See vdso(7). */
  readonly randomInVdso: FastCall;
  readonly clocksInVdso: readonly FastCall[];
}

const ENOSYS = 38;

/** mov eax, number; syscall; ret */
function callOnX64(number: number): Uint8Array {
  return Uint8Array.of(0xb8, number & 0xff, number >> 8, 0x00, 0x00, 0x0f, 0x05, 0xc3);
}

/**
 * `__vdso_getrandom` has a second purpose: with a last argument of -1 it describes the state that a
 * caller has to allocate. That fails, so that the C library makes system calls.
 */
function randomOnX64(number: number): Uint8Array {
  // cmp r8, -1; je, over the call
  const check = [0x49, 0x83, 0xf8, 0xff, 0x74, 0x08];
  // mov rax, -ENOSYS; ret
  const refusal = [0x48, 0xc7, 0xc0, 0x100 - ENOSYS, 0xff, 0xff, 0xff, 0xc3];
  return Uint8Array.of(...check, ...callOnX64(number), ...refusal);
}

const arm64Return = 0xd65f_03c0;

/** movz x8, number; svc 0; ret */
function callOnArm64(number: number): readonly number[] {
  return [0xd280_0008 | (number << 5), 0xd400_0001, arm64Return];
}

/** cmn x4, #1; b.eq, over the call; the call; movn x0, #(ENOSYS - 1); ret */
function randomOnArm64(number: number): readonly number[] {
  const refusal = [0x9280_0000 | ((ENOSYS - 1) << 5), arm64Return];
  return [0xb100_049f, 0x5400_0080, ...callOnArm64(number), ...refusal];
}

function littleEndian(words: readonly number[]): Uint8Array {
  const code = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, i) => code.setUint32(4 * i, word, true));
  return new Uint8Array(code.buffer);
}

/**
 * From <asm/unistd_64.h>, and ARCH_SET_FS from <asm/prctl.h>. glibc, musl and Go make that call
 * before any other relevant call.
 */
const x64: Architecture = {
  auditArch: 0xc000_003e,
  getrandom: 318,
  threadSetup: { number: 158, argument: 0x1002 },
  exit: 231,
  clockGettime: 228,
  gettimeofday: 96,
  time: 201,
  poll: 7,
  waits: [7, 23, 232, 270, 271, 281, 441],
  randomInVdso: { symbol: "__vdso_getrandom", code: randomOnX64(318) },
  clocksInVdso: [
    { symbol: "__vdso_clock_gettime", code: callOnX64(228) },
    { symbol: "__vdso_gettimeofday", code: callOnX64(96) },
    { symbol: "__vdso_time", code: callOnX64(201) },
  ],
};

/** From <asm-generic/unistd.h>. Untested. glibc and musl call `set_tid_address`; Go does not. */
const arm64: Architecture = {
  auditArch: 0xc000_00b7,
  getrandom: 278,
  threadSetup: { number: 96 },
  exit: 94,
  clockGettime: 113,
  gettimeofday: 169,
  time: undefined,
  poll: undefined,
  waits: [22, 72, 73, 441],
  randomInVdso: { symbol: "__kernel_getrandom", code: littleEndian(randomOnArm64(278)) },
  clocksInVdso: [
    { symbol: "__kernel_clock_gettime", code: littleEndian(callOnArm64(113)) },
    { symbol: "__kernel_gettimeofday", code: littleEndian(callOnArm64(169)) },
  ],
};

/** The table for a processor by Node's name for it; undefined if plg does not know it. */
export function architectureOf(name: string): Architecture | undefined {
  return new Map([
    ["x64", x64],
    ["arm64", arm64],
  ]).get(name);
}
