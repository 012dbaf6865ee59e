import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActionRun, Annotation } from '../../simulator/runner/runner.js';
import { startSimulatedWorld, type SimulatedWorld } from '../../simulator/simulated-world.js';
import {
  annotationsOf,
  configFile,
  expectNothingCreated,
  expectRefusal,
  LONGEST_SCENARIO_MS,
  quickDeployment,
  reasonOf,
} from './support.js';

let world: SimulatedWorld;
const runs: ActionRun[] = [];

beforeAll(async () => {
  world = await startSimulatedWorld({ deployment: quickDeployment() });
});

afterAll(async () => {
  await world.close();
  await Promise.all(runs.map((run) => run.cleanUp()));
});

async function run(config: string | undefined, inputs: Record<string, string> = {}): Promise<ActionRun> {
  const finished = await world.run(config, { inputs });
  runs.push(finished);
  return finished;
}

const FILE = 'scaletest-config.yaml';
const good = configFile({ pods: 60, ec2: 0 });
const places = (found: ActionRun): Pick<Annotation, 'file' | 'line' | 'col'>[] =>
  annotationsOf(found, 'error').map(({ file, line, col }) => ({
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
    ...(col !== undefined && { col }),
  }));

interface BadConfig {
  name: string;
  config: string;
  says: RegExp;
  /** Line and column, 1-based. */
  at?: [number, number];
}

const bomb = [
  'x-a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]',
  ...['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((name, index) => {
    const before = `*${'abcdefgh'.charAt(index)}`;
    return `x-${name}: &${name} [${Array.from({ length: 10 }, () => before).join(', ')}]`;
  }),
  good,
].join('\n');

const BAD_CONFIGS: BadConfig[] = [
  {
    name: 'F7: an unknown key',
    config: good.replace('concurrency:', 'concurency:'),
    says: /unknown key "concurency" in create_workspaces\.templates\.pod_workspaces; did you mean "concurrency"\?/,
    at: [7, 7],
  },
  {
    name: 'an unknown key at the top',
    config: `${good}dashbord:\n  concurrency: 5\n`,
    says: /unknown key "dashbord"; did you mean "dashboard"\?/,
    at: [9, 1],
  },
  {
    name: 'counts that do not add up',
    config: good.replace('count: 60', 'count: 61'),
    says: /create_workspaces\.count is 61, but the groups add up to 60 \(60\); make them agree/,
    at: [2, 10],
  },
  {
    name: 'a count of 0',
    config: good.replaceAll('count: 60', 'count: 0'),
    says: /create_workspaces\.count: at least 1 is needed/,
    at: [2, 10],
  },
  {
    name: 'a negative count',
    config: good.replaceAll('count: 60', 'count: -5'),
    says: /create_workspaces\.count: at least 1 is needed/,
    at: [2, 10],
  },
  {
    name: 'a number with a letter',
    config: good.replace('count: 60', 'count: 5abc'),
    says: /create_workspaces\.count: a whole number is needed/,
    at: [2, 10],
  },
  {
    name: 'a duration without a unit',
    config: good.replace('expected_p95: 60s', 'expected_p95: "5abc"'),
    says: /create_workspaces\.templates\.pod_workspaces\.expected_p95: "5abc" is no duration; write it with a unit/,
    at: [8, 21],
  },
  {
    name: 'YAML that cannot be read',
    config: `${good}criteria: [ { id: x\n`,
    says: /the YAML cannot be read/,
  },
  {
    name: 'F7: a key twice',
    config: `${good}create_workspaces: {}\n`,
    says: /the YAML cannot be read: Map keys must be unique/,
    at: [9, 1],
  },
  {
    name: 'an alias bomb',
    config: bomb,
    says: /too many aliases: the file would grow without bound/,
    at: [1, 1],
  },
  { name: 'an empty file', config: '', says: /./ },
  { name: 'a file that is a list', config: '- one\n- two\n', says: /the config file: .*/ },
  {
    name: 'F7: a typo in a criterion’s metric',
    config: `${good}criteria:\n  - id: slow\n    metric: create_workspaces.pod_workspaces.provisionin\n    expect: "p95 < 2m"\n`,
    says: /criterion "slow": there is no metric "create_workspaces\.pod_workspaces\.provisionin"; did you mean "create_workspaces\.pod_workspaces\.provisioning"/,
    at: [11, 13],
  },
  {
    name: 'a typo in a criterion’s expectation, at its own column',
    config: `${good}criteria:\n  - id: slow\n    metric: create_workspaces.all.queue\n    expect: "p95 < 2x"\n`,
    says: /"2x" is no quantity; write for example "500ms"/,
    at: [12, 20],
  },
  {
    name: 'a criterion that asks a ratio for a quantile',
    config: `${good}criteria:\n  - id: rate\n    metric: create_workspaces.all.success_rate\n    expect: "p95 > 99%"\n`,
    says: /criterion "rate": "p95 > 99%" asks for an aggregate, but create_workspaces\.all\.success_rate is one number/,
    at: [12, 13],
  },
  {
    name: 'two groups of one template',
    config: configFile({ pods: 60, ec2: 60 }).replace('ec2-datasci', 'pod-swdev'),
    says: /the groups "pod_workspaces" and "ec2_workspaces" use the same template "pod-swdev"/,
    at: [10, 17],
  },
];

