import type { Scenario } from './scenarios.js';

/** Log lines by which the moments of a run are known, as the action prints them and as the log shows them. */
const CREATING = /\d+ s {2}local_workspaces: .*(building|waiting)/;
const TRAFFIC = /^(::group::|##\[group\])Workspace traffic/;
const LOAD = /API load: 50 virtual users for \d+ s more/;
const CLEANING = /^(::group::|##\[group\])Clean up/;

type Signals = NonNullable<Scenario['signals']>;
const signal = (name: 'SIGINT' | 'SIGTERM' | 'SIGKILL', whenLogMatches: RegExp): Signals => [
  { signal: name, whenLogMatches, afterMs: whenLogMatches === TRAFFIC ? 3000 : 300 },
];
const DISTURBED = { driver: 'auto', rateLimits: true, tests: 'create-workspaces' } as const;
const BY_CLI = { driver: 'cli', rateLimits: false } as const;

/** Each of them has to end with nothing left, whatever happened to main. */
const CASES: readonly Scenario[] = [
  {
    ...DISTURBED,
    title: 'cancelled while creating',
    signals: signal('SIGINT', CREATING),
    expected: ['cancelled'],
  },
  {
    ...DISTURBED,
    title: 'cancelled while virtual users are at work',
    tests: 'create-workspaces,dashboard',
    signals: signal('SIGINT', LOAD),
    expected: ['cancelled'],
  },
  {
    ...DISTURBED,
    title: 'cancelled during the clean-up',
    signals: signal('SIGINT', CLEANING),
    expected: ['cancelled'],
  },
  { ...DISTURBED, title: 'killed while creating', signals: signal('SIGKILL', CREATING) },
  { ...DISTURBED, title: 'killed during the clean-up', signals: signal('SIGKILL', CLEANING) },
  {
    ...DISTURBED,
    title: 'the server restarted while creating',
    disturbance: { at: CREATING, kind: 'restart' },
    expected: ['fail', 'error'],
  },
  {
    ...DISTURBED,
    title: 'the server restarted during the clean-up',
    disturbance: { at: CLEANING, kind: 'restart' },
    expected: ['pass'],
  },
  {
    ...DISTURBED,
    ...BY_CLI,
    title: 'cancelled while the CLI is creating',
    signals: signal('SIGINT', CREATING),
    expected: ['cancelled'],
  },
  {
    ...DISTURBED,
    ...BY_CLI,
    title: 'terminated while the CLI is creating',
    signals: signal('SIGTERM', CREATING),
    expected: ['cancelled'],
  },
  {
    ...DISTURBED,
    ...BY_CLI,
    title: 'cancelled during the traffic',
    tests: 'create-workspaces,workspace-traffic',
    signals: signal('SIGINT', TRAFFIC),
    expected: ['cancelled'],
  },
  {
    ...DISTURBED,
    ...BY_CLI,
    title: 'killed during the traffic, no post, then the janitor',
    tests: 'create-workspaces,workspace-traffic',
    signals: signal('SIGKILL', TRAFFIC),
    janitor: true,
  },
];

export const DISTURBED_SCENARIOS: readonly Scenario[] = CASES.map((scenario) => ({
  ...scenario,
  title: `disturbed: ${scenario.title}`,
  workspaces: { count: 12, atOnce: 12 },
}));
