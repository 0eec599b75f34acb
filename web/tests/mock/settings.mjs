// The settings of the mock, with values from every kind of source.

const values = {
  token: '********mnop', tokenHeldBack: false, cacheDir: '/srv/huggingface', endpoint: '', connections: 8, maxActive: 3, maxFilesPerJob: 8,
  maxConnections: 16, multipartThreshold: '32MiB', verify: 'size', retries: 4, backoffInitial: '400ms', backoffMax: '10s', stallTimeout: '60s',
  maxSpeed: '', freeSpaceFloor: '', retentionDays: 30, historyRetention: 0, linkMode: 'auto', localDir: '', localScanDirs: ['/srv/old-models'], downloadRoutes: { 'llm/gguf': '/srv/gguf' },
  proxy: { url: '', username: '', hasPassword: false, noProxy: '', noEnvProxy: false, insecureSkipVerify: false },
  configFile: '/etc/hfdepot/config.toml', effectiveHubDir: '/srv/huggingface/hub', hubDirSource: 'default', storageMode: 'cache', shadowed: [],
  locked: ['token', 'cacheDir', 'maxConnections'],
};
const KEYS = ['token', 'cacheDir', 'endpoint', 'connections', 'maxActive', 'maxFilesPerJob', 'maxConnections', 'multipartThreshold', 'verify', 'retries', 'backoffInitial', 'backoffMax', 'stallTimeout', 'maxSpeed', 'freeSpaceFloor', 'retentionDays', 'historyRetention', 'linkMode', 'localDir', 'localScanDirs', 'downloadRoutes', 'proxy.url', 'proxy.username', 'proxy.password', 'proxy.noProxy', 'proxy.noEnvProxy'];
const sources = Object.fromEntries(KEYS.map((key) => [key, 'default']));
Object.assign(sources, { token: 'env', cacheDir: 'flag', maxConnections: 'flag', connections: 'file' });

export function settings() {
  return { ...values, sources, sourceNames: { token: 'HF_TOKEN', cacheDir: '--cache-dir', maxConnections: '--max-connections' } };
}

export function saveSettings(patch, failure) {
  if ('maxActive' in patch && !(Number.isInteger(patch.maxActive) && patch.maxActive >= 1 && patch.maxActive <= 32)) {
    return [400, failure('Invalid settings', `maxActive must be a whole number from 1 to 32, not ${JSON.stringify(patch.maxActive)}`, 'bad_request', 'Nothing was changed.')];
  }
  const { proxy, ...rest } = patch;
  Object.assign(values, rest);
  Object.assign(values.proxy, proxy);
  for (const key of Object.keys(rest)) sources[key] = 'database';
  return [200, { success: true, message: 'Settings updated', shadowed: [], warnings: [] }];
}
