export interface Room {
  readonly imports: readonly string[];
  readonly pure?: boolean;
  readonly packages?: readonly string[];
}
export const rooms: Readonly<Record<string, Room>>;
export const publicRooms: readonly string[];
