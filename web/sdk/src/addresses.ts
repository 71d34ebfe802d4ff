// Where the nodes of one installation are, and which of them is asked now: any of them will do. Pure.

export interface Address {
  /** `https://chat.example.org` */
  base: string;
  /** `wss://chat.example.org/v1/ws` */
  socket: string;
}

export class Addresses {
  private at = 0;
  private readonly all: Address[];

  constructor(known: readonly Address[]) {
    this.all = [...known];
    if (known.length === 0) throw new Error('a client needs the address of a node: pass `base` and `socket`');
  }

  get now(): Address { return this.all[this.at]!; }
  get count(): number { return this.all.length; }
  /** The first that was passed: for a page, whose cookie is sent nowhere else. */
  get own(): Address { return this.all[0]!; }

  /** More of them, as origins: a node said so. */
  learn(origins: readonly string[]): void {
    for (const base of origins) if (!this.all.some((known) => known.base === base)) this.all.push({ base, socket: `${base.replace(/^http/, 'ws')}/v1/ws` });
  }

  /** The one that was asked goes away, or does not answer. */
  next(): void {
    this.at = (this.at + 1) % this.all.length;
  }
}
