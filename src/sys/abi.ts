/**
 * Constants and layouts of the Linux ABI, under the kernel's names. They are the same on x86-64 and
 * arm64 unless noted. Where a C compiler is present, test/kernel/abi.test.ts checks each against
 * the system's headers.
 */

// <sys/socket.h>, <netinet/in.h>, <netinet/tcp.h>
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const SOCK_STREAM = 1;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_ERROR = 4;
export const SO_LINGER = 13;
export const SO_REUSEADDR = 2;
export const SO_REUSEPORT = 15;
export const SO_SNDBUFFORCE = 32;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const TCP_NODELAY = 1;
export const TCP_INFO = 11;
export const TCP_SYN_SENT = 2;
export const TCP_LISTEN = 10;
export const TCP_SYN_RECV = 3;
export const TCP_CLOSE = 7;
export const IPPROTO_IPV6 = 41;
export const IPV6_FREEBIND = 78;
export const SHUT_WR = 1;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_DONTWAIT = 0x40;

// <bits/types/struct_iovec.h>, <bits/socket.h>: on 64-bit machines.
export const iovec = { sizeBytes: 16, lengthAt: 8 } as const;
export const msghdr = { sizeBytes: 56, vectorAt: 16, countAt: 24 } as const;

// <linux/sockios.h>: unsent bytes in the send queue (tcp(7)).
export const SIOCOUTQNSD = 0x894b;

// <sys/syscall.h>
export const SYS_sched_setattr: number = process.arch === "x64" ? 314 : 274;
export const SYS_sched_getattr: number = process.arch === "x64" ? 315 : 275;
/** The first version of `struct sched_attr` (<linux/sched/types.h>), which every kernel accepts. */
export const schedAttr = { sizeBytes: 48, runtimeAt: 24 } as const;

// <asm/unistd.h>: the same on all processors.
export const SYS_pidfd_open = 434;
export const SYS_pidfd_getfd = 438;

// <sys/mman.h>
export const MADV_HUGEPAGE = 14;

// <sys/epoll.h>, <sys/eventfd.h>, <sys/timerfd.h>, <time.h>
export const EPOLL_CLOEXEC = 0o2000000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLLIN = 0x001;
export const EPOLLOUT = 0x004;
export const EPOLLERR = 0x008;
export const EPOLLHUP = 0x010;
export const EPOLLRDHUP = 0x2000;
/** Bit 31, so a positive literal: `1 << 31` would be negative. */
export const EPOLLET = 0x8000_0000;
export const TFD_CLOEXEC = 0o2000000;
export const TFD_NONBLOCK = 0o4000;
export const CLOCK_MONOTONIC = 1;
export const EFD_CLOEXEC = 0o2000000;
export const EFD_NONBLOCK = 0o4000;

/**
 * `struct epoll_event { u32 events; u64 data; }` is packed on x86-64 only (EPOLL_PACKED in
 * include/uapi/linux/eventpoll.h), so the data starts at byte 4 there and at byte 8 elsewhere.
 */
export const epollEvent: { readonly sizeBytes: number; readonly dataAt: number } =
  process.arch === "x64" ? { sizeBytes: 12, dataAt: 4 } : { sizeBytes: 16, dataAt: 8 };

// <linux/if_tun.h>
export const TUNSETIFF = 0x400454ca;
export const TUNSETPERSIST = 0x400454cb;
export const TUNSETOFFLOAD = 0x400454d0;
export const IFF_TUN = 0x0001;
export const IFF_NO_PI = 0x1000;
export const IFF_VNET_HDR = 0x4000;
export const TUN_F_CSUM = 0x01;
export const TUN_F_TSO4 = 0x02;
export const TUN_F_TSO6 = 0x04;
export const TUN_F_USO4 = 0x20;
export const TUN_F_USO6 = 0x40;

// <linux/virtio_net.h>: struct virtio_net_hdr { u8 flags, gso_type; u16 hdr_len, gso_size,
// csum_start, csum_offset; }
export const virtioNetHeaderBytes = 10;
export const VIRTIO_NET_HDR_F_NEEDS_CSUM = 1;
export const VIRTIO_NET_HDR_GSO_UDP_L4 = 5;

// <sys/resource.h>
export const RLIMIT_NOFILE = 7;

// <fcntl.h>
export const O_CLOEXEC = 0o2000000;
export const F_SETFD = 2;
export const FD_CLOEXEC = 1;

// <sched.h>, <sys/mount.h>
export const CLONE_FS = 0x0000_0200;
export const CLONE_NEWNS = 0x0002_0000;
export const CLONE_NEWPID = 0x2000_0000;
export const CLONE_NEWNET = 0x4000_0000;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_BIND = 0x1000;
export const MS_REC = 0x4000;
export const MS_PRIVATE = 0x4_0000;

