import { afterEach } from 'vitest';
import { CoderApi } from '../../src/coder/api.js';
import { CoderHttp } from '../../src/coder/http.js';
import { startCoderServer, type CoderDeployment } from '../../simulator/coder/server.js';
import { hurriedClock } from './fakes.js';

type Options = NonNullable<Parameters<typeof startCoderServer>[0]>;

const QUICK = {
  startSeconds: { median: 0.03, sigma: 0 },
  deleteSeconds: { median: 0.03, sigma: 0 },
  dryRunSeconds: { median: 0.01, sigma: 0 },
  agentConnectSeconds: { median: 0.01, sigma: 0 },
  agentReadySeconds: { median: 0.01, sigma: 0 },
};

const running: CoderDeployment[] = [];

/** A simulated deployment whose builds take an instant. It ends with the test, and must not have broken. */
export async function startDeployment(options: Options = {}): Promise<CoderDeployment> {
  const deployment = await startCoderServer({
    disableRateLimits: true,
    cancelSeconds: 0.02,
    latency: { baseMs: 0, sigma: 0, perRequestMs: 0 },
    ...options,
    templateOverrides: {
      'pod-swdev': { ...QUICK, ...options.templateOverrides?.['pod-swdev'] },
      'ec2-datasci': { ...QUICK, ...options.templateOverrides?.['ec2-datasci'] },
      'tpl-fail': { ...QUICK, ...options.templateOverrides?.['tpl-fail'] },
      'tpl-noagent': { ...QUICK, ...options.templateOverrides?.['tpl-noagent'] },
    },
  });
  running.push(deployment);
  return deployment;
}

export async function stopDeployments(): Promise<void> {
  for (const deployment of running.splice(0)) {
    await deployment.close();
    if (deployment.state.internalErrors.length > 0)
      throw new Error('the simulator broke', { cause: deployment.state.internalErrors[0] });
  }
}

/** Ends what a test started. */
export function stopDeploymentsAfterEach(): void {
  afterEach(stopDeployments);
}

/** A client with the owner's token, whose pauses are a hundred times shorter. */
export function ownerApi(deployment: CoderDeployment, clock = hurriedClock(100)): CoderApi {
  return new CoderApi(new CoderHttp(deployment.url, clock, deployment.ownerToken));
}

export function templateOf(deployment: CoderDeployment, name = 'pod-swdev') {
  const template = [...deployment.state.templates.values()].find(({ options }) => options.name === name);
  if (template === undefined) throw new Error(`no template ${name}`);
  return template;
}
