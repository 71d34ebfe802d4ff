// Starts the page: theme, engine, screens, and the service worker that keeps the shell.

import { words } from './model/early';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import './app.css';
import { Engine } from './model/engine';
import { whenIdle } from './model/idle';
import { setApp } from './model/state';
import { applyTheme } from './model/theme';
import { ownScript } from './model/trusted';

applyTheme();
const root = document.getElementById('root')!;
const engine = new Engine();
words.then(() => {
  createRoot(root).render(<App engine={engine} />);
  void engine.boot();
}, () => { root.textContent = 'Hubbub could not be loaded. Look at the connection, then reload this page.'; });

// Not while the page comes up: it has the shell already, or needs none yet.
if (import.meta.env.PROD && 'serviceWorker' in navigator) whenIdle(() => {
  void navigator.serviceWorker.register(ownScript('/sw.js')).then((registration) => {
    const waits = () => { if (registration.waiting && navigator.serviceWorker.controller) setApp({ updateReady: true }); };
    waits();
    registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', waits));
  }).catch(() => undefined);
}, 2_000);
