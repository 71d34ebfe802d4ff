// What a client needs of its connection, whether the socket is its own (`Connection`) or another page's (`SharedLink`). Types only.

import type { ConnectionEvents, ConnectionState } from './connection';
import type { Act, Done, HistoryQuery, Order, Page, Remarks, Requests, RoomId, ServerEvent } from './types';

export interface Link {
  readonly state: ConnectionState;
  start(): void;
  stop(): void;
  /** The machine woke, got focus or a network: find out now whether the line still lives. */
  probe(): void;
  request<Name extends keyof Requests>(name: Name, body: Requests[Name]): Promise<ServerEvent>;
  history(query: { room: RoomId } & HistoryQuery): Promise<Page>;
  ordered(order: Omit<Order, 'id'>, act: Act): Promise<Done>;
  /** Said only while connected; there is no answer. */
  tell<Name extends keyof Remarks>(name: Name, body: Remarks[Name]): void;
  on<Name extends keyof ConnectionEvents>(name: Name, listener: (value: ConnectionEvents[Name]) => void): () => void;
}
