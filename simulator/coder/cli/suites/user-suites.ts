import { randomUUID } from 'node:crypto';
import { isAtLeast } from '../../versions.js';
import { asJson, asList, child, type Json, text, texts } from '../answers.js';
import type { ApiClient } from '../api-client.js';
import { commandFailure } from '../exit.js';
import { GoError } from '../go-errors.js';
import type { Invocation } from '../invocation.js';
import { givenParameters, type ParameterValue, resolveParameters } from '../parameters.js';
import { planWorkspace } from '../planning.js';
import { randomText } from '../random-text.js';
import { deleteWorkspace } from '../workspace-runner.js';
import { waitForBuild } from '../waiting.js';
import { createMember, type Member } from './members.js';
import type { PreparedSuite, SimulatedSuite, SuiteRun } from './suite.js';

const NO_ID = '00000000-0000-0000-0000-000000000000';
const LOAD_FAILED = (): string => 'load test failed, see above for more details';
const sayError = (line: string): void => void process.stderr.write(`${line}\n`);

interface Place {
  owner: ApiClient;
  organizationId: string;
}

async function placeOf({ client }: Invocation): Promise<Place> {
  const owner = client.with({ bypassLimits: true });
  const me = asJson(await owner.get('/api/v2/users/me'));
  return { owner, organizationId: texts(me, 'organization_ids')[0] ?? '' };
}

async function removeMembers(owner: ApiClient, members: Member[]): Promise<void> {
  for (const { id } of members) await owner.call('DELETE', `/api/v2/users/${id}`);
}

/** Users of whom the first few get a notification. */
async function notifications(invocation: Invocation): Promise<PreparedSuite> {
  const { values, version } = invocation;
  const count = values.number('user-count');
  if (count <= 0) throw new GoError('--user-count must be greater than 0');
  const percentage = values.number('template-admin-percentage');
  const admins = Math.max(percentage > 0 ? 1 : 0, Math.trunc((count * percentage) / 100));
  const share = (part: number): string => `${((part / count) * 100).toFixed(1)}%`;
  sayError('Distribution plan:');
  sayError(`  Total users: ${count}`);
  sayError(`  Template admins: ${admins} (${share(admins)})`);
  sayError(`  Regular users: ${count - admins} (${share(count - admins)})`);
  sayError('Creating users...');
  const { owner, organizationId } = await placeOf(invocation);
  const members: Member[] = [];
  const runs = Array.from({ length: count }, (_, index): SuiteRun => {
    const logs: string[] = [];
    return {
      testName: `notifications-${index}`,
      id: String(index),
      logs,
      execute: async (signal) => {
        const made = { owner, organizationId, version, index, bypassLimits: false, logs };
        members.push(await createMember(made, signal));
      },
      metrics: () => ({
        notification_smtp_receipt_time: {},
        notification_websocket_receipt_time:
          index < admins ? { [randomUUID()]: new Date().toISOString() } : {},
      }),
    };
  });
  return { runs, cleanUp: () => removeMembers(owner, members) };
}

interface Template {
  id: string;
  parameters: ParameterValue[];
}

/** The dry-run with which the suites that build workspaces begin. */
async function planTemplate(
  { values, version }: Invocation,
  owner: ApiClient,
  organizationId: string,
): Promise<Template> {
  const name = values.text('template');
  const templates = asList(await owner.get(`/api/v2/organizations/${organizationId}/templates`));
  const found = templates.find((template) => text(template, 'name') === name);
  if (found === undefined)
    throw new GoError(`parse template: template "${name}" not found in any organization`);
  const versionId = text(found, 'active_version_id');
  try {
    const parameters = await resolveParameters(owner, version, versionId, givenParameters(values));
    await planWorkspace(owner, versionId, parameters);
    return { id: text(found, 'id'), parameters };
  } catch (error) {
    throw new GoError(`prepare build: ${error instanceof GoError ? error.short() : String(error)}`);
  }
}

interface Built {
  client: ApiClient;
  workspaceId: string;
}

async function buildWorkspace(
  invocation: Invocation,
  member: Member,
  template: Template,
  name: string,
  signal: AbortSignal,
): Promise<Built & { seconds: number }> {
  const began = performance.now();
  const body = {
    template_id: template.id,
    template_version_id: NO_ID,
    name,
    ...(template.parameters.length > 0 && { rich_parameter_values: template.parameters }),
    template_version_preset_id: NO_ID,
  };
  const made = asJson(
    await member.client.call('POST', `/api/v2/users/${member.id}/workspaces`, body, signal),
  );
  const wait = {
    client: member.client.with({ sink: null }),
    logs: { write: () => undefined },
    signal,
    pollScale: invocation.behaviour.pollScale,
    frame: { caller: 'scaletest/workspacebuild.waitForBuild', place: 'scaletest/workspacebuild/run.go:229' },
  };
  await waitForBuild(wait, text(child(made, 'latest_build'), 'id'));
  return {
    client: member.client,
    workspaceId: text(made, 'id'),
    seconds: (performance.now() - began) / 1000,
  };
}