// <linux/netlink.h>, <linux/rtnetlink.h>, <linux/if.h>, <linux/if_link.h>, <linux/veth.h>,
// <linux/if_addr.h>, <linux/fib_rules.h>
export const NETLINK_SOCK_DIAG = 4;
export const SOCK_DIAG_BY_FAMILY = 20;
export const NLM_F_REQUEST = 0x01;
/** NLM_F_ROOT and NLM_F_MATCH: all there are. */
export const NLM_F_DUMP = 0x300;
export const NLM_F_ACK = 0x04;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLMSG_ERROR = 2;
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_NEWROUTE = 24;
export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;
export const RTM_NEWQDISC = 36;
export const RTM_NEWTFILTER = 44;
export const IFF_UP = 0x01;
export const IFF_NOARP = 0x80;
export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_TXQLEN = 13;
export const IFLA_LINKINFO = 18;
export const IFLA_NET_NS_FD = 28;
export const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
export const VETH_INFO_PEER = 1;
/** `struct ifinfomsg { u8 family, pad; u16 type; i32 index; u32 flags, change; }` */
export const ifinfomsgBytes = 16;
export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
export const IFA_BROADCAST = 4;
export const IFA_F_NODAD = 0x02;
export const RTA_DST = 1;
export const RTA_OIF = 4;
export const RTA_PREFSRC = 7;
export const RT_TABLE_MAIN = 254;
export const RT_TABLE_LOCAL = 255;
export const RTPROT_STATIC = 4;
export const RT_SCOPE_LINK = 253;
export const RT_SCOPE_HOST = 254;
export const RTN_UNICAST = 1;
export const RTN_LOCAL = 2;
export const FR_ACT_TO_TBL = 1;
export const FRA_IIFNAME = 3;
export const FRA_PRIORITY = 6;
export const FRA_IP_PROTO = 22;

// <linux/pkt_sched.h>, <linux/pkt_cls.h>, <linux/tc_act/tc_mirred.h>
export const TC_H_CLSACT = 0xffff_fff1;
export const TC_H_MIN_INGRESS = 0xfff2;
export const TC_H_MIN_EGRESS = 0xfff3;
export const TCA_KIND = 1;
export const TCA_OPTIONS = 2;
export const TCA_BPF_ACT = 1;
export const TCA_BPF_OPS_LEN = 4;
export const TCA_BPF_OPS = 5;
export const TCA_ACT_KIND = 1;
export const TCA_ACT_OPTIONS = 2;
export const TCA_MIRRED_PARMS = 2;
export const TCA_EGRESS_REDIR = 1;
export const TCA_INGRESS_REDIR = 3;
export const TC_ACT_STOLEN = 4;

// <sys/file.h>
export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;

// <linux/seccomp.h>
export const SECCOMP_SET_MODE_FILTER = 1;
export const SECCOMP_FILTER_FLAG_NEW_LISTENER = 0x08;
/**
 * From Linux 5.19 on: once the call is received, only a fatal signal interrupts the process that
 * waits.
 */
export const SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 0x20;
export const SECCOMP_IOCTL_NOTIF_RECV = 0xc050_2100;
export const SECCOMP_IOCTL_NOTIF_SEND = 0xc018_2101;
export const SECCOMP_IOCTL_NOTIF_ID_VALID = 0x4008_2102;
export const SECCOMP_IOCTL_NOTIF_SET_FLAGS = 0x4008_2104;
export const SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP = 1;
export const SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1;
/** `struct seccomp_notif { u64 id; u32 pid, flags; struct seccomp_data data; }` */
export const seccompNotif = { sizeBytes: 80, pidAt: 8, numberAt: 16, argumentsAt: 32 } as const;
/** `struct seccomp_notif_resp { u64 id; s64 val; s32 error; u32 flags; }` */
export const seccompNotifResp = { sizeBytes: 24, valueAt: 8, errorAt: 16, flagsAt: 20 } as const;
/** `struct sock_fprog { u16 len; struct sock_filter *filter; }` of <linux/filter.h>. */
export const sockFprog = { sizeBytes: 16, filterAt: 8 } as const;
export const SYS_seccomp: number = process.arch === "x64" ? 317 : 277;

// <sys/personality.h>
export const ADDR_NO_RANDOMIZE = 0x004_0000;

// <poll.h>: `struct pollfd { int fd; short events, revents; }`
export const POLLIN = 0x001;
export const POLLHUP = 0x010;
export const pollfd = { sizeBytes: 8, eventsAt: 4, returnedAt: 6 } as const;
