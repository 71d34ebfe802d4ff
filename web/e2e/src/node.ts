// A real node on a free port with a data directory of its own: started, killed, started again on the same data.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Program, program } from './program';

export class HubbubNode {
  readonly url: string;
  private readonly directory: string;
  private readonly program: Program;
  private readonly config: string;

  private constructor(directory: string, port: number, admin: number) {
    this.directory = directory;
    this.url = `http://127.0.0.1:${port}`;
    this.config = join(directory, 'hubbub.toml');
    this.program = new Program(join(directory, 'node.log'), ['serve', '--config', this.config], {});
    const many = 1_000_000;
    writeFileSync(this.config, [
      '[node]', `data_dir = ${JSON.stringify(join(directory, 'data'))}`, `web_dir = ${JSON.stringify(resolve(import.meta.dirname, '../../app/dist'))}`,
      '[listen]', `http = "127.0.0.1:${port}"`, `admin = "127.0.0.1:${admin}"`,
      '[auth]', `signups_per_address_burst = ${many}`, `wrong_per_address_burst = ${many}`,
      '[limits]', `user_events_per_minute = ${many}`, `user_events_burst = ${many}`, 'unauthenticated_per_address_max = 1000', '',
    ].join('\n'));
  }

  static async start(): Promise<HubbubNode> {
    const node = new HubbubNode(mkdtempSync(join(tmpdir(), 'hubbub-e2e-')), await freePort(), await freePort());
    await node.run();
    return node;
  }

  run(): Promise<void> { return this.program.run(() => fetch(`${this.url}/`).then((answer) => answer.ok, () => false)); }

  /** A command of the operator, to the running node. */
  command(words: string[], input = ''): string {
    return execFileSync(program(), [...words, '--config', this.config], { input, encoding: 'utf8', timeout: 30_000 });
  }

  /** A file of the operator's, beside the node's data. */
  file(name: string, content: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, content);
    return path;
  }

  /** As a power cut would: no word, no flush. */
  kill(): Promise<void> { return this.program.kill(); }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return (address as { port: number }).port;
}
