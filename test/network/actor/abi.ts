/** Numbers of the Linux ABI that only the actors use, the same on x86-64 and arm64. */

// <sys/socket.h>, <asm-generic/socket.h>
export const SO_REUSEADDR = 2;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_OOBINLINE = 10;
export const SO_RCVTIMEO = 20;
export const SO_SNDTIMEO = 21;
export const SO_ATTACH_FILTER = 26;
export const SO_DETACH_FILTER = 27;
export const MSG_OOB = 0x1;
export const MSG_WAITALL = 0x100;
export const MSG_FASTOPEN = 0x2000_0000;
export const SIOCATMARK = 0x8905;

// <netinet/tcp.h>
export const TCP_MAXSEG = 2;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_SYNCNT = 7;
export const TCP_DEFER_ACCEPT = 9;
export const TCP_FASTOPEN = 23;

// <poll.h>
export const pollEvents = { IN: 0x1, PRI: 0x2, OUT: 0x4, ERR: 0x8, HUP: 0x10, RDHUP: 0x2000 };
