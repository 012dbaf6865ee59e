import { asJson, asList, type Json, text, texts } from './answers.js';
import type { ApiClient } from './api-client.js';
import { commandFailure } from './exit.js';
import { GoError } from './go-errors.js';
import { inParallel, type Limits, type Run, runHarness } from './harness.js';
import type { Invocation } from './invocation.js';
import { type OutputSpec, parseOutputs } from './outputs.js';
import { givenParameters, resolveParameters } from './parameters.js';
import { planWorkspace } from './planning.js';
import { failures, type Results } from './results.js';
import { writeResults } from './write-results.js';
import { type RunnerPlan, WorkspaceRunner } from './workspace-runner.js';
import { isAtLeast } from '../versions.js';

const TEST_NAME = 'workspacebuild';
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const PANIC = `panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x18f9a5e]

goroutine 1 [running]:
github.com/coder/coder/v2/scaletest/harness.(*TestHarness).Run(0xc000b1a000, {0x5c1e2a8, 0xc0004b2000})
	/home/runner/work/coder/coder/scaletest/harness/harness.go:99 +0x3be
`;

async function findTemplate(client: ApiClient, organizations: string[], name: string): Promise<Json> {
  if (UUID.test(name)) return asJson(await client.get(`/api/v2/templates/${name}`));
  for (const organization of organizations) {
    const templates = asList(await client.get(`/api/v2/organizations/${organization}/templates`));
    const found = templates.find((template) => text(template, 'name') === name);
    if (found !== undefined) return found;
  }
  throw new GoError(`parse template: template "${name}" not found in any organization`);
}

async function planRuns(
  invocation: Invocation,
): Promise<{ runners: WorkspaceRunner[]; outputs: OutputSpec[] }> {
  const { values, client, version, behaviour } = invocation;
  const me = await invocation.requireOwner();
  const owner = client.with({ bypassLimits: true });
  if (values.text('template') === '') throw new GoError('--template is required');
  const count = values.number('count');
  if (count <= 0) throw new GoError('--count is required and must be greater than 0');
  const outputs = parseOutputs(values.list('output'));
  const organizations = texts(me, 'organization_ids');
  const template = await findTemplate(owner, organizations, values.text('template'));
  const versionId = text(template, 'active_version_id');
  await owner.get(`/api/v2/templateversions/${versionId}`);
  const prepare = async (): Promise<RunnerPlan['parameters']> => {
    const parameters = await resolveParameters(owner, version, versionId, givenParameters(values));
    await planWorkspace(owner, versionId, parameters);
    return parameters;
  };
  const parameters = await prepare().catch((error: unknown) => {
    throw new GoError(`prepare build: ${error instanceof GoError ? error.short() : String(error)}`);
  });
  const runners = Array.from({ length: behaviour.zeroRuns ? 0 : count }, (_, index) => {
    return new WorkspaceRunner(
      {
        version,
        behaviour,
        owner,
        organizationId: organizations[0] ?? '',
        templateId: text(template, 'id'),
        parameters,
        useHostLogin: values.flag('use-host-login'),
        waitForAgents: !values.flag('no-wait-for-agents'),
        retry: values.number('retry'),
        // The first so many fail, spread over the runs.
        failsByOrder:
          Math.floor((index + 1) * behaviour.failingShare) > Math.floor(index * behaviour.failingShare),
      },
      index,
    );
  });
  return { runners, outputs };
}

async function cleanUp(invocation: Invocation, runs: Run[], runners: WorkspaceRunner[]): Promise<void> {
  const { values, behaviour } = invocation;
  if (values.flag('no-cleanup')) return;
  if (behaviour.failOwnCleanup) {
    throw new GoError(
      'cleanup tests: delete workspace: build failed with status "failed": terraform apply: exit status 1',
    );
  }
  const limits: Limits = {
    concurrency: values.number('cleanup-concurrency'),
    timeout: values.duration('cleanup-timeout'),
    jobTimeout: values.duration('cleanup-job-timeout'),
  };
  const problems: string[] = [];
  await inParallel(runs, limits, async (run, signal) => {
    await runners[Number(run.id)]?.cleanup(signal).catch((error: unknown) => {
      problems.push(error instanceof GoError ? error.short() : String(error));
    });
  });
  if (problems.length > 0) throw new GoError(`cleanup tests: ${problems.join('; ')}`);
}

function verdict(invocation: Invocation, results: Results): void {
  const failed = failures(results);
  const allowed = invocation.values.number('max-failures');
  if (failed <= allowed) return;
  const counted = isAtLeast(invocation.version, 'v2.30.0');
  throw new GoError(
    counted
      ? `load test failed, ${failed} runs failed (max allowed: ${allowed})`
      : 'load test failed, see above for more details',
  );
}

/** `coder exp scaletest create-workspaces` */
export async function createWorkspaces(invocation: Invocation): Promise<void> {
  const { values, behaviour } = invocation;
  const { runners, outputs } = await planRuns(invocation);
  const runs = runners.map((runner, index): Run => ({
    id: String(index),
    logs: runner.logs,
    execute: (signal) => runner.run(signal),
  }));
  process.stderr.write('Running load test...\n');
  if (behaviour.garbageOnStdout)
    process.stdout.write('\u0000\u001b[31m{"not": the result\u001b[0m\n%!d(string=x)\n');
  const limits: Limits = {
    concurrency: values.number('concurrency'),
    timeout: values.duration('timeout'),
    jobTimeout: values.duration('job-timeout'),
  };
  try {
    const results = await runHarness(TEST_NAME, runs, limits);
    if (behaviour.crash) {
      process.stderr.write(PANIC);
      process.exit(2);
    }
    writeResults(invocation, outputs, results);
    process.stderr.write('\nCleaning up...\n');
    await cleanUp(invocation, runs, runners);
    verdict(invocation, results);
  } catch (error) {
    process.stderr.write('\nUploading traces...\n');
    throw commandFailure(invocation.path, error instanceof GoError ? error.short() : String(error));
  }
  process.stderr.write('\nUploading traces...\n');
}
