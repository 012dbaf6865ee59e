import type { CoderDeployment } from '../coder/server.js';
import type { CliBehaviour, DeploymentOptions } from '../coder/options.js';
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
      /** From the moment on. @returns what ends it again: after a while, or only before the janitor. */
      readonly begin: (deployment: CoderDeployment) => () => void;
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
/** Some options are others for a time. */
const changed =
  (changes: Partial<DeploymentOptions>) =>
  ({ options }: CoderDeployment): (() => void) => {
    const before = { ...options };
    Object.assign(options, changes);
    return () => void Object.assign(options, before);
  };
const answering = (status: number) => changed({ statusOverride: { [EVERY_ROUTE]: status } });
const down = changed({ apiDown: true });
const HOUR_MS = 3_600_000;
const FLAP_MS = 250;
const flapping = ({ options }: CoderDeployment): (() => void) => {
  const timer = setInterval(() => {
    options.apiDown = !options.apiDown;
  }, FLAP_MS);
  return () => {
    clearInterval(timer);
    options.apiDown = false;
  };
};

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
  { kind: 'deployment', name: 'API down for a while', begin: down, lasts: 'a while' },
  { kind: 'deployment', name: 'API down beyond post', begin: down, lasts: 'beyond post' },
  { kind: 'deployment', name: 'API slow', begin: changed({ latencySeconds: 1.5 }), lasts: 'a while' },
  { kind: 'deployment', name: '500 everywhere', begin: answering(500), lasts: 'a while' },
  { kind: 'deployment', name: '429 everywhere', begin: answering(429), lasts: 'a while' },
  { kind: 'deployment', name: '401 everywhere', begin: answering(401), lasts: 'a while' },
  { kind: 'deployment', name: 'connections break', begin: flapping, lasts: 'a while' },
  {
    kind: 'deployment',
    name: 'a login page in front',
    begin: changed({ answerHtml: true }),
    lasts: 'a while',
  },
  {
    kind: 'deployment',
    name: 'half of the deletions fail',
    begin: changed({ failDeleteShare: 0.5 }),
    lasts: 'a while',
  },
  {
    kind: 'deployment',
    name: 'coderd begins anew',
    begin: (deployment) => {
      deployment.restart();
      return () => undefined;
    },
    lasts: 'a while',
  },
  { kind: 'disk full', name: 'disk full' },
  { kind: 'cli', name: 'truncated results', behaviour: { truncateJson: true } },
  { kind: 'cli', name: 'no results', behaviour: { noJson: true } },
  { kind: 'cli', name: 'the CLI crashes', behaviour: { crash: true } },
  { kind: 'clock jump', name: 'clock an hour ahead', byMs: HOUR_MS },
  { kind: 'clock jump', name: 'clock an hour back', byMs: -HOUR_MS },
];
