/**
 * How far the live processes have got, connection by connection: what has happened now of what had
 * happened then.
 *
 * A connection has two ends, and either may be a live process that is played to on its own. So
 * everything is kept by end: 2 * connection + the direction that the end sends in.
 */
export class Progress {
  /** For connections up to number `connections`. */
  constructor(_connections: number) {}
}
