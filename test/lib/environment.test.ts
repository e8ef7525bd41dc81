import { expect, it } from 'vitest';
import { forInstallers, forModels, forPrograms, forTools, isFetching, type Environment } from '../../src/lib/environment.ts';

/** What a child sees of the host's variables. */
const seen = (host: NodeJS.ProcessEnv, made: (host: NodeJS.ProcessEnv) => Environment): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries({ ...host, ...made(host) }).filter(([, value]) => value !== undefined));

it('gives ffmpeg what it needs to run, and nothing that changes what it says or whom it calls', () => {
  const kept = { PATH: '/bin', HOME: '/home/a', LD_LIBRARY_PATH: '/opt/lib', LD_PRELOAD: '/opt/lib/libfaketime.so', FAKETIME_DONT_FAKE_MONOTONIC: '1', SSL_CERT_FILE: '/ca.pem', CUDA_VISIBLE_DEVICES: '0' };
  const host = {
    ...kept, AV_LOG_FORCE_COLOR: '1', AV_LOG_FORCE_256COLOR: '1', FFREPORT: 'file=/tmp/report:level=56', TERM: 'xterm', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8',
    http_proxy: 'http://proxy:3128', HTTPS_PROXY: 'http://proxy:3128', all_proxy: 'socks5://proxy', no_proxy: '', LOOKOUT_TOKEN: 'secret', SSLKEYLOGFILE: '/tmp/keys',
  };
  expect(seen(host, forTools)).toEqual({ ...kept, LC_ALL: 'C', AV_LOG_FORCE_NOCOLOR: '1' });
});

const kept = {
  PATH: '/bin', HOME: '/home/a', USER: 'a', LC_TIME: 'C', TZ: 'UTC', http_proxy: 'http://proxy:3128', HTTPS_PROXY: 'http://proxy:3128', SSL_CERT_FILE: '/ca.pem',
  NODE_EXTRA_CA_CERTS: '/ca.pem', NODE_ENV: 'production', OMP_NUM_THREADS: '2', CUDA_VISIBLE_DEVICES: '0', HF_HOME: '/models', HF_TOKEN_PATH: '/t', TOKENIZERS_PARALLELISM: 'false', YOLO_CONFIG_DIR: '/y', XDG_CACHE_HOME: '/c', LOOKOUT_FFMPEG: '/opt/ffmpeg',
};
const forInterpreters = {
  PYTHONPATH: '/other', PYTHONHOME: '/other', PYTHONSTARTUP: '/a.py', PYTHONINSPECT: '1', PYTHONWARNINGS: 'error', VIRTUAL_ENV: '/venv', CONDA_PREFIX: '/conda',
  NODE_PATH: '/other', NODE_OPTIONS: '--inspect', NODE_V8_COVERAGE: '/tmp', NODE_DEBUG: '*', FORCE_COLOR: '3', BASH_ENV: '/a.sh',
};
const quiet = { PYTHONNOUSERSITE: '1', PYTHONUNBUFFERED: '1', NO_COLOR: '1' };
const untold = { ORT_DISABLE_TELEMETRY: '1', HF_HUB_DISABLE_TELEMETRY: '1', DO_NOT_TRACK: '1' };
const added = { ...quiet, ...untold };

it('lets models have what programs, libraries and devices go by, and nothing else of the host', () => {
  const host = {
    ...kept, ...forInterpreters, LOOKOUT_TOKEN: 's', AWS_SECRET_ACCESS_KEY: 's', DATABASE_URL: 'postgres://a:s@db/', HF_TOKEN: 's', ULTRALYTICS_API_KEY: 's',
    HUGGINGFACE_APIKEY: 's', NVIDIA_APIKEY: 's', HF_token: 's', NVIDIA_PASSPHRASE: 's', YOLO_CREDENTIAL: 's',
    MY_PATH: '/x', http_proxy_password: 's', Home: '/x', SSH_AUTH_SOCK: '/run/agent', constructor: 's',
  };
  expect(seen(host, forModels)).toEqual({ ...kept, ...added });
});

it('lets one-shot programs and installers have the rest too, but for what is Lookout\'s own secret', () => {
  const more = { AWS_SECRET_ACCESS_KEY: 's', HF_TOKEN: 's', CFLAGS: '-O2', LOOKOUT_DATA_DIR: '/data' };
  for (const made of [forPrograms, forInstallers]) expect(seen({ ...kept, ...more, ...forInterpreters, LOOKOUT_TOKEN: 's' }, made)).toEqual({ ...kept, ...more, ...added });
});

it('asks libraries to tell their makers nothing, unless the host says otherwise', () => {
  const host = { PATH: '/bin', ORT_DISABLE_TELEMETRY: '0', HF_HUB_DISABLE_TELEMETRY: '', DO_NOT_TRACK: '0' };
  for (const made of [forModels, forPrograms, forInstallers]) {
    expect(seen(host, made)).toEqual({ ...host, ...quiet });
    expect(seen({ PATH: '/bin', DO_NOT_TRACK: '0' }, made)).toEqual({ PATH: '/bin', ...untold, DO_NOT_TRACK: '0', ...quiet });
  }
});

it('leaves installers their indexes, certificates, proxies and caches, and nothing that says where packages go', () => {
  const kept = {
    PATH: '/bin', HTTPS_PROXY: 'http://proxy:3128', REQUESTS_CA_BUNDLE: '/ca.pem', CFLAGS: '-O2',
    PIP_INDEX_URL: 'https://index', PIP_EXTRA_INDEX_URL: 'https://more', PIP_CERT: '/ca.pem', PIP_CACHE_DIR: '/cache', PIP_DEFAULT_TIMEOUT: '60', PIP_NO_INDEX: '1', pip_find_links: '/wheels',
    UV_DEFAULT_INDEX: 'https://index', UV_INDEX_CORP_PASSWORD: 'x', UV_CACHE_DIR: '/cache', UV_NATIVE_TLS: '1',
    npm_config_registry: 'https://registry', NPM_CONFIG_CACHE: '/cache', npm_config_cafile: '/ca.pem', npm_config_userconfig: '/home/a/.npmrc',
  };
  const host = {
    ...kept, PIP_TARGET: '/t', PIP_USER: '1', PIP_PREFIX: '/p', PIP_ROOT: '/r', PIP_PYTHON: '/usr/bin/python3', PIP_DRY_RUN: '1', PIP_NO_DEPS: '1', PIP_CONFIG_FILE: '/pip.conf', PIP_REQUIRE_VIRTUALENV: '1',
    UV_TARGET: '/t', UV_PREFIX: '/p', UV_SYSTEM_PYTHON: '1', UV_PYTHON: '3.8', UV_PROJECT_ENVIRONMENT: '/e', UV_CONFIG_FILE: '/uv.toml', UV_NO_DEPS: '1',
    npm_config_global: 'true', NPM_CONFIG_PREFIX: '/p', npm_config_dry_run: 'true', npm_config_omit: 'optional', npm_config_global_prefix: '/p', npm_config_local_prefix: '/l',
  };
  expect(seen(host, forInstallers)).toEqual({ ...kept, ...added });
});

it('knows settings by the names that they have in files', () => {
  expect(['index-url', 'find-links', 'trusted-host', 'proxy'].every((name) => isFetching('pip', name))).toBe(true);
  expect(['user', 'target', 'prefix', 'root', 'dry-run', 'no-deps', 'ignore-installed'].some((name) => isFetching('pip', name))).toBe(false);
});
