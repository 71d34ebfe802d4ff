// Light, dark, or as the system has it; and how Enter behaves. Kept in this browser.

export type Theme = 'system' | 'light' | 'dark';

export const theme = (): Theme => (localStorage.getItem('hubbub.theme') as Theme | null) ?? 'system';

export function setTheme(to: Theme): void {
  localStorage.setItem('hubbub.theme', to);
  applyTheme();
}

export function applyTheme(): void {
  const now = theme();
  if (now === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = now;
}

export const enterSends = (): boolean => localStorage.getItem('hubbub.enter') !== 'breaks';
export const setEnterSends = (sends: boolean): void => localStorage.setItem('hubbub.enter', sends ? 'sends' : 'breaks');
