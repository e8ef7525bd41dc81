/** Environments made for children: what the host says to its own programs must not reach ours. */

/** Added to this process's environment; undefined takes a variable away. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Of interpreters: where they look for modules, what they run first, what they write beside what was asked. No child gets them. */
const INTERPRETERS = /^(PYTHON|VIRTUAL_ENV|CONDA_|NODE_(?!EXTRA_CA_CERTS$|TLS_|ENV$)|BASH_ENV$|ENV$)/;

const COLOURS = /^(FORCE_COLOR|CLICOLOR_FORCE|PY_COLORS)$/;

/** How programs are loaded, and what the libraries go by that are loaded before all others: they would do what nobody wants without it. */
const LOADING = 'LD_LIBRARY_PATH|LD_PRELOAD|DYLD_.+|MALLOC_.+|GLIBC_TUNABLES|FAKETIME.*';

/** What programs, the libraries of models and their devices go by on this host, and what keeps them on the network's way out. */
const ORDINARY = new RegExp(`^(${[
  'PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TMP|TEMP|TZ|TZDIR|LANG|LANGUAGE|LC_.+|XDG_.+|NODE_ENV|LOOKOUT_FFMPEG|LOOKOUT_UMASK',
  LOADING, 'UV_THREADPOOL_SIZE',
  'OMP_.+|GOMP_.+|KMP_.+|MKL_.+|OPENBLAS_.+|BLIS_.+|VECLIB_.+|NUMEXPR_.+|TBB_.+|TOKENIZERS_PARALLELISM',
  'CUDA_.+|CUDNN_.+|NVIDIA_.+|NCCL_.+|TENSORRT_.+|TRT_.+|ROCR?_.+|HIP_.+|HSA_.+|MIOPEN_.+|ONEAPI_.+|SYCL_.+|ZE_.+|OPENVINO_.+|LIBVA_.+|VDPAU_.+',
  'HF_.+|HUGGINGFACE_.+|TRANSFORMERS_.+|TORCH_.+|TORCHINDUCTOR_.+|PYTORCH_.+|TRITON_.+|TF_.+|XLA_.+|JAX_.+|KERAS_.+|ORT_.+|ULTRALYTICS_.+|YOLO_.+|OPENCV_.+|MPLCONFIGDIR',
  'SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|NODE_TLS_.+',
  '(?:http|https|ftp|all|no)_proxy|(?:HTTP|HTTPS|FTP|ALL|NO)_PROXY',
].join('|')})$`);

/** HF_TOKEN and the like: for the model whose manifest names it. */
const SECRET = /(TOKEN|KEY|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)$/i;

/** Whether models get a variable of this name without asking for it. */
export function isForEverybody(name: string): boolean {
  return ORDINARY.test(name) && !SECRET.test(name);
}

/** Says how an interpreter is to behave: the same for whatever of a model's is run. */
const QUIET: Environment = { PYTHONNOUSERSITE: '1', PYTHONUNBUFFERED: '1', NO_COLOR: '1' };

/** What libraries that tell their makers how they are used want to hear, to keep that to themselves: ONNX Runtime from 1.29 on, Hugging Face's, and many that go by the last. */
const UNTOLD = ['ORT_DISABLE_TELEMETRY', 'HF_HUB_DISABLE_TELEMETRY', 'DO_NOT_TRACK'];

/** What the host says of it stands. */
function untold(host: NodeJS.ProcessEnv): Environment {
  return Object.fromEntries(UNTOLD.map((name) => [name, host[name] ?? '1']));
}

/** For models and what probes them: what the host sets for everybody. Other variables a manifest has to name. */
export function forModels(host: NodeJS.ProcessEnv = process.env): Environment {
  return { ...without(host, (name) => !isForEverybody(name)), ...untold(host), ...QUIET };
}

/** Lookout's own. */
const OWN_SECRETS = /^LOOKOUT_TOKEN(_FILE)?$/;

/**
 * For programs of the Flask orchestrator's contract, which were passed everything, and for the host's own interpreters:
 * all but Lookout's own secrets and what was set for this process's own interpreters. Colours are for terminals.
 */
export function forPrograms(host: NodeJS.ProcessEnv = process.env): Environment {
  return { ...without(host, (name) => OWN_SECRETS.test(name) || INTERPRETERS.test(name) || COLOURS.test(name)), ...untold(host), ...QUIET };
}

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

/**
 * For pip, uv and npm: without what says where things go, in their variables; their files are the callers' business.
 * Compilers and indexes go by variables of any name, which requirements and .npmrc may take by `${NAME}`.
 */
export function forInstallers(host: NodeJS.ProcessEnv = process.env): Environment {
  const leads = (name: string): boolean => {
    const [, prefix = '', setting = ''] = /^(pip|uv|npm_config)_(.+)$/i.exec(name) ?? [];
    const installer = prefix.toLowerCase().split('_')[0] as Installer | '';
    return installer !== '' && !isFetching(installer, setting);
  };
  return { ...forPrograms(host), ...without(host, leads) };
}

/** What a program that is told everything by its arguments needs to run at all: to be found, its libraries, a device, certificates. */
const BARE = new RegExp(`^(${LOADING}|PATH|HOME|TMPDIR|SSL_CERT_(FILE|DIR)|XDG_RUNTIME_DIR|LIBVA_.+|VDPAU_.+|CUDA_.+|NVIDIA_.+)$`);

/** For ffmpeg, which dials cameras, and whatever else is asked something: no proxies, colours, reports or other words than English ones. */
export function forTools(host: NodeJS.ProcessEnv = process.env): Environment {
  return { ...without(host, (name) => !BARE.test(name)), LC_ALL: 'C', AV_LOG_FORCE_NOCOLOR: '1' };
}

function without(host: NodeJS.ProcessEnv, isOut: (name: string) => boolean): Environment {
  return Object.fromEntries(Object.keys(host).filter(isOut).map((name) => [name, undefined]));
}
