import { beforeAll, describe, expect, it } from 'vitest';
import { type Answers, askEverything, fields } from './api-scenario.js';
import { explainSkip, hasRecordings, recording, recordingNames, VERSIONS } from './golden.js';
import { differences, type Tolerance } from './shapes.js';

explainSkip('API recordings');

/**
 * What depends on the moment and not on the server:
 * - `disconnected_at`: the recorded server of v2.36.0 was restarted, so its agents had once lost their connection;
 * - `latency`: comes with an agent's first statistics;
 * - `agents`: recorded for agents that had already been taken away, and not.
 */
const tolerance: Tolerance = {
  optional: [/\.disconnected_at$/, /\.latency$/, /\.agents$/],
  loose: [
    // Milliseconds once there are successful builds, null before.
    /\.build_time_stats\.(start|stop|delete)\.P(50|95)$/,
    // The commit is part of it when the binary has one.
    /\.external_url$/,
    // Null until the daemon has worked.
    /\.(current|previous)_job$/,
  ],
};

/** Recorded shortened, or a page of text: compared by other tests. */
const OTHERWISE: Record<string, string> = {
  'deployment-config': 'cut to the keys in use; compared below',
  'debug-health': 'cut to its frame; compared below',
  'debug-metrics': 'text; see metrics.test.ts',
  'debug-metrics-prometheus-off': 'text; see metrics.test.ts',
  'err-html-elsewhere': 'a page, recorded as "<!doctype html>…"',
};

const HEADERS = [
  'Content-Type',
  'Www-Authenticate',
  'Allow',
  'Retry-After',
  'X-Coder-Build-Version',
  'X-Ratelimit-Limit',
];
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const URL_TEXT = /http:\/\/127\.0\.0\.1:\d+/g;

function withoutIds(text: string): string {
  return text.replace(UUID, '<id>').replace(URL_TEXT, '<url>');
}

/** The words of an error body. */
function words(body: unknown): string {
  const { message, detail, validations } = fields(body);
  return withoutIds(JSON.stringify({ message, detail, validations }));
}

/** Of provisioner jobs, which are of several types, those of workspaces. */
function comparable(body: unknown): unknown {
  if (!Array.isArray(body)) return body;
  const rows = body as unknown[];
  const builds = rows.filter((row) => fields(row).type === 'workspace_build');
  return builds.length === 0 ? rows : builds;
}

for (const version of VERSIONS) {
  describe.runIf(hasRecordings)(`answers of ${version}`, () => {
    let answers: Answers = new Map();
    beforeAll(async () => {
      answers = await askEverything(version);
    }, 60_000);

    it.each(recordingNames(version))('%s', (name) => {
      const { response } = recording(version, name);
      const answer = answers.get(name);
      if (answer === undefined) throw new Error(`the scenario does not ask for ${name}`);
      expect(answer.status).toBe(response.status);
      for (const header of HEADERS) {
        const recorded = response.headers[header];
        const found = answer.headers.get(header);
        expect(`${header}: ${withoutIds(found ?? '-')}`).toBe(`${header}: ${withoutIds(recorded ?? '-')}`);
      }
      expect(words(answer.body)).toBe(words(response.body));
      if (name in OTHERWISE) return;
      if (typeof response.body === 'string') expect(answer.body).toBe(response.body);
      else expect(differences(comparable(response.body), comparable(answer.body), tolerance)).toEqual([]);
    });

    it('has every configuration key in use with its recorded type', () => {
      const recorded = fields(fields(recording(version, 'deployment-config').response.body).config);
      const found = fields(fields(answers.get('deployment-config')?.body).config);
      for (const [key, value] of Object.entries(recorded)) {
        // The recorder wrote null for keys that were not there.
        if (value === null) expect(found, key).not.toHaveProperty(key);
        else expect(differences(value, found[key], { optional: [], loose: [] }, key)).toEqual([]);
      }
    });

    it('shows the recorded frame of the health page', () => {
      const recorded = fields(recording(version, 'debug-health').response.body);
      expect(Object.keys(fields(answers.get('debug-health')?.body))).toEqual(Object.keys(recorded));
    });
  });
}
