import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CoderApi } from '../../src/coder/api.js';
import { CoderHttp, ApiError } from '../../src/coder/http.js';
import { observeWorkspaces } from '../../src/coder/observe.js';
import { observeTimings } from '../../src/coder/build-timings.js';
import { readDeployment, readServer } from '../../src/coder/facts.js';
import { JumpingClock } from '../support/fakes.js';
import { serve, type TestServer } from '../support/http-server.js';
import { cases, damaged, LONGEST_MS } from './cases.js';

const BUILD = {
  ...{
    id: 'b',
    workspace_id: 'w',
    build_number: 2,
    template_version_id: 'v',
    transition: 'start',
    status: 'running',
  },
  job: { id: 'j', created_at: '2026-01-05T06:00:00Z', status: 'succeeded' },
  resources: [
    { agents: [{ id: 'a', status: 'connected', created_at: '2026-01-05T06:00:00Z', scripts: [] }] },
  ],
};
const WORKSPACE = {
  ...{
    id: 'w',
    name: 'scaletest-a-1',
    created_at: '2026-01-05T06:00:00Z',
    owner_id: 'u',
    owner_name: 'scaletest-a-1',
  },
  ...{ organization_id: 'o', template_id: 't', template_name: 't', latest_build: BUILD },
};
const ANSWERS = [
  { workspaces: [WORKSPACE], count: 1 },
  {
    users: [
      { id: 'u', username: 'scaletest-a-1', email: 'a@scaletest.local', created_at: '2026-01-05T06:00:00Z' },
    ],
    count: 1,
  },
  { version: 'v2.36.0', external_url: '', dashboard_url: '' },
  {
    provisioner_timings: [
      { stage: 'plan', started_at: '2026-01-05T06:00:00Z', ended_at: '2026-01-05T06:00:01Z' },
    ],
    agent_script_timings: [],
  },
  [BUILD],
  { message: 'Route not found.' },
].map((answer) => JSON.stringify(answer));
const HURTFUL = [
  ...[
    'null',
    '{}',
    '[]',
    '-1',
    '1e999',
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    '0001-01-01T00:00:00Z',
    '<html>',
    '',
  ],
  ...[
    '"2026-13-45T99:99:99Z"',
    '+275760-09-13T00:00:01Z',
    '"count":99999999',
    '__proto__',
    '\u0000',
    '\ud800',
  ],
];
const answer = fc.record({
  status: fc.constantFrom(200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 428, 429, 500, 502, 503),
  body: damaged(ANSWERS, HURTFUL),
  type: fc.constantFrom('application/json', 'text/html', 'application/octet-stream'),
  date: fc.constantFrom('Mon, 05 Jan 2026 06:00:00 GMT', 'yesterday', ''),
  retryAfter: fc.constantFrom(undefined, '1', '-5', 'soon', '1e99'),
  breaksOff: fc.boolean(),
});
type Answer = typeof answer extends fc.Arbitrary<infer One> ? One : never;

let server: TestServer;
let answers: readonly Answer[] = [];
beforeAll(async () => {
  server = await serve((_, response, count) => {
    const one = answers[count % answers.length];
    if (one === undefined) throw new Error('no answer was drawn');
    const { status, body, type, date, retryAfter, breaksOff } = one;
    const bytes = Buffer.from(status === 204 ? '' : body);
    response.writeHead(status, {
      ...{ 'Content-Type': type, Date: date, 'X-Coder-Build-Version': 'v2.36.0' },
      ...(retryAfter !== undefined && { 'Retry-After': retryAfter }),
      ...(breaksOff && { 'Content-Length': bytes.length + 10 }),
    });
    if (breaksOff) response.write(bytes, () => response.destroy());
    else response.end(bytes);
  });
});
afterAll(() => server.close());

/** The call ends, with an answer of Coder's shape or with an ApiError. */
async function expectEnd(call: (api: CoderApi) => Promise<unknown>): Promise<unknown> {
  const api = new CoderApi(new CoderHttp(server.url, new JumpingClock(), 'token'));
  return call(api).catch((thrown: unknown) => {
    expect(thrown, String(thrown)).toBeInstanceOf(ApiError);
    return undefined;
  });
}

describe('any answers of a server', { timeout: LONGEST_MS }, () => {
  const scope = { since: new Date('2026-01-05T05:00:00Z'), ownUserId: '' };

  it('end every reading with facts or with an ApiError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 4 }), async (some) => {
        answers = some;
        await expectEnd(async (api) => {
          const facts = await readServer(api, new Date());
          expect(Number.isNaN(facts.time.getTime())).toBe(false);
          const asked = await readDeployment(facts, api, 'AAAAAAAAAA-B', {
            templates: ['t'],
            routes: [],
            suites: true,
          });
          JSON.stringify(asked);
        });
        const observed = await expectEnd(async (api) => {
          const workspaces = await observeWorkspaces(api, scope);
          return observeTimings(api, workspaces, scope, AbortSignal.timeout(60_000));
        });
        JSON.stringify(observed ?? null);
      }),
      cases(60),
    );
  });
});
