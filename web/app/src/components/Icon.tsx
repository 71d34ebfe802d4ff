// The icons, as paths on a 24 grid. Decorative: the button that holds one says what it does.

const PATHS = {
  hash: 'M5 9h15M4 15h15M10 4 8 20M16 4l-2 16',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M6 11h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1Z',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM20 20l-4-4',
  compass: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM15.500 8.500l-2 5-5 2 2-5Z',
  pen: 'M4 20h4L19 9l-4-4L4 16ZM13 7l4 4',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  reply: 'M10 8 5 13l5 5M5 13h9a6 6 0 0 1 6 6',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.500 14a4.200 4.200 0 0 0 7 0M9 9.500v.01M15 9.500v.01',
  pin: 'M9 4h6l-1 6 4 4H6l4-4ZM12 14v7',
  check: 'm5 12.500 4.500 4.500L19 7.500',
  checks: 'm2 12.500 4.500 4.500L16 7.500M11 16l1 1 9.500-9.500',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3 2',
  alert: 'M12 8v5M12 16.500v.01M10.300 4 2.500 18a2 2 0 0 0 1.700 3h15.600a2 2 0 0 0 1.700-3L13.700 4a2 2 0 0 0-3.400 0Z',
  close: 'M6 6l12 12M18 6 6 18',
  down: 'M12 5v14M6 13l6 6 6-6',
  chevron: 'm7 10 5 5 5-5',
  back: 'M15 5l-7 7 7 7',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  people: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM2.500 20c0-3.600 2.900-6 6.500-6s6.500 2.400 6.500 6M16 4.300a3.500 3.500 0 0 1 0 6.500M18 14.500c2.200.8 3.500 2.800 3.500 5.500',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.500 21c0-4 3.300-6.500 7.500-6.500s7.500 2.500 7.500 6.500',
  calendar: 'M5 6h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1ZM4 10h16M8 3v4M16 3v4',
  gear: 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM12 2.500v3M12 18.500v3M4.200 6.500l2.400 1.800M17.400 15.700l2.400 1.800M2.700 12h3M18.300 12h3M4.200 17.500l2.400-1.800M17.400 8.300l2.400-1.800',
  copy: 'M9 9h10a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V10a1 1 0 0 1 1-1ZM16 6V5a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h1',
  send: 'M4 12 20 4l-5 16-3.500-6.500ZM11.500 13.500 20 4',
  out: 'M14 4h5a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1h-5M10 8l-4 4 4 4M6 12h9',
  dot: 'M12 12h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z',
  retry: 'M20 11a8 8 0 1 0-1.500 6M20 5v6h-6',
  link: 'M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1',
  device: 'M4 5h16a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1ZM8 20h8M12 16v4',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z',
  chat: 'M5 5h14a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-7l-5 4v-4H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1Z',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400',
  moon: 'M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500Z',
} as const;

export type IconName = keyof typeof PATHS;

/** Those that point along the line. */
const MIRRORED: ReadonlySet<IconName> = new Set(['back', 'reply', 'send', 'out']);

export function Icon({ name, size = 20, className = '' }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={name === 'more' || name === 'dot' ? 2.4 : 1.8} strokeLinecap="round" strokeLinejoin="round" className={`shrink-0 ${MIRRORED.has(name) ? 'rtl:-scale-x-100' : ''} ${className}`}>
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo({ size = 36 }: { size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 64 64" className="shrink-0">
      <rect width="64" height="64" rx="15" fill="#12312e" />
      <path d="M13 26c0-6.600 5.400-12 12-12h10c6.600 0 12 5.400 12 12s-5.400 12-12 12h-9l-8 7v-8.600A12 12 0 0 1 13 26Z" fill="#3fbfae" />
      <path d="M27 42h12l7 6v-7a9 9 0 0 0 6-8.500 9 9 0 0 0-3-6.700A16 16 0 0 1 35 42Z" fill="#f4a27a" />
    </svg>
  );
}
