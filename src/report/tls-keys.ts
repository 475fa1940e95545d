/** The TLS keys of a run: where they are, and what to do with them. */

/** The path of a recording's keys. */
export function keysPathOf(dump: string): string {
  return `${dump}.keys`;
}

/** `dump` and `keys` are the paths of the recording and of its keys. */
export function describeKeys(dump: string, keys: string): string {
  return `the TLS keys of this run are in ${keys}: 'plg export ${dump} -o OUT.pcapng' puts them in front of the packets, and Wireshark decrypts OUT.pcapng`;
}
