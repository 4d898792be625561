// The page's buttons with words: the one that matters, and quiet ones.
import type { ButtonHTMLAttributes, ReactNode } from "react";

type Look = "primary" | "quiet";

const LOOKS: Record<Look, string> = {
  primary:
    "bg-glow text-ember font-semibold shadow-[0_10px_40px_-12px_rgb(255_133_82/0.7)] hover:bg-glow-soft active:translate-y-px",
  quiet: "border border-edge bg-night/40 text-paper backdrop-blur-md hover:bg-lifted/70 hover:border-paper/30",
};

const SHAPES = {
  large: "h-13 gap-2.5 px-6 text-[0.975rem]",
  medium: "h-10 gap-2 px-4 text-sm",
};

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: Look;
  size?: "large" | "medium";
  icon?: ReactNode;
};

export function Button({ look = "quiet", size = "medium", icon, className = "", children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={`inline-flex shrink-0 items-center justify-center rounded-full transition duration-200 disabled:opacity-60 [&_svg]:size-[1.15em] ${SHAPES[size]} ${LOOKS[look]} ${className}`}
      {...rest}
    >
      {icon}
      {children}
    </button>
  );
}
