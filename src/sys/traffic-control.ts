/**
 * Filters that redirect some of an interface's packets to another interface of the same namespace
 * (tc-bpf(8), tc-mirred(8)), set up by rtnetlink. Structs are from <linux/pkt_sched.h>,
 * <linux/pkt_cls.h> and <linux/tc_act/tc_mirred.h>.
 */
import * as abi from "./abi.ts";
import { indexOf, Request, text, u32 } from "./netlink.ts";

/** Adds hooks for filters to an interface, one for incoming and one for outgoing packets. */
export function addFilterHooks(name: string): void {
  const request = trafficRequest(abi.RTM_NEWQDISC, name, abi.TC_H_CLSACT, 0);
  request.body.setUint32(8, major, true);
  request.attribute(abi.TCA_KIND, text("clsact"));
  request.perform("RTM_NEWQDISC", `interface ${name}`);
}

/**
 * Redirects packets for which `program` does not return 0. They are packets that this host sends
 * through (`out`) or receives on (`in`) the interface `from`; they leave through the interface `to`
 * (`out`) or arrive on it (`in`). The program is classic BPF: an array of `struct sock_filter`
 * (<linux/filter.h>).
 */
export function redirect(
  from: { readonly name: string; readonly way: "in" | "out" },
  program: Uint8Array,
  to: { readonly name: string; readonly way: "in" | "out" },
): void {
  const minor = from.way === "in" ? abi.TC_H_MIN_INGRESS : abi.TC_H_MIN_EGRESS;
  const request = trafficRequest(
    abi.RTM_NEWTFILTER,
    from.name,
    (major | minor) >>> 0,
    priorityAndProtocol,
  );
  request.attribute(abi.TCA_KIND, text("bpf"));
  request.nest(abi.TCA_OPTIONS, () => {
    request.attribute(abi.TCA_BPF_OPS_LEN, u16(program.length / 8));
    request.attribute(abi.TCA_BPF_OPS, program);
    // Actions are numbered from 1, in order of execution.
    request.nest(abi.TCA_BPF_ACT, () => request.nest(1, () => addMirred(request, to)));
  });
  request.perform("RTM_NEWTFILTER", `interface ${from.name}`);
}

/** The handle of the hooks among an interface's queueing disciplines. */
const major = (abi.TC_H_CLSACT & 0xffff_0000) >>> 0;
/** Priority 1 in the upper half; in the lower ETH_P_ALL (3), in network byte order. */
const priorityAndProtocol = 0x0001_0300;

function addMirred(request: Request, to: { readonly name: string; readonly way: string }): void {
  // struct tc_mirred: index u32, capab u32, action i32, refcnt i32, bindcnt i32, eaction i32,
  // ifindex u32
  const options = new Uint8Array(28);
  const view = new DataView(options.buffer);
  view.setInt32(8, abi.TC_ACT_STOLEN, true);
  view.setInt32(20, to.way === "in" ? abi.TCA_INGRESS_REDIR : abi.TCA_EGRESS_REDIR, true);
  view.setUint32(24, indexOf(to.name), true);
  request.attribute(abi.TCA_ACT_KIND, text("mirred"));
  request.nest(abi.TCA_ACT_OPTIONS, () => request.attribute(abi.TCA_MIRRED_PARMS, options));
}

function trafficRequest(type: number, name: string, parent: number, info: number): Request {
  // struct tcmsg: family u8, pad u8, pad u16, ifindex i32, handle u32, parent u32, info u32
  const request = new Request(type, abi.NLM_F_CREATE | abi.NLM_F_EXCL, 20);
  request.body.setInt32(4, indexOf(name), true);
  request.body.setUint32(12, parent, true);
  request.body.setUint32(16, info, true);
  return request;
}

function u16(value: number): Uint8Array {
  return u32(value).slice(0, 2);
}
