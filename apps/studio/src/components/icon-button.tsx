// A round button without words: its name is read aloud, and shown with its key while the pointer is on it.
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { type Command, keyOf } from "../state/shortcuts.ts";
import { Hint } from "./hint.tsx";

type IconButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "title"> & {
  label: string;
  command?: Command;
  /** For a switch: whether it is on. */
  pressed?: boolean;
  look?: "glass" | "plain";
  children: ReactNode;
};

const LOOKS = {
  glass: "size-10 rounded-full text-paper hover:bg-white/14 data-on:bg-paper data-on:text-night",
  plain: "size-9 rounded-xl text-soft hover:bg-raised hover:text-paper data-on:bg-raised data-on:text-glow-soft",
};

export function IconButton({
  label,
  command,
  pressed,
  look = "plain",
  className = "",
  children,
  ...rest
}: IconButtonProps) {
  return (
    <Hint text={label} keyName={command && keyOf(command)}>
      <button
        type="button"
        aria-label={label}
        {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
        {...(pressed === true ? { "data-on": "" } : {})}
        className={`grid shrink-0 place-content-center transition duration-150 disabled:opacity-35 [&_svg]:size-[1.15rem] ${LOOKS[look]} ${className}`}
        {...rest}
      >
        {children}
      </button>
    </Hint>
  );
}
