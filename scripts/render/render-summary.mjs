#!/usr/bin/env node
/*
 * Shows a job summary as GitHub does, as a picture:
 *   node scripts/render/render-summary.mjs SUMMARY.md OUT.png [--dark] [--width 960]
 * Its packages are installed beside it on first use; Chromium must be on the machine. Nothing is loaded from the net.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** The column of GitHub's page for a run, and the size over which GitHub drops a summary. */
const defaultWidth = 960;
const summarySizeLimit = 1024 * 1024;

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dark: { type: 'boolean', default: false },
      width: { type: 'string', default: String(defaultWidth) },
    },
  });
  const [source, target] = positionals;
  if (source === undefined || target === undefined || positionals.length > 2) {
    throw new Error('Usage: render-summary.mjs SUMMARY.md OUT.png [--dark] [--width PIXELS]');
  }
  const markdown = readFileSync(source, 'utf8');
  const bytes = Buffer.byteLength(markdown);
  const chromium = findChromium();
  installPackages();
  const theme = values.dark ? 'dark' : 'light';
  const failed = await takePicture({ markdown, target, chromium, theme, width: Number(values.width) });
  console.log(`${target}: ${bytes} bytes of Markdown, ${theme}.`);
  for (const message of failed) console.error(`A diagram does not render: ${message}`);
  if (bytes > summarySizeLimit) console.error(`GitHub drops a summary over ${summarySizeLimit} bytes.`);
  if (failed.length > 0 || bytes > summarySizeLimit) process.exitCode = 1;
}

function findChromium() {
  const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = [process.env.CHROMIUM_PATH ?? '', ...places].find((path) => path !== '' && existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    'Chromium is missing. On Debian: apt-get install -y --no-install-recommends chromium fonts-liberation ' +
      'fonts-noto-color-emoji. Or set CHROMIUM_PATH.',
  );
}

function installPackages() {
  const folder = import.meta.dirname;
  if (existsSync(join(folder, 'node_modules/mermaid'))) return;
  console.log('Installing the packages of the renderer (once) …');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error(`npm ci failed in ${folder}; the packages of the renderer are missing.`);
}

/** Gives the messages of the diagrams that did not render. */
async function takePicture({ markdown, target, chromium, theme, width }) {
  const { chromium: browserType } = await import('playwright-core');
  const { summaryToHtml, mermaidScript } = await import('./summary-to-html.mjs');
  const browser = await browserType.launch({
    executablePath: chromium,
    args: [
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      // Chromium refuses its sandbox to root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });
  try {
    const page = await browser.newPage({ viewport: { width, height: 800 }, deviceScaleFactor: 1.5 });
    await page.route('**/*', (route) => route.abort());
    await page.setContent(await summaryToHtml(markdown, { theme, width }));
    await page.addScriptTag({ path: mermaidScript });
    const failed = await page.evaluate(renderDiagrams, theme);
    await page.screenshot({ path: target, fullPage: true });
    return failed;
  } finally {
    await browser.close();
  }
}

/** Runs in the page. A diagram that fails is shown as an error box, as on GitHub, and does not stop the others. */
/* global document, mermaid */
async function renderDiagrams(theme) {
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: 'strict',
    theme: theme === 'dark' ? 'dark' : 'default',
    suppressErrorRendering: true,
  });
  const failed = [];
  for (const [index, element] of [...document.querySelectorAll('.mermaid')].entries()) {
    const source = element.textContent ?? '';
    try {
      element.innerHTML = (await mermaid.render(`diagram-${index}`, source)).svg;
    } catch (error) {
      failed.push(String(error?.message ?? error));
      element.className = 'mermaid-error';
      element.textContent = `Unable to render rich display\n\n${source}`;
    }
  }
  return failed;
}
