// Where the nodes of one installation are, and which of them is asked now: any of them will do. Pure.

export interface Address {
  /** `https://chat.example.org` */
  base: string;
  /** `wss://chat.example.org/v1/ws` */
  socket: string;
}

export class Addresses {
  private at = 0;

  constructor(private readonly all: readonly Address[]) {
    if (all.length === 0) throw new Error('a client needs the address of a node: pass `base` and `socket`');
  }

  get now(): Address { return this.all[this.at]!; }
  get count(): number { return this.all.length; }

  /** The one that was asked goes away, or does not answer. */
  next(): void {
    this.at = (this.at + 1) % this.all.length;
  }
}
