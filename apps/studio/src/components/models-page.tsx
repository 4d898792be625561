// The models: what is installed, what this machine can run, and fetching what is missing.
import { Check, Download, Play, RotateCw, X } from "lucide-react";
import { useEffect } from "react";
import { bytesText } from "../state/figures.ts";
import { canRun, memoryText } from "../state/machine.ts";
import { filesText, runningId, standInText } from "../state/running.ts";
import type { ModelState } from "../state/state.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { Button } from "./button.tsx";
import { ProgressLine } from "./progress-line.tsx";

export function ModelsPage() {
  const studio = useStudio();
  const schemas = useStore((state) => state.schemas);
  const hardware = useStore((state) => state.hardware);
  const isReachable = useStore((state) => state.isReachable);
  const list = Object.values(schemas);
  useEffect(() => {
    if (list.length > 0) void studio.models.refresh();
  }, [studio, list.length]);
  return (
    <main className="thin-scroll min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex max-w-5xl flex-col gap-8 px-4 pt-6 pb-16 sm:px-8 lg:pt-12">
        <div className="flex flex-col gap-3">
          <h2 className="font-semibold text-4xl tracking-[-0.035em] lg:text-5xl">Models</h2>
          <p className="max-w-2xl text-pretty text-soft">
            What is on the server's disk, what its machine can run, and what can be fetched.
          </p>
        </div>
        {hardware !== undefined && (
          <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-2xl bg-line ring-1 ring-line sm:grid-cols-4">
            <Fact label="Processor" value={hardware.processor} detail={`${hardware.cores} cores`} />
            <Fact
              label="Memory"
              value={`${Math.round(hardware.memory_gb)} GB`}
              detail={`${Math.round(hardware.free_memory_gb)} GB free`}
            />
            <Fact label="Graphics" value={hardware.gpus[0] ?? "None found"} detail={memoryText(hardware.vram_gb)} />
            <Fact
              label="System"
              value={`${hardware.platform} ${hardware.arch}`}
              detail={`Node ${hardware.node.replace(/^v/, "")}`}
            />
          </dl>
        )}
        {list.length === 0 && (
          <div className="flex flex-col gap-3 rounded-3xl border border-line bg-panel p-8 text-soft">
            <p>
              {isReachable === false
                ? "The server does not answer; this page looks for it every two seconds."
                : "Asking the server what it has."}
            </p>
            <ProgressLine />
          </div>
        )}
        <ul className="flex flex-col gap-4">
          {list.map((schema) => (
            <ModelCard key={schema.id} id={schema.id} />
          ))}
        </ul>
      </div>
    </main>
  );
}

function Fact({ label, value, detail }: { label: string; value: string; detail: string }) {
  return (
    <div className="flex min-w-0 flex-col gap-0.5 bg-panel p-4">
      <dt className="text-[0.75rem] text-muted">{label}</dt>
      <dd className="truncate font-medium text-[0.9rem]" title={value}>
        {value}
      </dd>
      <dd className="text-[0.75rem] text-muted">{detail}</dd>
    </div>
  );
}