async function removeBuilt({ behaviour }: Invocation, built: Built[]): Promise<void> {
  const signal = new AbortController().signal;
  for (const { client, workspaceId } of built) {
    const frame = { caller: '', place: '' };
    const logs = { write: () => undefined };
    await deleteWorkspace({ client, logs, signal, pollScale: behaviour.pollScale, frame }, workspaceId);
  }
}

/** Power users with several workspaces and regular ones with one; what does not divide evenly is left out. */
async function workspaceUpdates(invocation: Invocation): Promise<PreparedSuite> {
  const { values, version } = invocation;
  const [asked, each] = [values.number('workspace-count'), values.number('power-user-workspaces')];
  if (asked <= 0) throw new GoError('--workspace-count must be greater than 0');
  if (each <= 1) throw new GoError('--power-user-workspaces must be greater than 1');
  const ofPower = Math.trunc((asked * values.number('power-user-percentage')) / 100);
  const powerUsers = Math.trunc(ofPower / each);
  const regular = asked - ofPower;
  sayError('Distribution plan:');
  sayError(`  Total workspaces: ${powerUsers * each + regular}`);
  sayError(`  Power users: ${powerUsers} (each owning ${each} workspaces = ${powerUsers * each} total)`);
  sayError(`  Regular users: ${regular} (each owning 1 workspace = ${regular} total)`);
  const { owner, organizationId } = await placeOf(invocation);
  const template = await planTemplate(invocation, owner, organizationId);
  sayError('Creating users...');
  const members: Member[] = [];
  const built: Built[] = [];
  const runs = Array.from({ length: powerUsers + regular }, (_, index): SuiteRun => {
    const logs: string[] = [];
    const count = index < powerUsers ? each : 1;
    const seen: Record<string, number> = {};
    return {
      testName: `workspaceupdates-${count}w`,
      id: String(index),
      logs,
      execute: async (signal) => {
        const bypassLimits = isAtLeast(version, 'v2.33.0');
        const member = await createMember(
          { owner, organizationId, version, index, bypassLimits, logs },
          signal,
        );
        members.push(member);
        for (let one = 0; one < count; one += 1) {
          const name = `scaletest-${randomText(8)}-${index}`;
          const { seconds, ...workspace } = await buildWorkspace(invocation, member, template, name, signal);
          built.push(workspace);
          seen[name] = seconds;
        }
      },
      metrics: () => ({ workspace_updates_latency_seconds: seen }),
    };
  });
  const cleanUp = async (): Promise<void> => {
    await removeBuilt(invocation, built);
    await removeMembers(owner, members);
  };
  return { runs, cleanUp };
}

/** Without a scheduler here: a workspace is built once, and its start by schedule is a matter of time. */
async function autostart(invocation: Invocation): Promise<PreparedSuite> {
  const { values, version } = invocation;
  const count = values.number('workspace-count');
  if (count <= 0) throw new GoError('--workspace-count must be greater than zero');
  const { owner, organizationId } = await placeOf(invocation);
  const template = await planTemplate(invocation, owner, organizationId);
  if (isAtLeast(version, 'v2.32.0')) {
    const experiments = await owner.get('/api/v2/experiments');
    if (!Array.isArray(experiments) || !experiments.includes('workspace-build-updates'))
      throw commandFailure(
        invocation.path,
        'the workspace-build-updates experiment must be enabled to run the autostart scaletest',
      );
  }
  const delay = values.duration('autostart-delay') / 1000;
  const runs = Array.from({ length: count }, (_, index): SuiteRun => {
    const logs: string[] = [];
    let measured: Json = {};
    return {
      testName: 'autostart',
      id: `scaletest-${index}`,
      logs,
      execute: async (signal) => {
        const made = { owner, organizationId, version, index, bypassLimits: false, logs };
        const member = await createMember(made, signal);
        const name = isAtLeast(version, 'v2.32.0')
          ? `scaletest-${index}`
          : `scaletest-${randomText(8)}-${index}`;
        const { workspaceId, seconds } = await buildWorkspace(invocation, member, template, name, signal);
        measured = isAtLeast(version, 'v2.32.0')
          ? {
              end_to_end_latency_seconds: delay + seconds,
              trigger_to_completion_seconds: seconds,
              workspace_id: workspaceId,
              workspace_name: name,
            }
          : {
              autostart_job_acquired_latency_seconds: seconds / 2,
              autostart_job_creation_latency_seconds: seconds / 4,
              autostart_total_latency_seconds: seconds,
            };
      },
      metrics: () => measured,
    };
  });
  return { runs };
}

const shared = { handlesSignals: true, saysCleanup: true, saysTraces: true, failed: LOAD_FAILED } as const;

export const userSuites: Record<string, SimulatedSuite> = {
  notifications: {
    ...shared,
    running: 'Running notification delivery scaletest...',
    prepare: notifications,
    histogram: 'notification_delivery_latency_seconds',
  },
  'workspace-updates': {
    ...shared,
    running: 'Running workspace updates scaletest...',
    prepare: workspaceUpdates,
    histogram: 'workspace_updates_latency_seconds',
  },
  autostart: {
    ...shared,
    running: 'Running autostart load test...',
    prepare: autostart,
    histogram: 'autostart_total_latency_seconds',
    timeless: true,
    passed: (total, elapsed) =>
      `\nAll ${total} autostart builds completed successfully (elapsed: ${elapsed})`,
  },
};
