import type { CoderDeployment } from '../coder/server.js';
import type { CliBehaviour } from '../coder/options.js';
import type { RunnerSignal } from '../runner/runner.js';

/** A moment of the run: so long after a log line, or after the start. */
export interface Moment {
  readonly name: string;
  readonly pattern?: RegExp;
  readonly afterMs: number;
}

/** What goes wrong. */
export type Fault =
  | { readonly kind: 'signals'; readonly name: string; readonly signals: (moment: Moment) => RunnerSignal[] }
  | {
      readonly kind: 'deployment';
      readonly name: string;
      /** From the moment on; ended again after a while, or only before the janitor. */
      readonly begin: (deployment: CoderDeployment) => void;
      readonly end: (deployment: CoderDeployment) => void;
      readonly lasts: 'a while' | 'beyond post';
    }
  | { readonly kind: 'cli'; readonly name: string; readonly behaviour: Partial<CliBehaviour> }
  | { readonly kind: 'disk full'; readonly name: string }
  | { readonly kind: 'clock jump'; readonly name: string; readonly byMs: number };

const at = ({ pattern, afterMs }: Moment): Pick<RunnerSignal, 'whenLogMatches' | 'afterMs'> => ({
  ...(pattern !== undefined && { whenLogMatches: pattern }),
  afterMs,
});
const stop =
  (signal: RunnerSignal['signal'], ...more: RunnerSignal[]) =>
  (moment: Moment): RunnerSignal[] => [{ signal, ...at(moment) }, ...more];

const EVERY_ROUTE = '*';
const answering = (status: number) => ({
  begin: ({ options }: CoderDeployment): void => {
    options.statusOverride = { [EVERY_ROUTE]: status };
  },
  end: ({ options }: CoderDeployment): void => {
    options.statusOverride = {};
  },
});
const down = {
  begin: ({ options }: CoderDeployment): void => {
    options.apiDown = true;
  },
  end: ({ options }: CoderDeployment): void => {
    options.apiDown = false;
  },
};
const HOUR_MS = 3_600_000;
const FLAP_MS = 250;
/** The timers of deployments whose connections break again and again. */
const flapping = new WeakMap<CoderDeployment, NodeJS.Timeout>();

export const FAULTS: readonly Fault[] = [
  { kind: 'signals', name: 'SIGINT', signals: stop('SIGINT') },
  { kind: 'signals', name: 'SIGTERM', signals: stop('SIGTERM') },
  { kind: 'signals', name: 'SIGKILL', signals: stop('SIGKILL') },
  {
    kind: 'signals',
    name: 'SIGKILL, post too',
    signals: stop('SIGKILL', { step: 'post', signal: 'SIGKILL', afterMs: 400 }),
  },
  {
    kind: 'signals',
    name: 'SIGINT, then post killed',
    signals: stop('SIGINT', { step: 'post', signal: 'SIGKILL', afterMs: 900 }),
  },
  { kind: 'deployment', name: 'API down for a while', ...down, lasts: 'a while' },
  { kind: 'deployment', name: 'API down beyond post', ...down, lasts: 'beyond post' },
  {
    kind: 'deployment',
    name: 'API slow',
    begin: ({ options }) => {
      options.latencySeconds = 1.5;
    },
    end: ({ options }) => {
      options.latencySeconds = 0;
    },
    lasts: 'a while',
  },
  { kind: 'deployment', name: '500 everywhere', ...answering(500), lasts: 'a while' },
  { kind: 'deployment', name: '429 everywhere', ...answering(429), lasts: 'a while' },
  { kind: 'deployment', name: '401 everywhere', ...answering(401), lasts: 'a while' },
  {
    kind: 'deployment',
    name: 'connections break',
    begin: (deployment) => {
      const timer = setInterval(() => {
        deployment.options.apiDown = !deployment.options.apiDown;
      }, FLAP_MS);
      flapping.set(deployment, timer);
    },
    end: (deployment) => {
      clearInterval(flapping.get(deployment));
      deployment.options.apiDown = false;
    },
    lasts: 'a while',
  },
  {
    kind: 'deployment',
    name: 'a login page in front',
    begin: ({ options }) => {
      options.answerHtml = true;
    },
    end: ({ options }) => {
      options.answerHtml = false;
    },
    lasts: 'a while',
  },
  {
    kind: 'deployment',
    name: 'half of the deletions fail',
    begin: ({ options }) => {
      options.failDeleteShare = 0.5;
    },
    end: ({ options }) => {
      options.failDeleteShare = 0;
    },
    lasts: 'a while',
  },
  {
    kind: 'deployment',
    name: 'coderd begins anew',
    begin: (deployment) => deployment.restart(),
    end: () => undefined,
    lasts: 'a while',
  },
  { kind: 'disk full', name: 'disk full' },
  { kind: 'cli', name: 'truncated results', behaviour: { truncateJson: true } },
  { kind: 'cli', name: 'no results', behaviour: { noJson: true } },
  { kind: 'cli', name: 'the CLI crashes', behaviour: { crash: true } },
  { kind: 'clock jump', name: 'clock an hour ahead', byMs: HOUR_MS },
  { kind: 'clock jump', name: 'clock an hour back', byMs: -HOUR_MS },
];
