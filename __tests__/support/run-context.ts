import type { RunContext } from '../../src/run/run-types.js';
import { milliseconds } from '../../src/units.js';
import type { CoderDeployment } from '../../simulator/coder/server.js';
import { ownerApi } from './deployments.js';
import { hurriedClock, KeptLog } from './fakes.js';
import { Redactor } from '../../src/redact/redactor.js';

/** What carrying out a plan against a simulated deployment needs. */
export async function runContextOf(
  deployment: CoderDeployment,
  directory: string,
  changes: Partial<RunContext> = {},
): Promise<RunContext> {
  const clock = changes.clock ?? hurriedClock(50);
  const api = ownerApi(deployment, clock);
  const templates = await api.templates();
  const [template] = templates;
  return {
    api,
    clock,
    log: new KeptLog(),
    signal: new AbortController().signal,
    cancelled: changes.signal ?? new AbortController().signal,
    driver: 'api',
    childEnvironment: { PATH: process.env['PATH'] ?? '' },
    rawDirectory: directory,
    evidenceDirectory: directory,
    redactor: new Redactor(),
    network: { headers: {}, proxies: {} },
    deadline: milliseconds(clock.monotonic() + 60_000),
    templates: new Map(
      templates.map(({ name, id, organization_id: organizationId }) => [name, { id, organizationId }]),
    ),
    deploymentUrl: deployment.url,
    since: new Date(0),
    ownUserId: (await api.me()).id,
    ...(template && {
      anyTemplate: { id: template.id, versionId: template.active_version_id },
      organizationId: template.organization_id,
    }),
    describeTrafficPage: () => undefined,
    describeSuitePage: () => undefined,
    suitesWithPage: new Set(),
    beforeSuites: async () => undefined,
    describeBrowserPage: () => undefined,
    ...changes,
  };
}
