import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { type ResultsService, startResultsService } from '../../simulator/runner/results-service.js';
import { node24Path, runAction } from '../../simulator/runner/runner.js';
import { removeThrowawayActions, throwawayAction } from './throwaway-action.js';

const moduleUrl = (path: string): string =>
  JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../node_modules/@actions', path)).href);

let service: ResultsService | undefined;

afterEach(async () => {
  removeThrowawayActions();
  await service?.close();
});

it('understands the real toolkit: core and artifact', async () => {
  service = await startResultsService();
  const core = `import * as core from ${moduleUrl('core/lib/core.js')};`;
  const run = await runAction({
    actionDirectory: throwawayAction({
      main: `${core}
        import { DefaultArtifactClient } from ${moduleUrl('artifact/lib/artifact.js')};
        import { writeFileSync } from 'node:fs';
        core.setSecret('token-1234');
        core.info('input ' + core.getInput('greeting') + ' token-1234');
        core.error('P95: 134 s,\\nlimit 120 s', { title: 'Gate: 14.6', file: 'scaletest-config.yaml', startLine: 4 });
        await core.group('Upload', async () => {
          writeFileSync('evidence.txt', 'evidence');
          const { id } = await new DefaultArtifactClient().uploadArtifact('evidence', ['evidence.txt'], '.');
          core.setOutput('artifact-id', id);
        });
        core.saveState('lease', { id: 7 });
        core.exportVariable('EXPORTED', 'yes');
        core.addPath('/opt/coder');
        await core.summary.addRaw('### Verdict: fail').write();
        core.setFailed('gate failed');`,
      post: `${core} core.info(core.getState('lease') + process.env.EXPORTED + process.env.PATH.split(':')[0]);`,
    }),
    nodePath: node24Path() ?? process.execPath,
    artifactService: service,
  });
  await run.cleanUp();
  expect(run.main).toMatchObject({
    exitCode: 1,
    outcome: 'failure',
    summary: '### Verdict: fail',
    unclosedGroups: 0,
  });
  expect(run.main.annotations).toEqual([
    {
      type: 'error',
      title: 'Gate: 14.6',
      file: 'scaletest-config.yaml',
      line: 4,
      message: 'P95: 134 s,\nlimit 120 s',
    },
    { type: 'error', message: 'gate failed' },
  ]);
  expect(run.main.log[0]).toBe('input hello ***');
  expect(run.outputs).toEqual({ 'artifact-id': '1000' });
  expect(run.post?.log).toEqual(['{"id":7}yes/opt/coder']);
  expect(service.artifacts[0]?.entries().get('evidence.txt')?.toString()).toBe('evidence');
});
