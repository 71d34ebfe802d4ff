// The service worker: the app's shell from the cache, so that it opens at once and without a network. Everything of /v1 goes to the node.
// A new version waits until the person agrees (or no page is open): an update never takes a half-written message.

const CACHE = 'hubbub-__VERSION__';
const SHELL = '__SHELL__';

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL.map((path) => new Request(path, { cache: 'reload' })))));
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith('hubbub-') && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener('message', (event) => {
  if (event.data === 'update') self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (/^\/(v1|docs|openapi\.json|asyncapi\.json|metrics)/.test(url.pathname)) return;
  if (request.mode === 'navigate') return event.respondWith(fromCache('/', request));
  if (url.pathname.startsWith('/assets/') || SHELL.includes(url.pathname)) event.respondWith(fromCache(url.pathname, request));
});

async function fromCache(path, request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(path);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && path.startsWith('/assets/')) await cache.put(path, answer.clone());
  return answer;
}
