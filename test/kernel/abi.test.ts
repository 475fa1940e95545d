// The numbers of src/sys/abi.ts against the headers of this system, by a program that prints them.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { opcodes } from "../../src/net/bpf.ts";
import * as abi from "../../src/sys/abi.ts";

const headers = [
  "stddef.h",
  "stdio.h",
  "fcntl.h",
  "sched.h",
  "sys/epoll.h",
  "sys/eventfd.h",
  "sys/file.h",
  "sys/timerfd.h",
  "time.h",
  "sys/mount.h",
  "sys/resource.h",
  "sys/mman.h",
  "sys/socket.h",
  "sys/syscall.h",
  "netinet/in.h",
  "netinet/tcp.h",
  "poll.h",
  "sys/personality.h",
  "linux/sockios.h",
  "linux/seccomp.h",
  "linux/if.h",
  "linux/if_tun.h",
  "linux/virtio_net.h",
  "linux/netlink.h",
  "linux/sock_diag.h",
  "linux/inet_diag.h",
  "linux/rtnetlink.h",
  "linux/if_link.h",
  "linux/if_addr.h",
  "linux/fib_rules.h",
  "linux/filter.h",
  "linux/pkt_cls.h",
  "linux/pkt_sched.h",
  "linux/tc_act/tc_mirred.h",
  "linux/veth.h",
];

/** Layouts that the code relies on, in C and as it has them. */
const layouts: Readonly<Record<string, number>> = {
  "sizeof(struct epoll_event)": abi.epollEvent.sizeBytes,
  "offsetof(struct epoll_event, data)": abi.epollEvent.dataAt,
  "sizeof(struct virtio_net_hdr)": abi.virtioNetHeaderBytes,
  "sizeof(struct iovec)": abi.iovec.sizeBytes,
  "offsetof(struct iovec, iov_len)": abi.iovec.lengthAt,
  "sizeof(struct msghdr)": abi.msghdr.sizeBytes,
  "offsetof(struct msghdr, msg_iov)": abi.msghdr.vectorAt,
  "offsetof(struct msghdr, msg_iovlen)": abi.msghdr.countAt,
  "sizeof(struct sockaddr_in)": 16,
  "sizeof(struct sockaddr_in6)": 28,
  "sizeof(struct ifreq)": 40,
  "offsetof(struct ifreq, ifr_flags)": 16,
  "sizeof(struct nlmsghdr)": 16,
  "sizeof(struct ifinfomsg)": 16,
  "offsetof(struct ifinfomsg, ifi_flags)": 8,
  "sizeof(struct ifaddrmsg)": 8,
  "sizeof(struct fib_rule_hdr)": 12,
  "sizeof(struct tcmsg)": 20,
  "sizeof(struct tc_mirred)": 28,
  "offsetof(struct tc_mirred, eaction)": 20,
  "sizeof(struct sock_filter)": 8,
  "BPF_LD | BPF_H | BPF_ABS": opcodes.loadHalf,
  "BPF_LD | BPF_B | BPF_ABS": opcodes.loadByte,
  "BPF_LD | BPF_B | BPF_IND": opcodes.loadByteIndexed,
  "BPF_LDX | BPF_B | BPF_MSH": opcodes.indexHeaderLength,
  "BPF_ALU | BPF_AND | BPF_K": opcodes.and,
  "BPF_JMP | BPF_JEQ | BPF_K": opcodes.ifEqual,
  "BPF_JMP | BPF_JSET | BPF_K": opcodes.ifAnySet,
  "BPF_RET | BPF_K": opcodes.return,
  "sizeof(struct rtmsg)": 12,
  "sizeof(struct inet_diag_req_v2)": 56,
  "sizeof(struct inet_diag_msg)": 72,
  "sizeof(struct rlimit)": 16,
  "sizeof(struct itimerspec)": 32,
  "offsetof(struct itimerspec, it_value.tv_nsec)": 24,
  "sizeof(struct linger)": 8,
};

function constants(): Record<string, number> {
  const named = Object.entries(abi).filter(([name]) => /^[A-Z]/.test(name));
  return Object.fromEntries(named.map(([name, value]) => [name, Number(value)]));
}

/** Constants that older headers lack (Linux 6.2, 6.6): our own numbers stand in for them. */
const recent: ReadonlySet<string> = new Set([
  "TUN_F_USO4",
  "TUN_F_USO6",
  "VIRTIO_NET_HDR_GSO_UDP_L4",
  "SECCOMP_IOCTL_NOTIF_SET_FLAGS",
  "SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP",
]);

function program(expressions: readonly string[]): string {
  const includes = headers.map((header) => `#include <${header}>`);
  for (const [name, value] of Object.entries(constants()))
    if (recent.has(name)) includes.push(`#ifndef ${name}`, `#define ${name} ${value}`, "#endif");
  const prints = expressions.map((text) => `printf("%u\\n", (unsigned)(${text}));`);
  return `#define _GNU_SOURCE\n${includes.join("\n")}\nint main(void) {\n${prints.join("\n")}\nreturn 0; }\n`;
}

test("every number and layout is the system's", ({ skip }) => {
  if (spawnSync("cc", ["--version"]).status !== 0) skip("there is no C compiler");
  const folder = mkdtempSync(join(tmpdir(), "plg-abi-"));
  try {
    const wanted = { ...constants(), ...layouts };
    const source = join(folder, "abi.c");
    writeFileSync(source, program(Object.keys(wanted)));
    execFileSync("cc", ["-o", join(folder, "abi"), source], { stdio: "pipe" });
    const values = execFileSync(join(folder, "abi"), { encoding: "utf8" }).trim().split("\n");
    const actual = Object.keys(wanted).map((name, i) => [name, Number(values[i])]);
    expect(wanted).toEqual(Object.fromEntries(actual));
    expect(values.length).toBeGreaterThan(60);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
