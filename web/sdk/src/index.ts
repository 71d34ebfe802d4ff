// The SDK's face: what an application imports.
export { Addresses, type Address } from './addresses';
export { Client, type ClientOptions } from './client';
export { Auth } from './auth';
export { RequestError } from './codes';
export { LIMITS } from './generated/types';
export { Connection, type ConnectionState } from './connection';
export { NIL, uuidv7 } from './ids';
export { apply, contiguousSeq, EMPTY_LOG, eventAt, lastOf, liveSpan, marksOf, mergePage, missing, spanAt, trim, type RoomLog, type Span } from './log';
export { isPinned, mark, NO_MARKS, standing, targetOf, type Edit, type Marks, type Reaction } from './marks';
export { MemoryOutbox, Outbox, OUTBOX_MAX, type Entry, type OutboxStore } from './outbox';
export { Rooms, type Room } from './rooms';
export { SharedLink, type Channel } from './shared';
export { timerTicker, type Ticker } from './ticker';
export { mentioned, newFrom, unreadOf } from './unread';
export type * from './types';
