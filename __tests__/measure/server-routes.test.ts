import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dashboardMix } from '../../src/load/mix-data.js';
import { readServerCounts } from '../../src/measure/server-counts.js';
import { serverRouteOf } from '../../src/measure/server-routes.js';
import { explainSkip, hasRecordings, sharedText } from '../support/shared.js';

explainSkip('names of routes');

const NAMES = [
  '/api/v2/users',
  '/api/v2/users/{user}',
  '/api/v2/users/authmethods',
  '/api/v2/users/{user}/organizations',
  '/api/v2/users/{user}/workspace/{workspacename}',
  '/api/v2/workspaces/{workspace}/',
  '/latency-check',
  'STATIC',
  'UNKNOWN',
];

describe('the server’s name of a route', () => {
  it.each([
    ['/api/v2/users/{user}/workspace/{workspaceName}', '/api/v2/users/{user}/workspace/{workspacename}'],
    ['/api/v2/users/me', '/api/v2/users/{user}'],
    ['/api/v2/users/me/organizations', '/api/v2/users/{user}/organizations'],
    ['/api/v2/users/authmethods', '/api/v2/users/authmethods'],
    ['/api/v2/users/', '/api/v2/users'],
    ['/api/v2/workspaces/0f1e2d3c', '/api/v2/workspaces/{workspace}/'],
    ['/latency-check', '/latency-check'],
    ['/*', 'STATIC'],
    ['/workspaces', 'STATIC'],
    ['/api/v2/templates', undefined],
    ['/api/v2/users/{user}/keys', undefined],
    ['/api/v2/{anything}', undefined],
    ['/healthz', undefined],
  ])('of %s is %s', (pattern, name) => {
    expect(serverRouteOf(pattern, NAMES)).toBe(name);
  });

  it('of no fixed segment is one with a placeholder only', () => {
    const segment = fc.constantFrom('a', 'b', '{x}', '{y}');
    const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/api/${parts.join('/')}`);
    fc.assert(
      fc.property(path, fc.array(path, { maxLength: 8 }), (pattern, names) => {
        const found = serverRouteOf(pattern, names);
        const [wanted, chosen] = [pattern.split('/'), found?.split('/') ?? []];
        const fits = (name: string): boolean => {
          const parts = name.split('/');
          return (
            parts.length === wanted.length &&
            parts.every((part, i) => part.startsWith('{') || part === wanted[i])
          );
        };
        expect(found === undefined).toBe(!names.some(fits));
        for (const [index, part] of chosen.entries())
          if (!part.startsWith('{')) expect(part).toBe(wanted[index]);
      }),
    );
  });

  it.runIf(hasRecordings)('is on the recorded page for the routes of the mix that were called', () => {
    const counts = [...readServerCounts(sharedText('golden/v2.36.0/debug-metrics.txt')).values()];
    const found = dashboardMix.routes.flatMap(({ method, pattern }) => {
      const names = counts.filter((one) => one.method === method).map(({ path }) => path);
      const name = serverRouteOf(pattern, names);
      return name === undefined ? [] : [`${method} ${name}`];
    });
    expect(found).toEqual(
      expect.arrayContaining([
        'GET /api/v2/tasks',
        'GET /api/v2/workspaces',
        'GET STATIC',
        'POST /api/v2/authcheck',
        'GET /api/v2/users/{user}/organizations',
        'GET /api/v2/users/{user}/workspace/{workspacename}',
        'GET /api/v2/workspacebuilds/{workspacebuild}/parameters',
        'GET /api/v2/workspacebuilds/{workspacebuild}/timings',
        'GET /api/v2/templates/{template}/versions',
        'GET /api/v2/templateversions/{templateversion}/rich-parameters',
        'GET /latency-check',
      ]),
    );
  });
});
