import { randomUUID } from 'node:crypto';
import { isAtLeast } from '../versions.js';
import { type Json, text } from './answers.js';
import { GoError } from './go-errors.js';
import { goDuration, instantNow, logTime } from './go-format.js';

/** What workspace-traffic does to one workspace. */
export interface TrafficPlan {
  version: string;
  bytesPerTick: number;
  tickMs: number;
  /** `ssh` gives back what it gets, the terminal adds a line end to each tick and its prompt. */
  method: 'reconnectingpty' | 'ssh' | 'app';
  /** How long the run was to last. */
  durationMs: number;
  /** Of the bytes, what gets through. */
  share: number;
  stalled: boolean;
  /** Loses its connection in the middle. */
  drops: boolean;
}

export interface Target {
  workspace: Json;
  agent: Json;
}

/** Connecting takes a little longer for each workspace that does it at the same time. */
const CONNECT_MS = 20;
const TERMINAL_PROMPT_BYTES = 2;

/** One run: bytes are a matter of time, since nothing connects to simulated agents. */
export class TrafficRunner {
  readonly logs: string[] = [];
  #startedAt = 0;
  #endedAt: number | null = null;

  constructor(
    private readonly plan: TrafficPlan,
    readonly target: Target,
    private readonly index: number,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const { plan } = this;
    const began = Date.now();
    const connected = began + CONNECT_MS + this.index;
    this.#log('debu', 'config', [
      ['reconnecting_pty_id', randomUUID()],
      ['height', '25'],
      ['width', '80'],
      ['tick_interval', goDuration(BigInt(Math.round(plan.tickMs * 1e6)))],
      ['bytes_per_tick', String(plan.bytesPerTick)],
    ]);
    this.#log('debu', 'connect to workspace agent');
    this.#log('info', 'connecting to workspace agent', [['method', plan.method]]);
    if (signal.aborted) throw new GoError('connect to workspace: context deadline exceeded');
    this.#startedAt = connected;
    this.#log('debu', 'writing to agent');
    this.#log('debu', 'reading from agent');
    await this.#untilEnd(signal);
    this.#endedAt = Date.now();
    this.#log('debu', 'done reading from agent');
    this.#log('debu', 'done writing to agent');
    this.#conclude(began);
  }

  #conclude(began: number): void {
    const { plan } = this;
    const { read, written } = this.bytes();
    // The recordings have it on v2.36.0 and not on v2.31.0.
    if (isAtLeast(plan.version, 'v2.32.0'))
      this.#log('info', 'traffic summary', [
        ['actual_bytes_read', String(read)],
        ['actual_bytes_written', String(written)],
      ]);
    // Up to v2.31 both pass.
    if (!isAtLeast(plan.version, 'v2.32.0')) return;
    if (plan.drops) {
      const after = goDuration(BigInt(Date.now() - began) * 1_000_000n);
      throw new GoError(`test did not complete: context canceled after ${after}`);
    }
    if (read === 0) throw new GoError('zero bytes read from agent');
  }

  #untilEnd(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = this.plan.drops ? setTimeout(finish, this.plan.durationMs / 2) : undefined;
      if (signal.aborted) finish();
      else signal.addEventListener('abort', finish);
    });
  }

  /** How many ticks there were until now. */
  ticks(): number {
    if (this.#startedAt === 0) return 0;
    const elapsed = (this.#endedAt ?? Date.now()) - this.#startedAt;
    return Math.max(0, Math.floor((elapsed * this.plan.share) / this.plan.tickMs));
  }

  bytes(): { read: number; written: number } {
    const ticks = this.ticks();
    const written = ticks * this.plan.bytesPerTick;
    if (this.plan.stalled || ticks === 0) return { read: 0, written };
    const echo = this.plan.method === 'reconnectingpty' ? ticks + TERMINAL_PROMPT_BYTES : 0;
    return { read: written + echo, written };
  }

  get isStalled(): boolean {
    return this.plan.stalled;
  }

  get isConnected(): boolean {
    return this.#startedAt > 0;
  }

  get hasReadErrors(): boolean {
    return this.plan.drops && this.#endedAt !== null;
  }

  #log(level: string, message: string, fields: [string, string][] = []): void {
    const { workspace, agent } = this.target;
    const about: [string, string][] = [['agent_id', text(agent, 'id')]];
    if (isAtLeast(this.plan.version, 'v2.32.0'))
      about.push(
        ['workspace_id', text(workspace, 'id')],
        ['workspace_name', text(workspace, 'name')],
        ['agent_name', text(agent, 'name')],
      );
    const words = [...about, ...fields].map(([name, value]) => `  ${name}=${value}`).join('');
    this.logs.push(`${logTime(instantNow())} [${level}]  ${message}${words}\n`);
  }
}
