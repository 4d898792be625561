// The live figures, in the order of the video's way through the system.
import type { PipelineStatus, SessionStats } from "@everframe/client";
import { figuresOf, UNKNOWN } from "../figures.ts";

type FiguresLineProps = { stats: SessionStats | undefined; pipeline: PipelineStatus | undefined };

export function FiguresLine({ stats, pipeline }: FiguresLineProps) {
  return (
    <dl className="figures flex flex-wrap items-baseline gap-x-6 gap-y-1.5 px-1 pt-1 text-[0.8rem]">
      {figuresOf(stats, pipeline).map(({ label, value, unit, hint }) => (
        <div key={label} className="flex items-baseline gap-1.5 last:ml-auto max-sm:last:ml-0" title={hint}>
          <dt className="text-muted">{label}</dt>
          <dd className="flex items-baseline gap-1">
            <span className=" font-medium text-paper">{value}</span>
            {value !== UNKNOWN && <span className="text-muted">{unit}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
