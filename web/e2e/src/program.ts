// The built node's program as a process: started and waited for, killed without a word.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const START_MS = 40_000;

export class Program {
  private child: ChildProcess | null = null;

  constructor(private readonly log: string, private readonly words: string[], private readonly env: Record<string, string>) {}

  async run(answers: () => Promise<boolean>): Promise<void> {
    const log = openSync(this.log, 'a');
    this.child = spawn(program(), this.words, { stdio: ['ignore', log, log], env: { ...process.env, ...this.env } });
    const until = Date.now() + START_MS;
    while (!(await answers())) {
      if (this.child.exitCode !== null || Date.now() > until) throw new Error(`${this.words.join(' ')} did not start:\n${readFileSync(this.log, 'utf8').slice(-3000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async kill(): Promise<void> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

export function program(): string {
  if (!process.env.HUBBUB_BIN) throw new Error('say where the built node is: HUBBUB_BIN=<path of hubbub>');
  return resolve(process.env.HUBBUB_BIN);
}
