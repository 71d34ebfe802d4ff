// A light panel beside the thing that opened it: in the browser's top layer, closed by Esc or a click elsewhere, kept inside of the window.

import { useLayoutEffect, useRef, type ReactNode } from 'react';

export function Popover({ anchor, onClose, children, label, className = '' }: { anchor: DOMRect; onClose: () => void; children: ReactNode; label: string; className?: string }) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const panel = ref.current;
    if (!panel) return;
    const back = document.activeElement as HTMLElement | null;
    panel.showPopover();
    const place = () => {
      const { width, height } = panel.getBoundingClientRect();
      const above = anchor.top - height - 6;
      const top = anchor.bottom + 6 + height < innerHeight - 8 ? anchor.bottom + 6 : above > 8 ? above : Math.max(8, innerHeight - height - 8);
      panel.style.top = `${top}px`;
      // Its start is where the anchor's start is.
      const start = document.documentElement.dir === 'rtl' ? anchor.right - width : anchor.left;
      panel.style.left = `${Math.max(8, Math.min(start, innerWidth - width - 8))}px`;
    };
    place();
    const watch = new ResizeObserver(place);
    watch.observe(panel);
    panel.querySelector<HTMLElement>('[data-first], button, input, [tabindex="0"]')?.focus({ preventScroll: true });
    return () => {
      watch.disconnect();
      if (panel.contains(document.activeElement) || document.activeElement === document.body) back?.focus({ preventScroll: true });
    };
  }, [anchor]);
  return (
    <div ref={ref} popover="auto" role="dialog" aria-label={label} onToggle={(event) => { if (event.newState === 'closed') onClose(); }} className={`fixed inset-auto ${className}`}>
      <div className="card max-h-[80dvh] overflow-hidden p-1.5">{children}</div>
    </div>
  );
}
