import { randomInt } from 'node:crypto';
import type { Random } from '../random.js';
import { isAtLeast } from '../versions.js';
import { asJson, text } from './answers.js';
import type { ApiClient } from './api-client.js';
import type { DashboardMetrics } from './dashboard-page.js';
import { asGoError, deadlineExceeded, GoError, type Frame } from './go-errors.js';
import { instantNow, logTime } from './go-format.js';
import { sleep } from './waiting.js';

/** The pages that were recorded, and how often each was gone to; the last has an element that never comes. */
const ACTIONS = [
  { label: 'workspace_list', share: 0.6 },
  { label: 'template_list', share: 1 },
] as const;
const FAILING_ACTION = 'workspace_details';
const FAILING_ELEMENT = String.raw`tr[role=\"button\"][data-testid^=\"build-\"]`;
const ACTION_MS = { least: 30, most: 200 };
const PAGE_LOAD_MS = 60;
/** Chromium of today sends what the CLI of then cannot read; a few lines a page. */
const NOISE = [
  'within "/resourceIPAddressSpace": unknown IPAddressSpace value: Loopback',
  'within "/clientSecurityState/initiatorIPAddressSpace": unknown IPAddressSpace value: Loopback',
].map(
  (end) =>
    `ERROR: could not unmarshal event: json: cannot unmarshal JSON string into Go network.IPAddressSpace ${end}`,
);

export interface BrowsingPlan {
  /** Of the CLI. */
  version: string;
  intervalMs: number;
  jitterMs: number;
  /** Until the browser is there. */
  startMs: number;
  /** The browser cannot be started. */
  breaks: boolean;
  /** The workspaces page does not come, as on servers from v2.22 on. */
  pageNeverLoads: boolean;
  failingShare: number;
  /** All users have the same seed, so all of them do the same. */
  random: Random;
}

/** One user with a browser; what it clicks is a matter of chance, and how long it takes too. */
export class DashboardRunner {
  readonly name: string;

  constructor(
    private readonly plan: BrowsingPlan,
    /** With the user's token. */
    private readonly client: ApiClient,
    private readonly metrics: DashboardMetrics,
    username: string,
  ) {
    this.name = `dashboard-${username}`;
  }

  /** A deadline ends it without an error, wherever it was. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#browse(signal);
    } catch (error) {
      if (!asGoError(error).short().includes('context deadline exceeded')) throw error;
    }
  }

  async #browse(signal: AbortSignal): Promise<void> {
    const { plan } = this;
    this.#log('info', 'running as user', `  username=${await this.#username(signal)}`);
    if (plan.breaks)
      throw new GoError(
        'init chromedp ctx',
        frame(78),
        new GoError('set viewport size', null, new GoError('chrome failed to start')),
      );
    await sleep(plan.startMs, signal);
    this.#log('info', 'waiting for workspaces page to load');
    this.#complain();
    const hasElement = !plan.pageNeverLoads && !isAtLeast(this.client.serverVersion, 'v2.22.0');
    try {
      if (!hasElement) {
        await sleep(plan.intervalMs, signal);
        throw new GoError('wait for workspaces page to load', null, deadlineExceeded());
      }
      await sleep(Math.min(PAGE_LOAD_MS, plan.intervalMs), signal);
      for (;;) await this.#act(signal);
    } finally {
      this.#leaveProfile();
    }
  }

  async #username(signal: AbortSignal): Promise<string> {
    try {
      return text(asJson(await this.client.get('/api/v2/users/me', signal)), 'username');
    } catch (error) {
      throw new GoError('get scaletest user', frame(68), asGoError(error));
    }
  }

  /** An action has to be done before the next one is due. */
  async #act(signal: AbortSignal): Promise<void> {
    const { plan, metrics } = this;
    const wait = plan.intervalMs + (plan.random.next() * 2 - 1) * plan.jitterMs;
    const fails = plan.random.next() < plan.failingShare;
    const pick = plan.random.next();
    const label = fails ? FAILING_ACTION : (ACTIONS.find(({ share }) => pick < share) ?? ACTIONS[0]).label;
    const takes = fails ? wait : Math.min(wait, randomInt(ACTION_MS.least, ACTION_MS.most));
    const began = Date.now();
    const cutOff = await sleep(takes, signal).then(
      () => false,
      () => true,
    );
    metrics.observe(label, (Date.now() - began) / 1000);
    this.#complain();
    if (fails || cutOff) {
      metrics.countError(label);
      this.#logFailure(label);
    } else this.#log('info', 'action success', `  label=${label}`);
    await sleep(Math.max(0, wait - takes), signal);
  }

  #logFailure(label: string): void {
    this.#log('erro', 'wait failed', `  label=${label}  xpath="${FAILING_ELEMENT}"  error={}`);
    this.#log(
      'erro',
      'action failed',
      `  label=${label} ...\n    error= wait for "${FAILING_ELEMENT}":\n               github.com/coder/coder/v2/scaletest/dashboard.clickRandomElement.func1\n                   /home/runner/work/coder/coder/scaletest/dashboard/chromedp.go:130\n             - context deadline exceeded`,
    );
    this.#log('info', 'screenshot saved', '  path=/dev/null');
  }

  /** The browser writes its profile to the end, so not all of it can be removed. */
  #leaveProfile(): void {
    const folder = `/tmp/scaletest-dashboard-${randomInt(1e9, 4e9)}`;
    this.#log(
      'erro',
      'failed to remove temp user data dir',
      `  dir=${folder}  error="unlinkat ${folder}/Default: directory not empty"`,
    );
  }

  #complain(): void {
    if (isAtLeast(this.plan.version, 'v2.22.0')) return;
    const time = logTime(instantNow()).replaceAll('-', '/').slice(0, -'.000'.length);
    for (const line of NOISE) process.stderr.write(`${time} ${line}\n`);
  }

  #log(level: string, message: string, fields = ''): void {
    process.stdout.write(`${logTime(instantNow())} [${level}]  ${this.name}: ${message}${fields}\n`);
  }
}

function frame(line: number): Frame {
  return {
    caller: 'scaletest/dashboard.(*Runner).runUntilDeadlineExceeded',
    place: `scaletest/dashboard/run.go:${line}`,
  };
}
