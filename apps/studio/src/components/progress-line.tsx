// A thin line that moves while something is under way and nobody knows how long it takes.
export function ProgressLine({ className = "" }: { className?: string }) {
  return (
    <div className={`h-0.5 overflow-hidden rounded-full bg-paper/15 ${className}`} aria-hidden="true">
      <div className="sweep h-full w-2/5 rounded-full bg-gradient-to-r from-transparent via-glow to-transparent" />
    </div>
  );
}
