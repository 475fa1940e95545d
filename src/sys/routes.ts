/** Routes, and the rules that select routing tables, in the calling thread's network namespace. */
import * as abi from "./abi.ts";
import { familyOf, indexOf, Request, text, u32 } from "./netlink.ts";

/** A route: where packets for a network go. */
export interface Route {
  /** `unicast`: through the interface. `local`: to this host's own sockets. */
  readonly kind: "unicast" | "local";
  readonly network: Uint8Array;
  readonly prefixBits: number;
  readonly interfaceName: string;
  /** Below 256; by default the usual table of this kind of route. */
  readonly table?: number;
  /** The source address of sockets that bind none. */
  readonly source?: Uint8Array;
}

export function addRoute(route: Route): void {
  const { kind, network, prefixBits, interfaceName, source } = route;
  const local = kind === "local";
  // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type (u8 each), flags u32
  const request = new Request(abi.RTM_NEWROUTE, abi.NLM_F_CREATE | abi.NLM_F_EXCL, 12);
  request.body.setUint8(0, familyOf(network));
  request.body.setUint8(1, prefixBits);
  request.body.setUint8(4, route.table ?? (local ? abi.RT_TABLE_LOCAL : abi.RT_TABLE_MAIN));
  request.body.setUint8(5, abi.RTPROT_STATIC);
  request.body.setUint8(6, local ? abi.RT_SCOPE_HOST : abi.RT_SCOPE_LINK);
  request.body.setUint8(7, local ? abi.RTN_LOCAL : abi.RTN_UNICAST);
  request.attribute(abi.RTA_DST, network);
  request.attribute(abi.RTA_OIF, u32(indexOf(interfaceName)));
  if (source) request.attribute(abi.RTA_PREFSRC, source);
  request.perform("RTM_NEWROUTE", `interface ${interfaceName}`);
}

/** A policy routing rule: which packets use which table. */
export interface Rule {
  readonly family: 4 | 6;
  /** Rules with lower numbers apply first. */
  readonly priority: number;
  readonly table: number;
  /** Only packets received on this interface; `lo` stands for packets that this host sends. */
  readonly from?: string;
  /** Only packets of this IP protocol. */
  readonly protocol?: number;
}

export function addRule(rule: Rule): void {
  const request = ruleRequest(abi.RTM_NEWRULE, abi.NLM_F_CREATE | abi.NLM_F_EXCL, rule);
  if (rule.from !== undefined) request.attribute(abi.FRA_IIFNAME, text(rule.from));
  if (rule.protocol !== undefined)
    request.attribute(abi.FRA_IP_PROTO, Uint8Array.of(rule.protocol));
  request.perform("RTM_NEWRULE", `table ${rule.table}`);
}

export function deleteRule(rule: Rule): void {
  ruleRequest(abi.RTM_DELRULE, 0, rule).perform("RTM_DELRULE", `table ${rule.table}`);
}

function ruleRequest(type: number, flags: number, rule: Rule): Request {
  // struct fib_rule_hdr: family, dst_len, src_len, tos, table, res1, res2, action (u8 each), flags
  // u32
  const request = new Request(type, flags, 12);
  request.body.setUint8(0, rule.family === 4 ? abi.AF_INET : abi.AF_INET6);
  request.body.setUint8(4, rule.table);
  request.body.setUint8(7, abi.FR_ACT_TO_TBL);
  request.attribute(abi.FRA_PRIORITY, u32(rule.priority));
  return request;
}
