"""The figures as Markdown, for the terminal and the model card."""
START, END = "<!-- evaluation: start -->", "<!-- evaluation: end -->"
TITLES = {"normal": "Normal (noise_scale 0.7)", "vace": "VACE"}


def table(head, rows):
    return "\n".join("| " + " | ".join(map(str, r)) + " |" for r in (head, ["---"] * len(head), *rows))


def goals(result):
    """What is asked for, what came out, and whether that will do: (figure, goal, {column: (text, met or None)})."""
    columns = [(size, mode) for size, r in result["sizes"].items() for mode in r["modes"]]
    rows = []

    def row(name, goal, value):
        rows.append((name, goal, {c: v for c in columns if (v := value(*c)) is not None}))

    part = lambda size, mode: result["sizes"][size]["modes"][mode]
    of = lambda r, key: r.get(key) if r else None
    row("looks nearest to their own operator's result", "20 of 24", lambda s, m: (f"{part(s, m)['right']} of {part(s, m)['count']}", part(s, m)["right"] >= min(20, part(s, m)["count"])))
    row("structure, mean of the looks, over that of the operators", "0.9 VACE, 0.6 Normal", lambda s, m: (f"{part(s, m)['structure_ratio']:.2f}", part(s, m)["structure_ratio"] >= (.9 if m == "vace" else .6)))
    row("the same, the lowest look", "", lambda s, m: ("{1:.2f} ({0})".format(*part(s, m)["structure_lowest"]), None))

    def still(size, mode):
        r = result["sizes"][size].get("flicker", {}).get(mode)
        return r and list(r.values())
    row("still scene: change over the autoencoder's alone, mean of the looks", "1.5", lambda s, m: (v := still(s, m)) and (f"{sum(v) / len(v):.2f}", sum(v) / len(v) <= 1.5))
    row("the same, the liveliest look", "", lambda s, m: (v := still(s, m)) and (f"{max(v):.2f}", None))
    row("seam ratio: change across chunk borders over change inside chunks", "1.3", lambda s, m: "seam" in part(s, m) and (f"{part(s, m)['seam']:.2f}", part(s, m)["seam"] <= 1.3) or None)
    row("the same over the borders of 4-frame groups inside chunks", "", lambda s, m: "seam" in part(s, m) and (f"{part(s, m)['seam_to_groups']:.2f}", None) or None)
    row("drift: distance in the last minute over the first", "0.9 to 1.1", lambda s, m: (d := of(of(result, "drift"), m)) and s == result["probe_size"] and (f"{d['ratio']:.3f} ({d['minutes']:g} min)", .9 <= d["ratio"] <= 1.1) or None)
    return columns, rows


def overview(result):
    columns, rows = goals(result)
    mark = {True: "", False: " **missed**", None: ""}
    cells = [[name, goal, *("-" if c not in v else v[c][0] + mark[v[c][1]] for c in columns)] for name, goal, v in rows if v]
    return table(["figure", "goal", *(f"{'VACE' if m == 'vace' else 'Normal'} {s}" for s, m in columns)], cells)


def coder(result):
    rows = []
    # the first size has the most clips
    names = next((list(r["autoencoder"]["psnr"]) for r in result["sizes"].values() if "autoencoder" in r), None)
    for size, r in result["sizes"].items():
        a = r.get("autoencoder")
        if a:
            rows.append([size, *(f"{a['psnr'][n]:.1f}" if n in a["psnr"] else "-" for n in names), f"{a['psnr_photographs']:.1f}" if a["psnr_photographs"] else "-", f"{a['still_input']:.2f} / {a['still']:.2f}", f"{a['seam']:.2f}" if "seam" in a else "-"])
    return rows and table(["size", *(f"{n}" for n in names), "photographs, mean (goal 30)", "still scene, change in / out", "its own seam ratio"], rows)


def looks(result, size):
    modes = result["sizes"][size]["modes"]
    first = next(iter(modes.values()))
    rows = []
    for look in first["looks"]:
        row = [look]
        for mode, m in modes.items():
            r = m["looks"][look]
            f = result["sizes"][size].get("flicker", {}).get(mode, {}).get(look)
            row += [f"{r['distance']:.1f}" + ("" if r["right"] else " **wrong**"), f"{r['other_distance']:.1f} ({r['other']})", f"{r['clips_right']}/{r['clips']}", f"{r['structure']:.2f} / {r['own_structure']:.2f}", "-" if f is None else f"{f:.1f}"]
        rows.append(row)
    head = ["look"]
    for mode in modes:
        n = "V" if mode == "vace" else "N"
        head += [f"{n}: distance to its own", "to the nearest other", "clips right", "structure / operator's", "flicker"]
    return table(head, rows)


