/** Environments made for children: what the host says to its own programs must not reach ours. */

/** Added to this process's environment; undefined takes a variable away. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Of interpreters: where they look for modules, what they run first, what they write beside what was asked. */
const INTERPRETERS = /^(PYTHON|VIRTUAL_ENV|CONDA_|NODE_(?!EXTRA_CA_CERTS$|TLS_|ENV$)|BASH_ENV$|ENV$)/;

/** Nothing that was set for this process's own interpreters reaches a model. Colours are for terminals. */
export function forModels(host: NodeJS.ProcessEnv = process.env): Environment {
  return { ...without(host, (name) => INTERPRETERS.test(name) || COLOURS.test(name)), PYTHONNOUSERSITE: '1', PYTHONUNBUFFERED: '1', NO_COLOR: '1' };
}

const COLOURS = /^(FORCE_COLOR|CLICOLOR_FORCE|PY_COLORS)$/;

/**
 * Where packages come from and how they are fetched: indexes, certificates, proxies, caches. What else can be set for an
 * installer says where packages go or which are left out, and is ours to say.
 */
const FETCHING: Readonly<Record<Installer, RegExp>> = {
  pip: /^(index-url|extra-index-url|no-index|find-links|trusted-host|cert|client-cert|proxy|cache-dir|no-cache-dir|timeout|default-timeout|retries|keyring-provider|constraint|build-constraint|prefer-binary|only-binary|no-binary|use-feature|use-deprecated)$/,
  uv: /^(index|default-index|index-url|extra-index-url|find-links|no-index|index-strategy|index-.+-(username|password)|keyring-provider|insecure-host|allow-insecure-host|native-tls|system-certs|cache-dir|no-cache|http-timeout|request-timeout|http-connect-timeout|http-retries|http-proxy|https-proxy|no-proxy|concurrent-.+|constraint|build-constraint|constraint-dependencies|build-constraint-dependencies|link-mode|offline)$/,
  npm: /^(registry|@.+:registry|\/\/.+|_auth|_authtoken|cafile|ca|cert|key|certfile|keyfile|strict-ssl|proxy|http-proxy|https-proxy|noproxy|cache|userconfig|globalconfig|fetch-.+|maxsockets|prefer-offline|prefer-online|offline|local-address)$/,
};

export type Installer = 'pip' | 'uv' | 'npm';

/** Whether a setting of an installer, by its name in configuration files, says how packages are fetched. */
export function isFetching(installer: Installer, name: string): boolean {
  return FETCHING[installer].test(name.toLowerCase().replaceAll('_', '-'));
}

/** For pip, uv and npm: without what says where things go, in their variables; their files are the callers' business. */
export function forInstallers(host: NodeJS.ProcessEnv = process.env): Environment {
  const leads = (name: string): boolean => {
    const [, prefix = '', setting = ''] = /^(pip|uv|npm_config)_(.+)$/i.exec(name) ?? [];
    const installer = prefix.toLowerCase().split('_')[0] as Installer | '';
    return installer !== '' && !isFetching(installer, setting);
  };
  return { ...forModels(host), ...without(host, leads) };
}

/** What a program that is told everything by its arguments needs to run at all: to be found, its libraries, a device, certificates. */
const BARE = /^(PATH|HOME|TMPDIR|LD_LIBRARY_PATH|LD_PRELOAD|DYLD_.+|SSL_CERT_(FILE|DIR)|XDG_RUNTIME_DIR|LIBVA_.+|VDPAU_.+|CUDA_.+|NVIDIA_.+|MALLOC_ARENA_MAX)$/;

/** For ffmpeg, which dials cameras, and whatever else is asked something: no proxies, colours, reports or other words than English ones. */
export function forTools(host: NodeJS.ProcessEnv = process.env): Environment {
  return { ...without(host, (name) => !BARE.test(name)), LC_ALL: 'C', AV_LOG_FORCE_NOCOLOR: '1' };
}

function without(host: NodeJS.ProcessEnv, isOut: (name: string) => boolean): Environment {
  return Object.fromEntries(Object.keys(host).filter(isOut).map((name) => [name, undefined]));
}
