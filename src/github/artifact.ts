import type { ArtifactStore } from '../ports.js';

/** The artifact service of GitHub. Its client is large, and loaded only when something is uploaded. */
export function githubArtifacts(environment: Readonly<Record<string, string | undefined>>): ArtifactStore {
  return {
    upload: async ({ name, directory, files, retentionDays }) => {
      const { DefaultArtifactClient } = await import('@actions/artifact');
      const client = new DefaultArtifactClient();
      const { id } = await client.uploadArtifact(name, [...files], directory, {
        ...(retentionDays !== undefined && { retentionDays }),
      });
      if (id === undefined) throw new Error('the artifact service gave no id');
      const server = environment['GITHUB_SERVER_URL'] ?? 'https://github.com';
      const run = `${server}/${environment['GITHUB_REPOSITORY'] ?? ''}/actions/runs/${environment['GITHUB_RUN_ID'] ?? ''}`;
      return { id: String(id), url: `${run}/artifacts/${id}` };
    },
  };
}
