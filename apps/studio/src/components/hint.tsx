// What a control does and when it acts: shown while the pointer is on it or the keyboard is in it.
import { Tooltip } from "radix-ui";
import type { ReactElement, ReactNode } from "react";

type HintProps = {
  text: ReactNode;
  keyName?: string | undefined;
  side?: "top" | "left";
  children: ReactElement;
};

export function Hint({ text, keyName, side = "top", children }: HintProps) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger
        asChild
        onFocus={(event) => {
          // Not for a focus that comes back to what a pointer had pressed.
          if (!event.target.matches(":focus-visible")) event.preventDefault();
        }}
      >
        {children}
      </Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content
          side={side}
          sideOffset={8}
          collisionPadding={12}
          className="pop z-50 max-w-72 rounded-xl border border-edge bg-raised/95 px-3 py-2 text-pretty text-soft text-xs leading-relaxed shadow-float backdrop-blur-md"
        >
          {text}
          {keyName !== undefined && <Key className="ml-2">{keyName}</Key>}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

export function Key({ children, className = "" }: { children: ReactNode; className?: string }) {
  return (
    <kbd
      className={`inline-grid h-5 min-w-5 place-content-center rounded-md border border-edge bg-night/60 px-1.5 font-sans text-[0.68rem] text-paper ${className}`}
    >
      {children}
    </kbd>
  );
}
