/**
 * The library: record and replay systems of commands, and read, compare and import dumps. Anything
 * that is not exported here may change without notice. docs/library.md explains it.
 */
export { record, type RecordOptions, type RecordResult } from "./api/record.ts";
export { replay, type ReplayOptions, type ReplayResult, ReplayRun } from "./api/replay.ts";
export { openDump } from "./api/open-dump.ts";
export { diff, type DiffOptions } from "./api/diff.ts";
export { importCapture, type ImportOptions } from "./api/import.ts";

export { Run, type RunContainer, type RunProgress } from "./api/run.ts";
export type {
  ContainerExit,
  ExitEvent,
  OutputEvent,
  RunEvent,
  WarningEvent,
} from "./api/events.ts";
export type { Container, ContainerOptions, Containers, OutputChoice } from "./api/containers.ts";
export type { IdentitySettings } from "./api/identity.ts";
export type { SubnetSettings } from "./api/network.ts";
export type { RunSettings } from "./api/settings.ts";
export type { IoredisConnector } from "./api/caller/ioredis.ts";
export type {
  Dump,
  DumpBytes,
  DumpConnection,
  DumpContainer,
  DumpMessage,
  DumpState,
  MessageChoice,
} from "./api/dump/dump.ts";

export { BugError } from "./base/assert.ts";
export { DumpError, type ErrorCode, MachineError, PlgError, UsageError } from "./base/errors.ts";
export type { EngineCounts } from "./engine/host.ts";
export type { OutputSink } from "./sandbox/processes/command.ts";
export type { Difference, DifferenceList } from "./replay/findings/differences.ts";
export type { RecordingDiff } from "./diff/diff.ts";
export type { ImportProgress } from "./capture/import/capture-source.ts";
export type { ImportResult } from "./capture/track/result.ts";
