// Nodes of one group on one store process, each on a port of its own: started together, killed one by one, started again.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './node';
import { Program, program } from './program';

export class Group {
  readonly urls: string[] = [];
  private readonly nodes: Member[] = [];

  private constructor(private readonly directory: string, private readonly store: Program) {}

  static async start(count: number): Promise<Group> {
    const directory = mkdtempSync(join(tmpdir(), 'hubbub-e2e-group-'));
    const [port, ports] = [await freePort(), await Promise.all(Array.from({ length: count }, freePort))];
    const data = join(directory, 'data');
    const store = new Program(join(directory, 'store.log'), ['store', 'serve', '--listen', `127.0.0.1:${port}`, '--data', data], {});
    const group = new Group(directory, store);
    await store.run(async () => existsSync(join(data, 'secret')) && await listens(port));
    for (const own of ports) {
      const token = group.nodes[0]?.token();
      group.urls.push(`http://127.0.0.1:${own}`);
      const folder = join(directory, `node-${group.nodes.length + 1}`);
      mkdirSync(folder);
      const node = new Member(folder, own, {
        HUBBUB_STORE_BACKEND: 'remote', HUBBUB_STORE_ADDRESS: `127.0.0.1:${port}`, HUBBUB_STORE_SECRET_FILE: join(data, 'secret'),
        HUBBUB_CLUSTER_LISTEN: `127.0.0.1:${await freePort()}`, HUBBUB_LISTEN_ADMIN: `127.0.0.1:${await freePort()}`,
        HUBBUB_EDGE_NODES: ports.map((each) => `http://127.0.0.1:${each}`).join(','), ...(token ? { HUBBUB_CLUSTER_TOKEN: token } : {}),
      });
      group.nodes.push(node);
      await node.start();
    }
    return group;
  }

  /** As a power cut would. */
  async kill(node: number): Promise<void> { await this.nodes[node]!.program.kill(); }
  async run(node: number): Promise<void> { await this.nodes[node]!.start(); }
  /** What an operator is told. */
  status(node: number): string { return this.nodes[node]!.command(['cluster', 'status']); }

  async stop(): Promise<void> {
    for (const { program } of this.nodes) await program.kill();
    await this.store.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

class Member {
  readonly program: Program;
  private readonly env: Record<string, string>;

  constructor(folder: string, private readonly port: number, env: Record<string, string>) {
    const many = '1000000';
    this.env = {
      ...env, HUBBUB_NODE_DATA_DIR: join(folder, 'data'), HUBBUB_NODE_WEB_DIR: resolve(import.meta.dirname, '../../app/dist'), HUBBUB_LISTEN_HTTP: `127.0.0.1:${port}`,
      HUBBUB_AUTH_SIGNUPS_PER_ADDRESS_BURST: many, HUBBUB_LIMITS_USER_EVENTS_PER_MINUTE: many, HUBBUB_LIMITS_USER_EVENTS_BURST: many,
    };
    this.program = new Program(join(folder, 'log'), ['serve'], this.env);
  }

  start(): Promise<void> {
    return this.program.run(() => fetch(`http://127.0.0.1:${this.port}/`).then((answer) => answer.ok, () => false));
  }

  command(words: string[]): string {
    return execFileSync(program(), words, { encoding: 'utf8', timeout: 30_000, env: { ...process.env, ...this.env } });
  }

  /** Lets one more in. */
  token(): string { return this.command(['cluster', 'token']).trim().split('\n').at(-1)!; }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}