def probes(result):
    """Rows of the smaller probes."""
    p, rows = result.get("probes", {}), []
    pair = lambda f: ["-" if v is None else v for v in (f("normal"), f("vace"))]
    line = lambda name, f: rows.append([name, *pair(f)])
    if "mixes" in p:
        line("two looks by weight (0 to 1 in quarters): steps in the right direction", lambda m: f"{100 * p['mixes']['share'][m]:.0f} %" if m in p["mixes"]["share"] else None)
    if "grades" in p:
        for word in next(iter(p["grades"].values())):
            line(f"distance to the input, \"{word}\" over \"X\"", lambda m: f"{p['grades'][m][word]:.2f}")
    if "steps" in p:
        line("distance to the look with 1 / 2 / 3 / 4 steps", lambda m: " / ".join(f"{v:.2f}" for v in p["steps"][m].values()))
    if "noise" in p:
        line("noise_scale " + " / ".join(p["noise"]) + ": distance to the look", lambda m: " / ".join(f"{v['look']:.1f}" for v in p["noise"].values()) if m == "normal" else None)
        line("the same, distance to the input", lambda m: " / ".join(f"{v['input']:.1f}" for v in p["noise"].values()) if m == "normal" else None)
        line("the same, structure", lambda m: " / ".join(f"{v['structure']:.2f}" for v in p["noise"].values()) if m == "normal" else None)
        line("the same, pixels change with another seed by, of 255", lambda m: " / ".join(f"{v['invented']:.1f}" for v in p["noise"].values()) if m == "normal" else None)
    if "seeds" in p:
        line("other seeds: pixels change by, of 255 (distance to the look by)", lambda m: f"{p['seeds'][m]['change']:.1f} ({100 * p['seeds'][m]['spread']:.1f} %)")
    if "references" in p:
        line("reference image, no prompt: mean colour's way to the reference's, mean (lowest)", lambda m: f"{100 * p['references'][m]['toward']:.0f} % ({100 * p['references'][m]['toward_lowest']:.0f} %)")
        line("the same, palette's distance to the reference's that is left", lambda m: f"{100 * p['references'][m]['palette_left']:.0f} %")
        line("reference in a look, no prompt: that look is the nearest", lambda m: f"{100 * p['references'][m]['look_right']:.0f} %")
    if "controls" in p:
        line("depth- and edge-like control videos: looks right (structure over the operator's own)", lambda m: f"{100 * p['controls']['right']:.0f} % ({p['controls']['structure_ratio']:.2f})" if m == "vace" else None)
    if "unknown" in p:
        line("unknown words: distance to the input, photo / the farthest", lambda m: f"{p['unknown'][m]['photo']:.1f} / {max(v['input'] for v in p['unknown'][m]['prompts'].values()):.1f}")
    text = ""
    if "text" in p:
        t = p["text"]
        text = (f"\n\nText only, all looks, two seeds: deviation over the picture {t['space']:.0f} (lowest {t['space_lowest']:.0f}), change a second {t['second']:.1f}, saturation {t['saturation']:.0f}, all in hundredths of full "
                f"scale; nearest to its own operator's result of the photo prompt's picture with the same seed: {100 * t['right']:.0f} %.")
    return (table(["probe", "Normal", "VACE"], rows) if rows else "") + text


def speeds(cases):
    """Rows of the ways to be faster at one size."""
    cell = lambda r: [f"{r['ms']:.0f} ({r['ratio']:.2f})", f"{r['distance']:.2f}", f"{r['structure']:.2f}", f"{r['still']:.2f}"]
    head = [f"{m}: {h}" for m in "NV" for h in ("chunk ms (over shipped)", "distance to its own", "structure over operator's", "still scene")]
    return table(["case", *head], [[name, *cell(r["normal"]), *cell(r["vace"])] for name, r in cases.items()])


def markdown(result, images=()):
    """images: name of a contact sheet -> file beside the card."""
    parts = [f"Made by `npm run evaluate{'' if not result['arguments'] else ' -- ' + result['arguments']}` with these weights: {result['weights']}."]
    if any(r["modes"] or "flicker" in r for r in result["sizes"].values()):
        parts.append(overview(result))
    if coder(result):
        parts += ["Autoencoder alone, PSNR in dB of clean moving clips:", coder(result)]
    for size in result["sizes"]:
        if result["sizes"][size]["modes"]:
            parts += [f"Looks at {size}; N is Normal, V is VACE:", looks(result, size)]
    if result.get("probes"):
        parts += [f"Probes at {result['probe_size']}:", probes(result)]
    for size, cases in result.get("speed", {}).items():
        parts += [f"Ways to be faster at {size}; N is Normal, V is VACE; a chunk is 12 frames:", speeds(cases)]
    parts += [f"![{name}]({images[name]})" for name in images]
    return "\n\n".join(parts)


def into_card(card, text):
    """The card with the text between its two markers."""
    before, rest = card.split(START)
    return before + START + "\n" + text + "\n" + END + rest.split(END)[1]
