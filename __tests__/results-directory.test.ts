import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../src/errors.js';
import { Redactor } from '../src/redact/redactor.js';
import { directoryStamp, ResultsDirectory, listFiles } from '../src/results-directory.js';
import { writeWhole, writeWholeText } from '../src/whole-file.js';

const redactor = new Redactor(['hunter2-hunter2']);
const AT = new Date('2026-01-05T06:00:00.123Z');
const create = (parent: string): Promise<ResultsDirectory> =>
  ResultsDirectory.create({ workspace, parent }, AT, redactor);
let workspace = '';
let outside = '';

beforeEach(async () => {
  workspace = await mkdtemp(path.join(tmpdir(), 'workspace-'));
  outside = await mkdtemp(path.join(tmpdir(), 'outside-'));
});
afterEach(async () => {
  await rm(workspace, { recursive: true, force: true });
  await rm(outside, { recursive: true, force: true });
});

describe('ResultsDirectory', () => {
  it('is named by UTC time', () => {
    expect(directoryStamp(AT)).toBe('20260105T060000Z');
  });

  it('lies below the parent, with an evidence folder', async () => {
    const results = await create('a/b');
    expect(results.shown).toBe('a/b/20260105T060000Z');
    expect(await readdir(path.join(workspace, 'a/b/20260105T060000Z'))).toEqual(['evidence']);
  });

  it('never mixes two runs of the same second', async () => {
    const runs = await Promise.all([1, 2, 3].map(() => create('results')));
    expect(new Set(runs.map((run) => run.path)).size).toBe(3);
  });

  it('takes an absolute folder inside the workspace', async () => {
    const results = await create(path.join(workspace, 'results'));
    expect(results.shown).toBe('results/20260105T060000Z');
  });

  it.each(['../elsewhere', '..', 'a/../../elsewhere'])('refuses %s', async (parent) => {
    await expect(create(parent)).rejects.toThrow(ConfigurationError);
  });

  it('refuses an absolute folder elsewhere, also one whose name only begins like the workspace', async () => {
    await expect(create(outside)).rejects.toThrow(/lies outside the workspace/);
    await expect(create(`${workspace}-more`)).rejects.toThrow(ConfigurationError);
  });

  it.each(['link', 'link/deeper'])(
    'does not follow a symbolic link out of the workspace: %s',
    async (parent) => {
      await symlink(outside, path.join(workspace, 'link'));
      await expect(create(parent)).rejects.toThrow(ConfigurationError);
      expect(await readdir(outside)).toEqual([]);
    },
  );

  it('makes nothing through a link to a folder that is not there', async () => {
    await symlink(path.join(outside, 'new'), path.join(workspace, 'link'));
    await expect(create('link/deeper')).rejects.toThrow();
    expect(await readdir(outside)).toEqual([]);
  });

  it('follows a link that stays inside', async () => {
    await mkdir(path.join(workspace, 'real'));
    await symlink(path.join(workspace, 'real'), path.join(workspace, 'link'));
    const results = await create('link');
    expect(results.shown).toBe('real/20260105T060000Z');
  });

  it('does not take a file for a folder', async () => {
    await writeFile(path.join(workspace, 'results'), 'x');
    await expect(create('results')).rejects.toThrow();
  });

  it('writes texts and JSON, and lists every file', async () => {
    const results = await create('results');
    await results.writeJson('verdict.json', { verdict: 'pass' });
    await results.writeText('evidence/notes.txt', 'seen');
    expect(JSON.parse(await readFile(path.join(results.path, 'verdict.json'), 'utf8'))).toEqual({
      verdict: 'pass',
    });
    expect((await listFiles(results.path)).sort()).toEqual(
      ['evidence/notes.txt', 'verdict.json'].map((name) => path.join(results.path, name)),
    );
  });

  it('keeps secrets out of every file, known ones and such as look like one', async () => {
    const results = await create('results');
    await results.writeJson('a.json', {
      said: 'hunter2-hunter2',
      token: 'AAAAAAAAAA-BBBBBBBBBBBBBBBBBBBBBB',
    });
    await results.writeText('b.txt', 'hunter2-hunter2');
    const text = (
      await Promise.all(['a.json', 'b.txt'].map((name) => readFile(path.join(results.path, name), 'utf8')))
    ).join('');
    expect(text).not.toMatch(/hunter2|AAAAAAAAAA-/);
    expect(JSON.parse(await readFile(path.join(results.path, 'a.json'), 'utf8'))).toMatchObject({
      said: '***',
    });
  });

  it('does not write what never ended as if it had not been measured', async () => {
    const results = await create('results');
    await results.writeJson('a.json', { max: Number.POSITIVE_INFINITY });
    expect(JSON.parse(await readFile(path.join(results.path, 'a.json'), 'utf8'))).toEqual({
      max: 'infinite',
    });
  });
});

describe('a file that could not be finished', () => {
  it('does not stand there as the half of itself', async () => {
    const target = path.join(workspace, 'plan.json');
    const broken = writeWhole(target, async (unfinished) => {
      await writeFile(unfinished, '{"half":');
      throw new Error('the disk is full');
    });
    await expect(broken).rejects.toThrow('the disk is full');
    expect(await readdir(workspace)).toEqual([]);
  });

  it('is no part of what is uploaded when main was killed over it', async () => {
    await writeWholeText(path.join(workspace, 'whole.json'), '{}');
    await writeFile(path.join(workspace, 'metrics.json.part'), '{"half":');
    expect((await listFiles(workspace)).map((file) => path.basename(file))).toEqual(['whole.json']);
  });
});