describe.concurrent('a bad config file', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(BAD_CONFIGS.map((one) => [one.name, one] as const))(
    '%s is refused, at its place',
    async (_, { config, says, at }) => {
      const refused = await run(config);
      expectRefusal(refused, world, says);
      if (at) expect(places(refused)).toContainEqual({ file: FILE, line: at[0], col: at[1] });
      if (at) expect(refused.main.summary).toContain(`${FILE}:${at[0]}:${at[1]}`);
      expect(refused.outputs['results-dir']).toBeUndefined();
      expect(world.releases.requests).toEqual([]);
    },
  );

  it('names several mistakes at once, each at its own line', async () => {
    const config = good
      .replace('concurrency: 60', 'concurrency: 0')
      .replace('expected_p95: 60s', 'expected_p95: fast')
      .replace('template: pod-swdev', 'template: pod-swdev\n      tempalte: x');
    const refused = await run(config);
    expectRefusal(refused, world, /at least 1 is needed/, /"fast" is no duration/, /unknown key "tempalte"/);
    expect(places(refused).map(({ line }) => line)).toEqual(expect.arrayContaining([6, 8, 9]));
  });

  it('shows nine of many mistakes as annotations, and all in the summary', async () => {
    const typos = Array.from({ length: 14 }, (_, index) => `typo_${index}: 1`).join('\n');
    const refused = await run(`${good}${typos}\n`);
    expectRefusal(refused, world, /unknown key "typo_0"/);
    expect(annotationsOf(refused, 'error')).toHaveLength(9);
    expect(refused.main.droppedAnnotations).toBe(0);
    expect(refused.main.summary).toContain('typo\\_13');
  });

  it('is looked for in three places', async () => {
    const refused = await run(undefined);
    expectRefusal(
      refused,
      world,
      /no config file was found; make one of scaletest-config\.yaml, \.github\/scaletest-config\.yaml, terraform\/test\/scaletest\/scaletest-config\.yaml/,
    );
  });

  it('that the input names has to be there', async () => {
    const refused = await run(good, { config: 'tests/nowhere.yaml' });
    expectRefusal(refused, world, /the config file "tests\/nowhere\.yaml" \(input "config"\) cannot be read/);
  });
});

interface BadInput {
  name: string;
  inputs: Record<string, string>;
  says: RegExp;
  config?: string;
}

const guide = `${good}dashboard:\n  concurrency: 50\n  duration: "5m"\n  targets: { p95_latency_ms: 500, p99_latency_ms: 1000 }\nworkspace_traffic:\n  bytes_per_tick: 1024\n  tick_interval: "100ms"\n  duration: "10m"\n`;

