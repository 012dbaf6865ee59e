import { randomUUID } from 'node:crypto';
import { asJson, asList, text, texts } from '../answers.js';
import { GoError } from '../go-errors.js';
import { goDuration, instantNow, logTime } from '../go-format.js';
import { type Invocation, traced } from '../invocation.js';
import type { PreparedSuite, SimulatedSuite, SuiteRun } from './suite.js';

const DEFAULT_TEMPLATE = 'scaletest-dynamic-parameters';
const REQUEST_NANOSECONDS = 673_833n;
const TOKENS_A_REQUEST = 15;

const say = (line: string): void => void process.stdout.write(`${logTime(instantNow())} [info]  ${line}\n`);

const quietRun = (testName: string, id: string, metrics: SuiteRun['metrics'] = () => null): SuiteRun => ({
  testName,
  id,
  logs: [],
  execute: async () => undefined,
  metrics,
});

/** 4 is [2, 1, 1]: each part is half of what is left, rounded up. */
function partition(total: number): number[] {
  const parts: number[] = [];
  for (let left = total; left > 0;) {
    const part = Math.ceil(left / 2);
    parts.push(part);
    left -= part;
  }
  return parts;
}

/** Makes its template where it is not there, and never removes it. */
async function dynamicParameters({ values, client }: Invocation): Promise<PreparedSuite> {
  say(`http server listening  addr=${values.text('scaletest-prometheus-address')}  name=prometheus`);
  const name = values.text('template') || DEFAULT_TEMPLATE;
  const me = asJson(await client.get('/api/v2/users/me'));
  const organization = texts(me, 'organization_ids')[0] ?? '';
  const templates = `/api/v2/organizations/${organization}/templates`;
  if (!asList(await client.get(templates)).some((template) => text(template, 'name') === name)) {
    say(`created template version  version_id=${randomUUID()}`);
    const made = asJson(await client.call('POST', templates, { name, template_version_id: randomUUID() }));
    say(`created template  template_id=${text(made, 'id')}  name=${name}`);
  }
  const total = values.number('concurrent-evaluations');
  const parts = partition(total);
  say(`partitioned evaluations  num_evals=${total}  eval_parts="[${parts.join(' ')}]"`);
  const runs = parts.flatMap((part, index) =>
    Array.from({ length: part }, (_, one) => quietRun('dynamic-parameters', `${one}/${index}`)),
  );
  return { runs };
}

/** Pauses the reconciler of the deployment and lets it go on again, twice; no template of its own is made. */
async function prebuilds({ values, client, behaviour }: Invocation): Promise<PreparedSuite> {
  const setPaused = (paused: boolean): Promise<unknown> =>
    client.call('PUT', '/api/v2/prebuilds/settings', { reconciliation_paused: paused });
  await traced('pause prebuilds', () => setPaused(true));
  const runs = Array.from({ length: values.number('num-templates') }, (_, index) =>
    quietRun('prebuilds', String(index)),
  );
  return {
    runs,
    after: async () => {
      if (behaviour.leavePrebuildsPaused) return;
      await setPaused(true);
      await setPaused(false);
    },
  };
}

async function bridge({ values }: Invocation): Promise<PreparedSuite> {
  const [users, requests] = [values.number('concurrent-users'), values.number('request-count')];
  if (users <= 0) throw new GoError('--concurrent-users must be greater than 0');
  const total = goDuration(REQUEST_NANOSECONDS * BigInt(requests));
  process.stderr.write(`Direct mode: making requests directly to ${values.text('upstream-url')}\n`);
  const runs = Array.from({ length: users }, (_, index) =>
    quietRun(`bridge-${index}`, String(index), () => ({
      avg_duration: goDuration(REQUEST_NANOSECONDS),
      failure_count: 0,
      request_count: requests,
      success_count: requests,
      total_duration: total,
      total_tokens: TOKENS_A_REQUEST * requests,
    })),
  );
  return { runs };
}

const NO_EXTERNAL_AGENT = new GoError(
  'create external workspace',
  { caller: 'scaletest/taskstatus.(*Runner).Run', place: 'scaletest/taskstatus/run.go:95' },
  new GoError('no external agent found in workspace', {
    caller: 'scaletest/taskstatus.(*Runner).createExternalWorkspace',
    place: 'scaletest/taskstatus/run.go:355',
  }),
);

/** No template here has an external agent, so every run fails as recorded. */
async function taskStatus({ values }: Invocation): Promise<PreparedSuite> {
  say('waiting for all runners to connect');
  say(`http server listening  addr=${values.text('scaletest-prometheus-address')}  name=prometheus`);
  say('all runners connected');
  const baseline = goDuration(BigInt(Math.round(values.duration('baseline-duration') * 1e6)));
  say(`waiting for baseline duration  duration=${baseline}`);
  say('triggering runners to start reporting task status');
  const prefix = values.text('workspace-name-prefix');
  const runs = Array.from({ length: values.number('count') }, (_, index): SuiteRun => ({
    ...quietRun('task-status', `${prefix}-${index}`),
    execute: async () => {
      throw NO_EXTERNAL_AGENT;
    },
  }));
  return { runs };
}

export const otherSuites: Record<string, SimulatedSuite> = {
  'dynamic-parameters': {
    running: '',
    prepare: dynamicParameters,
    handlesSignals: false,
    failed: null,
    histogram: 'dynamic_parameters_latency_initial_response_seconds',
    saysCleanup: false,
    saysTraces: true,
  },
  prebuilds: {
    running: '',
    prepare: prebuilds,
    handlesSignals: true,
    failed: () => 'prebuild creation test failed, see above for more details',
    histogram: null,
    saysCleanup: false,
    saysTraces: true,
  },
  bridge: {
    running: 'Running bridge scaletest...',
    prepare: bridge,
    handlesSignals: true,
    failed: () => 'load test failed, see above for more details',
    histogram: 'bridge_request_duration_seconds',
    saysCleanup: true,
    saysTraces: false,
  },
  'task-status': {
    running: '',
    prepare: taskStatus,
    handlesSignals: false,
    failed: () => 'load test failed, see above for more details',
    histogram: null,
    saysCleanup: false,
    saysTraces: true,
  },
};