function ModelCard({ id }: { id: string }) {
  const studio = useStudio();
  const schema = useStore(({ schemas }) => schemas[id]);
  const model = useStore(({ models }) => models[id]);
  const hardware = useStore((state) => state.hardware);
  const isChosen = useStore(({ settings }) => settings.load.pipeline === id);
  const isRunning = useStore((state) => runningId(state) === id);
  const standIn = useStore((state) => standInText(id, state, model));
  const isLoading = useStore(({ pipeline }) => isChosen && pipeline?.status === "loading");
  if (schema === undefined) return null;
  const isHere = model?.downloaded === true;
  const fit = schema.requires_models ? canRun(schema.estimated_vram_gb, hardware) : undefined;
  return (
    <li
      className={`flex flex-col gap-4 rounded-3xl border p-5 sm:p-7 ${isRunning ? "border-glow/50 bg-glow/5" : "border-line bg-panel"}`}
    >
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-4">
        <div className="flex min-w-0 max-w-xl flex-col gap-2">
          <h3 className="flex flex-wrap items-center gap-2.5 font-semibold text-xl tracking-tight">
            {schema.name}
            {isRunning && <Badge tone="good">Running</Badge>}
            {!isRunning && isHere && <Badge tone="plain">Installed</Badge>}
            {model !== undefined && !isHere && (
              <Badge tone="plain">{model.isBusy ? "Downloading" : `${filesText(model.missing.length)} missing`}</Badge>
            )}
          </h3>
          <p className="text-pretty text-[0.9rem] text-soft leading-relaxed">{schema.description}</p>
          {standIn !== undefined && <p className="text-pretty text-[0.9rem] text-glow-soft">{standIn}</p>}
          {fit !== undefined && (
            <p className={`text-pretty text-[0.825rem] ${fit.isEnough ? "text-muted" : "text-glow-soft"}`}>
              {fit.text}
            </p>
          )}
        </div>
        <div className="flex shrink-0 flex-wrap gap-2">
          {isHere && !isRunning && fit?.isEnough !== false && (
            <Button
              icon={<Play aria-hidden="true" />}
              disabled={isLoading}
              onClick={() => void studio.watch.choose({ pipeline: id })}
            >
              {isLoading ? "Loading" : "Use it"}
            </Button>
          )}
          {model !== undefined && <DownloadButton id={id} model={model} />}
        </div>
      </div>
      {model?.isBusy === true && <DownloadBar model={model} />}
      {model?.error !== undefined && !model.isBusy && (
        <p role="alert" className="rounded-xl bg-tally/10 px-4 py-3 text-pretty text-[0.85rem] ring-1 ring-tally/30">
          {model.error}
        </p>
      )}
    </li>
  );
}

function DownloadButton({ id, model }: { id: string; model: ModelState }) {
  const studio = useStudio();
  if (model.isBusy) {
    return (
      <Button icon={<X aria-hidden="true" />} onClick={() => studio.models.cancel(id)}>
        Cancel
      </Button>
    );
  }
  if (model.downloaded) return null;
  const hasBegun = (model.progress?.downloadedBytes ?? 0) > 0;
  return (
    <Button
      look="primary"
      icon={hasBegun ? <RotateCw aria-hidden="true" /> : <Download aria-hidden="true" />}
      onClick={() => void studio.models.download(id)}
    >
      {hasBegun ? "Resume" : "Download"}
    </Button>
  );
}

function DownloadBar({ model: { progress } }: { model: ModelState }) {
  if (progress === undefined) return <ProgressLine />;
  const { percentage, downloadedBytes, totalBytes, file, artifact, note } = progress;
  return (
    <div className="flex flex-col gap-2">
      <div
        role="progressbar"
        aria-label="Download"
        aria-valuenow={Math.round(percentage)}
        aria-valuemin={0}
        aria-valuemax={100}
        className="h-1.5 overflow-hidden rounded-full bg-lifted"
      >
        <div
          className="h-full rounded-full bg-glow transition-[width] duration-500"
          style={{ width: `${percentage}%` }}
        />
      </div>
      <p className="figures flex flex-wrap justify-between gap-x-4 text-[0.775rem] text-muted">
        <span className="truncate">{note ?? [artifact, file].filter(Boolean).join(" / ")}</span>
        <span>
          {Math.floor(percentage)}% · {bytesText(downloadedBytes)} of {bytesText(totalBytes)}
        </span>
      </p>
    </div>
  );
}

function Badge({ tone, children }: { tone: "good" | "plain"; children: React.ReactNode }) {
  return (
    <span
      className={`flex items-center gap-1 rounded-full px-2.5 py-1 font-medium text-[0.7rem] tracking-normal ${tone === "good" ? "bg-good/15 text-good" : "bg-raised text-soft"}`}
    >
      {tone === "good" && <Check className="size-3" aria-hidden="true" />}
      {children}
    </span>
  );
}
