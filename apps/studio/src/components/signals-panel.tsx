// What matters, live: latency, pictures in and out, where a chunk's time goes, bitrate, queue.
import { durationText, rounded } from "../state/figures.ts";
import { linePath, MAX_SAMPLES, niceTop, type Sample } from "../state/history.ts";
import { useStore } from "../studio-context.tsx";
import { Advice, currentAdvice } from "./stage-status.tsx";

const WIDTH = MAX_SAMPLES - 1;
const HEIGHT = 34;

type Line = {
  values: readonly (number | undefined)[];
  colour: keyof typeof COLOURS;
  /** Stands behind the latest value. */
  name: string;
  text: (value: number | undefined) => string;
};

const COLOURS = { glow: { line: "stroke-glow", dot: "bg-glow" }, sky: { line: "stroke-sky", dot: "bg-sky" } };

/** All figures, or only those that matter most. */
export function SignalsPanel({ isShort = false }: { isShort?: boolean }) {
  const history = useStore((state) => state.history);
  const hasAdvice = useStore((state) => currentAdvice(state) !== undefined);
  const state = useStore(({ interruption, isPaused, isReloading }) =>
    interruption !== undefined
      ? "Nothing arrives just now; these are the last figures."
      : isPaused
        ? "The picture is held."
        : isReloading
          ? "The model is being loaded."
          : "All is well.",
  );
  const last = history.at(-1);
  const line = (
    pick: (sample: Sample) => number | undefined,
    colour: Line["colour"],
    name: string,
    text: Line["text"] = rounded,
  ): Line => ({ values: history.map(pick), colour, name, text });
  if (last === undefined) {
    return (
      <div className="flex flex-col items-center gap-3 py-14 text-center text-muted">
        <svg viewBox="0 0 120 34" className="w-40 text-edge" fill="none" aria-hidden="true">
          <path
            d="M0 24C12 24 14 10 24 10S38 28 50 28 62 6 74 6 90 22 98 22 112 16 120 16"
            stroke="currentColor"
            strokeWidth="1.5"
          />
        </svg>
        <p className="text-sm">Figures appear here while video runs.</p>
      </div>
    );
  }
  return (
    <div className={`flex flex-col gap-4 ${isShort ? "" : "tall:[&_svg]:h-24"}`}>
      {hasAdvice ? <Advice /> : <p className="text-[0.825rem] text-muted">{state}</p>}
      <Chart
        title="Latency"
        help="From the camera to the screen, estimated, and the network's part of it."
        lines={[
          line((s) => s.latencyMs, "glow", "in all", durationText),
          line((s) => s.roundTripMs, "sky", "network", durationText),
        ]}
        least={500}
        scale={(top) => (top < 1000 ? `${top} ms` : `${top / 1000} s`)}
      />
      <Chart
        title="Pictures a second"
        help="How many reach the server, and how many new ones come back."
        lines={[line((s) => s.fpsIn, "sky", "in"), line((s) => s.fpsOut, "glow", "out")]}
        least={30}
      />
      <Stages sample={last} />
      {!isShort && (
        <>
          <Chart
            title="Bitrate"
            help="Of the video sent and received."
            lines={[line((s) => s.sentKbps, "sky", "up"), line((s) => s.receivedKbps, "glow", "down, kbit/s")]}
            least={500}
          />
          <Chart
            title="Queue"
            help="Pictures of yours that wait for the next chunk of twelve."
            lines={[line((s) => s.queued, "glow", "waiting")]}
            least={12}
          />
        </>
      )}
    </div>
  );
}

type ChartProps = {
  title: string;
  help: string;
  lines: readonly Line[];
  least: number;
  /** The upper edge's value in words. */
  scale?: (top: number) => string;
};

function Chart({ title, help, lines, least, scale = String }: ChartProps) {
  const top = niceTop(
    lines.flatMap(({ values }) => values),
    least,
  );
  return (
    <figure className="flex flex-col gap-1.5" title={help}>
      <figcaption className="flex items-baseline justify-between gap-3 text-[0.8rem]">
        <span className="text-soft">{title}</span>
        <span className="figures flex gap-3 whitespace-nowrap font-medium">
          {lines.map(({ values, colour, name, text }) => (
            <span key={name}>
              {lines.length > 1 && <Dot colour={COLOURS[colour].dot} />}
              {text(values.at(-1))} <span className="font-normal text-muted">{name}</span>
            </span>
          ))}
        </span>
      </figcaption>
      <div className="relative overflow-hidden rounded-lg bg-night/60 ring-1 ring-line">
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          className="block h-14 w-full"
          fill="none"
          role="img"
          aria-label={`${title}, the last two minutes`}
        >
          <path
            d={`M0 ${HEIGHT / 2}H${WIDTH}`}
            className="stroke-line"
            strokeWidth="1"
            vectorEffect="non-scaling-stroke"
          />
          {lines.map(({ values, colour, name }) => (
            <path
              key={name}
              d={linePath(values, WIDTH, HEIGHT - 2, top)}
              transform="translate(0 1)"
              className={COLOURS[colour].line}
              strokeWidth="1.6"
              strokeLinejoin="round"
              vectorEffect="non-scaling-stroke"
            />
          ))}
        </svg>
        <span className="figures absolute top-0.5 left-1.5 text-[0.62rem] text-muted" aria-hidden="true">
          {scale(top)}
        </span>
      </div>
    </figure>
  );
}

const STAGE_COLOURS = ["bg-sky", "bg-glow", "bg-leaf", "bg-orchid", "bg-paper/60", "bg-glow-soft"];

/** Where the time of the last chunk went. */
function Stages({ sample }: { sample: Sample }) {
  const stages = Object.entries(sample.stagesMs).filter(([, ms]) => ms >= 0.5);
  return (
    <figure className="flex flex-col gap-1.5" title="Time to make the last twelve frames, by stage.">
      <figcaption className="flex items-baseline justify-between gap-3 text-[0.8rem]">
        <span className="text-soft">Chunk of 12</span>
        <span className="figures font-medium">{durationText(sample.chunkMs)}</span>
      </figcaption>
      <div className="flex h-3 gap-px overflow-hidden rounded-md bg-night/60" aria-hidden="true">
        {stages.map(([name, ms], i) => (
          <span
            key={name}
            className={`${STAGE_COLOURS[i % STAGE_COLOURS.length]} transition-[flex-grow] duration-500`}
            style={{ flexGrow: ms }}
          />
        ))}
      </div>
      <dl className="figures grid grid-cols-2 gap-x-4 gap-y-0.5 text-[0.72rem]">
        {stages.map(([name, ms], i) => (
          <div key={name} className="flex items-center">
            <Dot colour={STAGE_COLOURS[i % STAGE_COLOURS.length] ?? ""} />
            <dt className="truncate text-muted">{name.replaceAll("_", " ")}</dt>
            <dd className="ml-auto">
              {Math.round(ms)} <span className="text-muted">ms</span>
            </dd>
          </div>
        ))}
      </dl>
    </figure>
  );
}

function Dot({ colour }: { colour: string }) {
  return (
    <span className={`mr-1.5 inline-block size-1.5 shrink-0 rounded-full align-middle ${colour}`} aria-hidden="true" />
  );
}
