/** The types of `fetch`, as the user's own version of Node's types has them. */

/** The option `dispatcher` of `fetch`. Without Node's types (under those of the DOM), an object. */
export type FetchDispatcher =
  NonNullable<Parameters<typeof fetch>[1]> extends { dispatcher?: infer Dispatcher }
    ? NonNullable<Dispatcher>
    : object;

/** What is used of a dispatcher here. */
export interface Destroyable {
  destroy(): Promise<void>;
}
