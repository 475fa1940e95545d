/**
 * The library's public API: reading dumps, and recording from a program. Anything not exported here
 * may change without notice.
 */
export { Direction } from "./base/direction.ts";
export { BugError } from "./base/assert.ts";
export { DumpError, type ErrorCode, MachineError, PlgError, UsageError } from "./base/errors.ts";
export type { Family, Port } from "./base/units.ts";

// Reading a dump: item by item in bounded memory, or summarized. DumpDecoder is pure and runs in a
// browser; readDump feeds it from a file.
export {
  type DecoderOptions,
  DumpDecoder,
  type DumpEnd,
  type DumpItem,
  type ExitItem,
  type PacketItem,
  type RunItem,
  type StreamItem,
} from "./dump/format/decoder.ts";
export { readDump, readRun } from "./dump/store/reader.ts";
export {
  type CommandExit,
  type ContainerInfo,
  type Endpoint,
  RecordKind,
  type RunInfo,
} from "./dump/format/schema.ts";
export { type ConnectionReport, type ConnectionRow } from "./report/connections.ts";
export { renderConnections, type TableView } from "./report/connection-table.ts";
export { type DumpSummary, renderRun, summarize } from "./report/summary.ts";

// Recording: plan a topology, prepare a session, run it. The process needs what `plg doctor`
// checks.
export { Subnet, ulaFor } from "./net/subnet.ts";
export { type RecordOptions, type RecordResult, RecordSession } from "./record/session.ts";
export type { Command, CommandEnd, Identity, OutputSink } from "./sandbox/processes/command.ts";
export type { EngineCounts } from "./engine/host.ts";
export type { LinkSetup } from "./switch/core/link-plan.ts";
export { type LinkSpec, parseLink } from "./switch/core/link-spec.ts";
export type { RunHooks, Until } from "./sandbox/processes/run.ts";
export {
  type CommandLine,
  type ContainerPlan,
  planTopology,
  type Topology,
} from "./sandbox/network/topology.ts";
