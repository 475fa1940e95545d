/** The direction of a stream within a connection: sent by the client, or sent by the server. */
export const Direction = { toServer: 0, toClient: 1 } as const;
export type Direction = (typeof Direction)[keyof typeof Direction];

export function opposite(direction: Direction): Direction {
  return direction === Direction.toServer ? Direction.toClient : Direction.toServer;
}