const BAD_INPUTS: BadInput[] = [
  {
    name: 'an unknown test',
    inputs: { tests: 'create-workspace' },
    says: /input "tests" names "create-workspace", which is no suite; did you mean "create-workspaces"\?/,
  },
  {
    name: 'virtual users who make too few calls to decide a P99',
    inputs: { tests: 'all' },
    config: guide.replace('duration: "5m"', 'duration: "10s"'),
    says: /the criterion "14\.10-api-latency-p99" \(p99 < 1000ms\) cannot be decided with \d+ calls: a P99 needs 299/,
  },
  {
    name: 'traffic without the workspaces that it needs',
    inputs: { tests: 'workspace-traffic' },
    config: guide,
    says: /the suite "workspace-traffic" sends traffic to the workspaces of the suite "create-workspaces", which this run leaves out; select both/,
  },
  {
    name: 'a suite that the config does not configure',
    inputs: { tests: 'create-workspaces' },
    config: 'dashboard: { concurrency: 5, duration: 1m }\n',
    says: /input "tests" names "create-workspaces", but the config file has no section for it/,
  },
  {
    name: 'an unknown profile',
    inputs: { profile: 'smok' },
    says: /there is no profile "smok"; did you mean "smoke"\?/,
  },
  {
    name: 'a profile that is not available yet',
    inputs: { profile: 'full' },
    says: /the built-in profile "full" is not available yet; there is "smoke"/,
  },
  {
    name: 'an unknown mode',
    inputs: { mode: 'gates' },
    says: /input "mode" is "gates"; it can be gate, plan, preflight, run, judge, cleanup/,
  },
  {
    name: 'mode judge without results',
    inputs: { mode: 'judge', tests: '' },
    says: /mode "judge" needs the results of a gate or run: set input "from" to their directory/,
  },
  {
    name: 'an unknown input',
    inputs: { 'coder-ulr': 'https://coder.example.com' },
    says: /unknown input "coder-ulr"; did you mean "coder-url"/,
  },
  {
    name: 'a URL without a scheme',
    inputs: { 'coder-url': 'coder.example.com' },
    says: /input "coder-url" is "coder\.example\.com"; write it with its scheme/,
  },
  {
    name: 'a URL with a path',
    inputs: { 'coder-url': 'https://coder.example.com/coder' },
    says: /leave out the part behind the host.*Write "https:\/\/coder\.example\.com"/,
  },
  {
    name: 'no URL',
    inputs: { 'coder-url': '' },
    says: /mode "gate" needs the deployment: set input "coder-url"/,
  },
  {
    name: 'no token',
    inputs: { 'coder-session-token': '' },
    says: /mode "gate" needs an owner's credentials: set input "coder-session-token"/,
  },
  {
    name: 'a token and a password',
    inputs: { 'coder-email': 'ci@example.com', 'coder-password': 'correct' },
    says: /give either "coder-session-token" or "coder-email" with "coder-password", not both/,
  },
  {
    name: 'an e-mail without a password',
    inputs: { 'coder-session-token': '', 'coder-email': 'ci@example.com' },
    says: /input "coder-password" is missing/,
  },
  {
    name: 'a token of another shape',
    inputs: { 'coder-session-token': 'ghp-123' },
    says: /input "coder-session-token" is no Coder token/,
  },
  {
    name: 'a ceiling of workspaces',
    inputs: { 'max-workspaces': '59' },
    says: /the plan has 60 workspaces, above the ceiling of 59/,
  },
  {
    name: 'a ceiling that is no number',
    inputs: { 'max-workspaces': '5abc' },
    says: /input "max-workspaces" is "5abc"; a whole number, 1 or more, is needed/,
  },
  {
    name: 'a ceiling of time',
    inputs: { 'max-duration': '10m' },
    says: /the plan may take .* with its clean-up, above the ceiling of 10m/,
  },
  {
    name: 'a time without a unit',
    inputs: { 'max-duration': '90' },
    says: /input "max-duration": "90" is no duration/,
  },
  {
    name: 'an unknown policy',
    inputs: { cleanup: 'sometimes' },
    says: /input "cleanup" is "sometimes"; it can be always, on-success, never/,
  },
  {
    name: 'a flag that is neither true nor false',
    inputs: { 'upload-artifact': 'yes' },
    says: /input "upload-artifact" is "yes"; it can be true or false/,
  },
  {
    name: 'a version that is none',
    inputs: { 'coder-version': 'newest' },
    says: /input "coder-version" is "newest"; it can be server, stable, mainline or an exact version/,
  },
  {
    name: 'a results directory outside',
    inputs: { 'results-dir': '../elsewhere' },
    says: /input "results-dir" is "\.\.\/elsewhere"; it has to stay inside the workspace/,
  },
];

