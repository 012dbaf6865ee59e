import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Answers, Asker, askEverything, fields, startQuickServer } from './api-scenario.js';
import { explainSkip, hasRecordings, recording, recordingNames, sharedJson } from './golden.js';

explainSkip('published schemas');

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
const swagger = hasRecordings ? fields(sharedJson('reference/coder-swagger.json')) : {};
const paths = Object.keys(fields(swagger.paths));

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}/?$`);
}

/** The published route of a request; fixed segments win. */
function routeOf(path: string): string | undefined {
  const plain = path.replace(/\?.*$/, '');
  const candidates = [plain, plain.replace(/^\/api\/v2/, '')];
  return paths
    .filter((route) => candidates.some((candidate) => patternOf(route).test(candidate)))
    .sort((left, right) => left.split('{').length - right.split('{').length)[0];
}

const compiled = new Map<string, ValidateFunction>();

function validatorOf({ method, path, status }: Answer): ValidateFunction | undefined {
  const route = routeOf(path);
  if (route === undefined) return undefined;
  const operation = fields(fields(fields(swagger.paths)[route])[method.toLowerCase()]);
  const response = fields(fields(operation.responses)[String(status)]);
  const schema = status >= 400 ? { $ref: '#/definitions/codersdk.Response' } : response.schema;
  if (schema === undefined) return undefined;
  const key = JSON.stringify(schema);
  const validate = compiled.get(key) ?? ajv.compile({ ...fields(schema), definitions: swagger.definitions });
  compiled.set(key, validate);
  return validate;
}

function describeError({ instancePath, keyword, message }: ErrorObject): string {
  return `${instancePath.replace(/\/\d+/g, '/*')} ${keyword}: ${message ?? ''}`;
}

/** Where the recordings themselves do not fit the published schemas; they win. */
const EXCEPTIONS: { error: RegExp; reason: string }[] = [
  {
    error:
      /\/(deleting_at|dormant_at|next_start_at|deadline|max_deadline|most_recently_seen|read_at|template_version_preset_id|last_seen_at|error|P50|P95) type: must be (string|number|integer)$/,
    reason: 'Swagger 2.0 has no null, the server has',
  },
  {
    error: /\/(latest_app_status|environment_variables|current_job|previous_job) type: must be object$/,
    reason: 'null again, for whole objects',
  },
  {
    error: /\/(parent_id|task_id) type: must be object$/,
    reason: 'a nullable id is published as the Go struct, and sent as an id or null',
  },
  {
    error: /\/(access_url|relay_url|address|http_address|url) type: must be object$/,
    reason: 'URLs and addresses are published as Go structs, and sent as text',
  },
  {
    error: /\/allow_list\/\* type: must be object$/,
    reason: 'published as objects, sent as text ("*:*")',
  },
  {
    error: /\/status enum: must be equal to one of the allowed values$/,
    reason: 'a new user is "dormant", which the published list of user states lacks',
  },
];

/** Errors that no exception covers. */
function unexplained(validate: ValidateFunction, body: unknown): string[] {
  validate(body);
  const errors = (validate.errors ?? []).map(describeError);
  return [...new Set(errors)].filter((text) => !EXCEPTIONS.some(({ error }) => error.test(text)));
}

/** Routes and pages that are not in the published document, or without a schema there. */
const UNPUBLISHED = [
  // Text, not JSON.
  'debug-metrics-prometheus-off',
  'debug-metrics',
  // No such route there.
  'err-404-route',
  // No body.
  'err-405',
  'err-head',
  'err-html-elsewhere',
  'limits-on-member-bypass-428',
  'token-delete',
  // Published without a schema.
  'user-delete-again',
  'user-delete',
];

/** The recorder cut these down. */
const CUT = ['deployment-config', 'debug-health'];

/** Routes without a recording: the published schema is all there is to go by. */
async function askUnrecorded(): Promise<Answers> {
  const deployment = await startQuickServer('v2.36.0', false);
  try {
    deployment.seedLeftovers(1);
    const asker = new Asker(deployment);
    const [workspace] = deployment.state.liveWorkspaces();
    const build = workspace?.builds[0];
    const paths = [
      '/users/authmethods',
      `/organizations/coder/templates/pod-swdev`,
      `/organizations/coder`,
      `/templates/${workspace?.templateId ?? ''}`,
      `/templates/${workspace?.templateId ?? ''}/versions`,
      `/workspaces/${workspace?.id ?? ''}/resolve-autostart`,
      `/workspaces/${workspace?.id ?? ''}/acl`,
      `/workspaces/${workspace?.id ?? ''}/timings`,
      `/workspaceagents/${build?.resource?.agent?.id ?? ''}/containers`,
      `/workspacebuilds/${build?.id ?? ''}/parameters`,
      `/workspacebuilds/${build?.id ?? ''}/logs`,
      '/deployment/ssh',
      '/updatecheck',
    ];
    for (const path of paths) await asker.ask(path, `GET /api/v2${path}`);
    return asker.answers;
  } finally {
    await deployment.close();
  }
}

describe.runIf(hasRecordings)('routes without a recording', () => {
  it('fit the published schemas', async () => {
    for (const [path, answer] of await askUnrecorded()) {
      const validate = validatorOf(answer);
      if (validate === undefined) throw new Error(`no published schema for ${path}`);
      expect(answer.status, path).toBe(200);
      expect(unexplained(validate, answer.body), path).toEqual([]);
    }
  });
});

describe.runIf(hasRecordings)('answers of v2.36.0 fit the published schemas', () => {
  let answers: Answers = new Map();
  beforeAll(async () => {
    answers = await askEverything('v2.36.0');
  }, 60_000);

  it.each(recordingNames('v2.36.0').filter((name) => !UNPUBLISHED.includes(name)))('%s', (name) => {
    const answer = answers.get(name);
    if (answer === undefined) throw new Error(`the scenario does not ask for ${name}`);
    const validate = validatorOf(answer);
    if (validate === undefined) throw new Error(`no published schema for ${answer.method} ${answer.path}`);
    if (!CUT.includes(name))
      expect(unexplained(validate, recording('v2.36.0', name).response.body)).toEqual([]);
    expect(unexplained(validate, answer.body)).toEqual([]);
  });

  it('names what has no published schema', () => {
    const without = recordingNames('v2.36.0').filter((name) => {
      const answer = answers.get(name);
      return answer === undefined || typeof answer.body === 'string' || validatorOf(answer) === undefined;
    });
    expect(without).toEqual(UNPUBLISHED);
  });

  it('needs every exception', () => {
    const errors = recordingNames('v2.36.0').flatMap((name) => {
      const answer = answers.get(name);
      const validate = answer && typeof answer.body !== 'string' ? validatorOf(answer) : undefined;
      if (validate === undefined) return [];
      validate(recording('v2.36.0', name).response.body);
      return (validate.errors ?? []).map(describeError);
    });
    const unused = EXCEPTIONS.filter(({ error }) => !errors.some((text) => error.test(text)));
    expect(unused).toEqual([]);
  });
});
