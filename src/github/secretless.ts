import { readFileSync } from 'node:fs';
import { z } from 'zod';

const pullRequestEvent = z.object({
  pull_request: z.object({
    /** `null` when the fork was deleted. */
    head: z.object({ repo: z.object({ full_name: z.string() }).nullable() }),
    base: z.object({ repo: z.object({ full_name: z.string() }) }),
  }),
});

/**
 * Why GitHub hands this run no secrets, as a part of a sentence; undefined where nothing is known that would keep them.
 * https://docs.github.com/actions/security-guides/using-secrets-in-github-actions
 */
export function whyNoSecrets(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  if (environment['GITHUB_EVENT_NAME'] !== 'pull_request') return undefined;
  if (environment['GITHUB_ACTOR'] === 'dependabot[bot]')
    return 'Dependabot opened this pull request, and GitHub hands such runs only the secrets that are set for Dependabot';
  const { head, base } = readEvent(environment['GITHUB_EVENT_PATH'])?.pull_request ?? {};
  if (head === undefined || base === undefined || head.repo?.full_name === base.repo.full_name)
    return undefined;
  return `this pull request comes from a fork (${head.repo?.full_name ?? 'deleted by now'}), and GitHub hands such runs no secrets`;
}

function readEvent(file: string | undefined): z.infer<typeof pullRequestEvent> | undefined {
  try {
    return pullRequestEvent.safeParse(JSON.parse(readFileSync(file ?? '', 'utf8'))).data;
  } catch {
    return undefined;
  }
}
