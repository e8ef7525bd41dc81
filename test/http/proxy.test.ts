/** Behind a reverse proxy that has Lookout under a path: pages, pictures, forms and answers stay under it. */
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listSettings } from '../../src/config/settings.ts';
import { createFakeFace } from '../helpers/fake-face.ts';
import { nestedRecord } from './records.ts';
import { createSite } from './site.ts';
import { inChromium } from './stage.ts';

/** Debian keeps it where not every PATH looks. */
const NGINX = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/bin/nginx'].find((file) => existsSync(file));
/** What the README's lines say, with ports of the test. */
const PREFIX = '/lookout/';

interface Proxy { readonly base: string; close(): Promise<void> }

/** Takes the path off, or less of it, and passes everything else on, Host too. */
async function nodeProxy(target: number, left = ''): Promise<Proxy> {
  const server = createServer((asked, answer) => {
    if (!asked.url?.startsWith(PREFIX)) { answer.writeHead(404).end(); return; }
    const passed = httpRequest({ host: '127.0.0.1', port: target, method: asked.method, path: left + asked.url.slice(PREFIX.length - 1), headers: asked.headers, agent: false }, (got) => {
      got.pipe(answer.writeHead(got.statusCode ?? 502, got.headers));
    });
    asked.pipe(passed.on('error', () => answer.destroy()));
  });
  const port = await new Promise<number>((resolve) => { server.listen(0, '127.0.0.1', () => { resolve((server.address() as AddressInfo).port); }); });
  return {
    base: `http://127.0.0.1:${port}${PREFIX}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Real nginx, with the lines of the README. */
async function nginxProxy(target: number): Promise<Proxy> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const location = /```nginx\n([\s\S]*?)```/.exec(readme)?.[1]?.replace(':5000/', `:${target}/`) ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'lookout-nginx-'));
  const port = await freePort();
  await writeFile(join(folder, 'nginx.conf'), `
    daemon off; master_process off; pid nginx.pid; error_log stderr;
    events {}
    http {
      access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
      server { listen 127.0.0.1:${port}; ${location} }
    }`);
  const nginx = execa(NGINX ?? '', ['-p', folder, '-c', join(folder, 'nginx.conf')], { reject: false });
  const base = `http://127.0.0.1:${port}${PREFIX}`;
  await expect.poll(() => fetch(base).then(({ status }) => status, () => null), { timeout: 10_000, interval: 50 }).toBe(200);
  return {
    base,
    close: async () => {
      nginx.kill('SIGTERM');
      await nginx;
      await rm(folder, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => { server.listen(0, '127.0.0.1', () => { resolve((server.address() as AddressInfo).port); }); });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const PROXIES = [
  ['a plain proxy', (target: number) => nodeProxy(target)],
  ['a proxy that leaves a slash too many', (target: number) => nodeProxy(target, '/')],
  ['nginx with the lines of the README', nginxProxy],
] as const;

describe.each(PROXIES)('under a path of %s', (_name, startProxy) => {
  const here = describe.skipIf(startProxy === nginxProxy && NGINX === undefined);

  here('(nginx is skipped where it is absent)', () => {
    it('finds what every page names, whatever the address of the page', async () => {
      const site = await createSite(createFakeFace());
      const proxy = await startProxy(site.port);
      try {
        for (const path of ['', 'docs', 'docs/', 'static/index.html', 'static/docs.html', '?started=CAM-001', 'static/index.html?error=no']) {
          const at = new URL(path, proxy.base).href;
          const html = await (await fetch(at)).text();
          const named = [...html.matchAll(/(?:href|src|action)="([^"#]+)"/g)].map(([, address]) => new URL(address ?? '', at));
          expect(named.length, at).toBeGreaterThan(5);
          for (const address of named) {
            expect(address.href.startsWith(proxy.base), `${at} names ${address.href}`).toBe(true);
            const { status } = await fetch(address);
            expect([address.href, status]).toEqual([address.href, address.pathname.endsWith('/start_stream') ? 405 : 200]);
          }
        }
        const document = new URL('openapi.json', proxy.base);
        const { servers } = await (await fetch(document)).json() as { servers: { url: string }[] };
        expect(servers.map(({ url }) => new URL(url, document).href)).toEqual([proxy.base]);
      } finally {
        await proxy.close();
        await site.close();
      }
    });
  });
});

it('by the lines of the README takes what may be pushed, and waits for answers that pause', async () => {
  const [lines = ''] = /```nginx\n[\s\S]*?```/.exec(await readFile(new URL('../../README.md', import.meta.url), 'utf8')) ?? [];
  const [, megabytes] = /client_max_body_size (\d+)m;/.exec(lines) ?? [];
  const [, hours] = /proxy_read_timeout (\d+)h;/.exec(lines) ?? [];
  expect(Number(megabytes) * 1024 * 1024).toBeGreaterThanOrEqual(listSettings().find(({ key }) => key === 'push_max_bytes')?.default as number);
  expect(Number(hours)).toBeGreaterThanOrEqual(1);
});

/** A browser looks behind one of them: to the other the requests are the same. */
const startProxy = NGINX === undefined ? nodeProxy : nginxProxy;

inChromium((stage) => {
  it('shows pictures and records, starts streams, and asks for nothing elsewhere', async () => {
    const { face, site, open, closing, picture } = stage();
    const proxy = await startProxy(site.port);
    closing.push(() => proxy.close());
    face.written.push(nestedRecord());
    const elsewhere: string[] = [];
    const page = await open(proxy.base, {}, (blank) => Promise.resolve(blank.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(proxy.base)) elsewhere.push(request.url());
    })));
    await page.getByLabel('RTSP URL').fill('rtsp://192.0.2.1/s');
    await page.getByLabel('Camera').fill('CAM-001');
    await page.getByRole('checkbox', { name: 'animals' }).waitFor();
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('CAM-001: started').waitFor();
    const at = new Date().toISOString();
    face.pictures.set('CAM-001', { file: picture, captured_at: at });
    face.show('CAM-001', { last_frame_at: at, last_frame_age_seconds: 0 });
    await page.getByRole('img', { name: 'Latest picture of CAM-001' }).waitFor();
    await page.locator('.record').getByText('dog × 2 (up to 91 %)').waitFor();
    await page.locator('.stream').getByRole('button', { name: 'Stop' }).click();
    await page.locator('.stream').getByText('stopped by request').waitFor();
    expect((await fetch(await page.locator('.stream').getByRole('link', { name: 'JSON' }).evaluate((link: { href: string }) => link.href))).status).toBe(200);
    await page.getByRole('link', { name: 'API' }).click();
    await page.getByText('Start several streams').waitFor();
    await page.getByRole('link', { name: 'Streams' }).click();
    await page.getByRole('heading', { name: 'CAM-001' }).first().waitFor();
    expect(elsewhere).toEqual([]);
  });

  it('takes the form of a browser without JavaScript, and goes back to the page', async () => {
    const { face, site, open, closing } = stage();
    const proxy = await startProxy(site.port);
    closing.push(() => proxy.close());
    const page = await open(proxy.base, { javaScriptEnabled: false });
    await page.getByLabel('RTSP URL').fill('rtsp://192.0.2.1/s');
    await page.getByLabel('Camera').fill('CAM-001');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('Started: CAM-001.').waitFor();
    expect(page.url()).toBe(`${proxy.base}?started=CAM-001`);
    expect(face.asked.starts).toHaveLength(1);
  });
});
