/** Collects the HTTP/1 requests of a recording and their answers, for a HAR file. Pure. */
import type { ConnectionNumber } from "../base/ids.ts";
import type { DumpItem, StreamItem } from "../dump/format/decoder.ts";
import { RecordKind } from "../dump/format/schema.ts";
import { type HttpExchange, HttpExchanges } from "../protocol/http1-exchanges.ts";

/** A request, its answer, and the connection that carried them. */
export interface CarriedExchange {
  readonly exchange: HttpExchange;
  readonly connection: StreamItem["connection"];
}

interface Reader {
  readonly exchanges: HttpExchanges;
  readonly connection: StreamItem["connection"];
}

/** Takes the items of a recording in order. */
export class HttpCollector {
  /** The connections that may carry HTTP, by number. */
  readonly #readers = new Map<number, Reader>();

  /** Returns the exchanges that the item completes. */
  add(item: DumpItem): CarriedExchange[] {
    if (item.type !== "stream") return [];
    const { connection, kind, direction, payload, missingBytes, atNs } = item;
    const { number } = connection;
    if (kind === RecordKind.connect)
      this.#readers.set(number, { exchanges: new HttpExchanges(), connection });
    const reader = this.#readers.get(number);
    if (reader === undefined) return [];
    const isClosedByServer =
      kind === RecordKind.reset || (kind === RecordKind.end && direction === 1);
    if (isClosedByServer || missingBytes > 0) return this.#end(number, reader);
    if (kind !== RecordKind.data) return [];
    // The collector needs no event numbers.
    const completed = reader.exchanges.push(direction, payload, { event: 0, atNs });
    return carried(reader, completed);
  }

  /** Returns the exchanges that are not complete. Call it after the last item. */
  finish(): CarriedExchange[] {
    return [...this.#readers].flatMap(([number, reader]) => this.#end(number, reader));
  }

  #end(number: ConnectionNumber, reader: Reader): CarriedExchange[] {
    this.#readers.delete(number);
    return carried(reader, reader.exchanges.end());
  }
}

function carried({ connection }: Reader, exchanges: readonly HttpExchange[]): CarriedExchange[] {
  return exchanges.map((exchange) => ({ exchange, connection }));
}
