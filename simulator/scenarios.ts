import type { WorldOptions } from './simulated-world.js';

export interface Scenario {
  readonly name: string;
  /** What it shows, for the help text. */
  readonly shows: string;
  readonly world: WorldOptions;
}

const healthy = { disableRateLimits: true, provisionerSlots: 24 } as const;

/** Deployments in different health for `npm start -- --scenario NAME`. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'healthy', shows: 'everything passes', world: { deployment: healthy } },
  {
    name: 'slow-pods',
    shows: 'pods take too long: 14.6 fails',
    world: {
      deployment: {
        ...healthy,
        templateOverrides: { 'pod-swdev': { startSeconds: { median: 6, sigma: 0.3 } } },
      },
    },
  },
  {
    name: 'few-provisioners',
    shows: 'the queue, not the build, takes the time: 14.6 fails, and the summary says why',
    world: { deployment: { ...healthy, provisionerSlots: 6 } },
  },
  {
    name: 'failing-builds',
    shows: 'a tenth of the builds fails, with the cause',
    world: { deployment: { ...healthy, templateOverrides: { 'ec2-datasci': { failingShare: 0.1 } } } },
  },
  {
    name: 'slow-network',
    shows: 'half of the traffic gets through: red, and the creation of workspaces is not the reason',
    world: { deployment: { ...healthy, cli: { throughputShare: 0.5 } } },
  },
  {
    name: 'rate-limits',
    shows:
      "API rate limits are on, as by default: the workspaces are created through the API, because the CLI's suite cannot pass",
    world: { deployment: { ...healthy, disableRateLimits: false } },
  },
  {
    name: 'leftovers',
    shows: 'an earlier test left something behind: nothing is started',
    world: { deployment: healthy },
  },
  {
    name: 'not-an-owner',
    shows: 'the token is not an owner’s: nothing is started',
    world: { deployment: healthy },
  },
];