describe.concurrent('a bad input', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(BAD_INPUTS)('$name is refused with what to do', async ({ inputs, says, config = good }) => {
    const refused = await run(config, inputs);
    expectRefusal(refused, world, says);
    expect(world.releases.requests).toEqual([]);
  });

  it('is named together with all others', async () => {
    const refused = await run(good, { mode: 'gates', 'max-duration': '90', 'coder-url': 'nowhere' });
    expectRefusal(refused, world, /input "mode"/, /input "max-duration"/, /input "coder-url"/);
    expect(annotationsOf(refused, 'error')).toHaveLength(3);
  });

  it('never shows a token that was given in the wrong place', async () => {
    const refused = await run(good, {
      'coder-url': `https://ci:${world.coder.ownerToken}@coder.example.com`,
    });
    expectRefusal(refused, world, /input "coder-url" holds credentials/);
    expect(reasonOf(refused)).not.toContain(world.coder.ownerToken);
    const lines = refused.main.rawOutput.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    expect(lines.join('\n')).not.toContain(world.coder.ownerToken);
    expectNothingCreated(world);
  });
});

describe('a pull request without secrets', () => {
  const repository = (name: string | null) => (name === null ? null : { full_name: name });
  const pullRequest = (head: string | null) => ({
    pull_request: { head: { repo: repository(head) }, base: { repo: repository('octo-org/infrastructure') } },
  });
  const runOn = async (payload: unknown, env: Record<string, string> = {}): Promise<ActionRun> => {
    const finished = await world.run(good, {
      inputs: { 'coder-session-token': '' },
      event: { name: 'pull_request', payload },
      env: { CODER_SESSION_TOKEN: '', ...env },
    });
    runs.push(finished);
    return finished;
  };

  it.each([
    ['from a fork', pullRequest('mallory/infrastructure'), {}, 'comes from a fork (mallory/infrastructure)'],
    ['from a fork that was deleted', pullRequest(null), {}, 'comes from a fork (deleted by now)'],
    [
      'of Dependabot',
      pullRequest('octo-org/infrastructure'),
      { GITHUB_ACTOR: 'dependabot[bot]' },
      'Dependabot opened this pull request',
    ],
  ])('%s says what to do instead', async (_case, payload, env, says) => {
    const found = await runOn(payload, env);
    expect(found.main.exitCode).toBe(1);
    expect(found.outputs['verdict']).toBe('error');
    expect(reasonOf(found)).toContain(says);
    expect(reasonOf(found)).toContain('docs/pull-requests.md');
    expect(found.main.summary).toContain(says);
    expectNothingCreated(world);
  });

  it.each([
    ['of the repository itself', pullRequest('octo-org/infrastructure')],
    ['whose event cannot be read', { pull_request: 'odd' }],
  ])('%s says which inputs are missing', async (_case, payload) => {
    const found = await runOn(payload);
    expect(found.outputs['verdict']).toBe('error');
    expect(reasonOf(found)).toContain('needs an owner\'s credentials: set input "coder-session-token"');
  });
});
