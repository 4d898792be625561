"""What people may type: phrasings of every look, templates, subjects, grades and filler; and the vocabulary that follows from them.

A prompt is built from one phrasing, perhaps inside a template with a subject, perhaps with harmless additions or an adverb of grade. Prompts with no
look in them (empty, random words, invented words spelled from characters) mean photo. A phrasing belongs to one look only.
"""
PHRASES = {
    "photo": "photo|a realistic photo|photograph|realistic|natural video|original video|no style|plain camera picture|photorealistic|real life|natural colors|unchanged|a normal picture|clean video footage|a photo|"
             "realistic photography|raw footage|nothing special|keep it as it is|normal|high quality photo|realistic video|natural colours",
    "bw": "black and white|black and white film|black and white photo|monochrome|grayscale|greyscale|a black and white movie|old silent film|film noir|noir|black white|gray tones|grey tones|without color|without colour|"
          "desaturated monochrome picture|black and white photography|charlie chaplin movie|b&w|black & white|colorless|colourless|casablanca",
    "sepia": "sepia|sepia photo|sepia tone|old brown photograph|vintage sepia|antique photo|sepia toned picture|aged brown photo|a vintage photograph|western sepia film|wild west photo|nineteenth century photograph|"
             "sepia film|victorian photograph|vintage|retro brown tones|daguerreotype|brown monochrome",
    "sunset": "warm sunset|sunset|golden hour|sunset light|evening sun|a warm orange sunset|orange evening light|dusk on the beach|at sunset|the last light of the day|sundown|warm evening glow|sunrise|dawn|warm orange light|"
              "red evening sky|summer evening|tropical sunset|lit by the setting sun",
    "ice": "icy blue|ice|frozen|winter|cold blue light|frosty|arctic|frost|icy|cold winter morning|a frozen world|snow and ice|elsa|antarctica|polar cold|cool blue tones|ice palace|freezing cold|glacier|north pole|wintry",
    "night": "night vision|green night vision|night vision goggles|night vision camera|green goggles|military night vision|night scope|seen through night vision|green phosphor|low light green camera|image intensifier|"
             "soldier goggles|spy goggles|green surveillance camera|nightvision|splinter cell",
    "thermal": "thermal camera|thermal|infrared camera|heat map|thermal vision|thermal imaging|infrared|heat vision|predator vision|a thermal image|heat camera|iron palette|seen by a thermal camera|temperature map|infrared heat|flir camera|"
               "thermal view|heatmap|thermography",
    "faded": "faded film|faded|old faded photograph|faded colors|faded colours|washed out film|seventies film|polaroid|old polaroid photo|instant film|super 8 film|bleached print|pale old print|expired film|washed out colors|"
             "home movie from the seventies|faded print|muted pastel film|sun bleached photo|1970s snapshot",
    "dramatic": "high contrast|dramatic|high contrast film|strong contrast|teal and orange|blockbuster|hollywood blockbuster colors|action movie|crushed blacks|dramatic contrast|bold contrast|hdr|hdr photo|punchy colors|gritty high contrast|"
                "movie poster contrast|mad max|michael bay|deep blacks and vivid colours",
    "xray": "x-ray|xray|negative|x ray image|film negative|inverted|inverted colors|radiograph|an x-ray picture|hospital scan|negative image|skeleton scan|radiology|röntgen image|medical scan|photographic negative|inverted colours",
    "sketch": "pencil sketch|sketch|a pencil drawing|graphite drawing|hand drawn sketch|drawing|pencil|line drawing on paper|a drawing with graphite|shaded pencil drawing|hatching|a sketch|sketched with a pencil|"
              "pencil art|drawn with pencil on white paper|graphite|draw it|sketchbook page|a-ha take on me",
    "charcoal": "charcoal|charcoal drawing|charcoal sketch|a charcoal portrait|drawn with charcoal|black charcoal and white chalk|toned paper drawing|charcoal on brown paper|smudged charcoal|coal drawing|conte drawing|charcoal art|"
                "academic charcoal study|black chalk drawing|käthe kollwitz|renaissance study on toned paper",
    "comic": "ink comic|comic|comic book|comic style|halftone|halftone dots|pop art|roy lichtenstein|lichtenstein|a comic book page|comic panel|superhero comic|marvel comics|ben day dots|spider verse|printed comic with dots|graphic novel|"
             "newspaper comic strip|inked comic drawing|dc comics",
    "blueprint": "blueprint|a blueprint|technical drawing|engineering drawing|architect plan|white lines on blue paper|construction plan|cyanotype plan|drafting paper|technical blueprint|schematic|architectural drawing|engineering plan|"
                 "blue plan with grid|patent blueprint|floor plan",
    "watercolour": "watercolor|watercolour|watercolor painting|watercolour painting|aquarelle|a watercolor|a watercolour|painted with watercolors|water colour|soft washes on white paper|wet paint on paper|aquarelle painting|"
                   "loose watercolor|william turner|pale washes of pigment|watercolor sketch|watercolour illustration|children book watercolor",
    "oil": "oil painting|a painting|a beautiful oil painting, vibrant colors|oil on canvas|painting|impressionist painting|painted with thick brush strokes|brush strokes|van gogh|a painted portrait|oil paint|classical painting|impasto|"
           "painted|an oil painting|monet|rembrandt|acrylic painting|painterly|artistic painting|canvas|impressionism|palette knife",
    "anime": "anime|anime style|a person in anime style, vibrant colors|cartoon|japanese animation|manga|cel shading|animated film|anime character|studio ghibli|a cartoon|cel shaded|2d animation|anime scene|toon|"
             "anime drawing|manga style, flat colors|disney cartoon|anime cel|naruto|miyazaki|the simpsons|animation",
    "pixel": "pixel art|pixels|8 bit|8-bit game|8bit|16 bit game|retro video game|pixelated|nintendo|minecraft|a pixel art game|gameboy|low resolution blocks|old computer game|super mario|arcade game|blocky pixels|big square pixels|pixel|commodore 64",
    "glass": "stained glass|stained glass window|church window|cathedral window|a stained glass window|colored glass|coloured glass|tiffany lamp|leaded glass|gothic window|glass panes in lead|luminous glass window|rose window|tiffany glass|chartres|"
             "chapel glass",
    "mosaic": "mosaic|roman mosaic|a mosaic of small tiles|mosaic tiles|byzantine mosaic|tiles|ceramic tiles|tile mosaic|gaudi|ravenna|stone mosaic|tesserae|bathroom tiles|made of tiny tiles|pompeii floor|mosaic floor",
    "lowpoly": "low poly|low polygon|lowpoly|polygons|triangles|made of triangles|polygon art|faceted|low poly 3d|geometric facets|triangulated|origami|paper folded facets|low poly render|geometric shapes|flat triangles|polygonal",
    "woodcut": "woodcut|a woodcut print|engraving|linocut|engraved|old book engraving|wood engraving|albrecht dürer|durer|gustave doré|block print|copper engraving|banknote engraving|etching|a linocut|black ink engraved lines|medieval woodcut|"
               "woodblock print",
    "knit": "knitted|knitted wool|wool|knitting|a knitted sweater|ugly christmas sweater|embroidery|yarn|made of wool|cross stitch|crochet|stitches|woven yarn|knitwear|knitted fabric|grandma sweater|embroidered|knit|wool stitches",
    "chalk": "chalkboard|chalk|blackboard|chalk on a blackboard|chalk drawing|school blackboard|coloured chalk|colored chalk|drawn with chalk|a chalk drawing on a green board|classroom chalkboard|chalk art|street chalk|white chalk lines|"
             "teacher board|chalk board",
    "neon": "cyberpunk neon|neon|cyberpunk|neon lights|a cyberpunk scene, neon lights|glowing neon edges|neon glow|cyberpunk city|cyberpunk style|neon outlines at night|blade runner|glowing magenta and cyan lines|futuristic neon|"
            "tron|night city with neon signs|cyberpunk night|neon sign|glowing lines|neon tubes|ghost in the shell",
    "gold": "gold|golden statue|made of gold|gold metal|pure gold|a golden relief|solid gold|hammered gold|liquid gold|gold leaf|golden|polished gold|a statue of gold|king midas|brass|c3po|goldfinger|oscar statue|gilded|el dorado|golden mask",
    "underwater": "underwater|under the sea|under water|deep sea|ocean|in the ocean|coral reef|scuba diving|at the bottom of the sea|atlantis|aquarium|the little mermaid|submerged|diving|finding nemo|turquoise water|submarine|swimming pool|ocean floor",
    "autumn": "autumn|autumn leaves|fall leaves|fall colors|autumn forest|fall foliage|indian summer|october|a world of autumn leaves|golden autumn|red and orange leaves|foliage|autumn colours|falling leaves|maple leaves|november forest|"
              "thanksgiving colors|leaves",
    "hologram": "hologram|a hologram|holographic|hologram projection|blue hologram|princess leia|star wars hologram|holographic projection|scan lines|glowing cyan projection|transparent hologram|futuristic display|iron man display|sci-fi hologram|"
                "projected in the air|hologram interface|cyan scanlines|jarvis",
    "fire": "fire and ember|fire|flames|burning|on fire|embers|lava|in flames|a burning world|inferno|made of fire|hell|volcano|blazing fire|flaming|fire and embers|magma|dragon fire|firestorm|mordor|burning coals|human torch",
    "galaxy": "galaxy|starry|stars|nebula|cosmos|starry sky|outer space|made of stars|universe|cosmic|milky way|interstellar|constellation|deep space nebula|stardust|cosmic dust|the starry universe|hubble telescope|space nebula|astral|supernova",
    "vapor": "vaporwave|vapor wave|vapourwave|synthwave|candy|cotton candy|candy colors|pastel pink and mint|bubblegum|miami vice|retrowave|pink and turquoise|candy colours|outrun|barbie|pink dream|kawaii pink|eighties pink|hot pink and mint|lo-fi aesthetic",
    "porcelain": "porcelain|delft|blue and white porcelain|delft blue|china plate|ming vase|chinese porcelain|dutch tiles in delft blue|painted porcelain|white and cobalt|cobalt blue brush on white|ming dynasty|a porcelain plate|azulejo|willow pattern|"
                 "meissen|ceramic vase|fine china|wedgwood",
}
TITLES = {
    "photo": "Photograph", "bw": "Black and white", "sepia": "Sepia", "sunset": "Warm sunset", "ice": "Icy blue", "night": "Night vision", "thermal": "Thermal camera", "faded": "Faded film", "dramatic": "High contrast", "xray": "X-ray",
    "sketch": "Pencil sketch", "charcoal": "Charcoal", "comic": "Ink comic", "blueprint": "Blueprint", "watercolour": "Watercolour", "oil": "Oil painting", "anime": "Anime", "pixel": "Pixel art", "glass": "Stained glass",
    "mosaic": "Mosaic", "lowpoly": "Low poly", "woodcut": "Woodcut", "knit": "Knitted wool", "chalk": "Chalkboard", "neon": "Cyberpunk neon", "gold": "Gold", "underwater": "Underwater", "autumn": "Autumn", "hologram": "Hologram",
    "fire": "Fire and ember", "galaxy": "Galaxy", "vapor": "Vaporwave", "porcelain": "Porcelain",
}
KEYWORD = {style: phrases.split("|")[0] for style, phrases in PHRASES.items()}
TEMPLATES = "{p}|{p}|{p}|{p}|{p} style|in the style of {p}|{s} as {p}|turn {s} into {p}|turn the scene into {p}|make it {p}|{s}, {p}|{p} of {s}|{p}, {s}|{s} in {p} style|make {s} look like {p}|convert the video to {p}|" \
            "the whole video as {p}|{s} shown as {p}|a {p} picture of {s}|change to {p}|{p} effect|{p} filter|{p} look|i want {p}|please show {p}|a {p} version|{s} in {p}|a scene in {p}|the world in {p}|{p} scene|{p} aesthetic".split("|")
GRADES = {
    .45: "slightly {p}|a little {p}|subtle {p}|a touch of {p}|a hint of {p}|lightly {p}|a bit of {p}|faint {p}|mild {p}|{p}, but subtle|a subtle {p} look|{p}, only a little|make it slightly {p}|weak {p}|{p}, slightly|"
         "with a touch of {p}|gentle {p}|a slight {p} effect|somewhat {p}",
    1.15: "strongly {p}|very {p}|extremely {p}|intense {p}|strong {p}|extreme {p}|super {p}|heavy {p}|{p}, very strong|{p}, extremely|really {p}|a strong {p} look|make it very {p}|completely {p}|totally {p}|maximum {p}|intensely {p}|"
          "an intense {p} effect|full {p}",
}
SUBJECTS = "a man|a woman|a person|a face|people|a child|the room|a cat|a dog|a street|a city|a house|a car|the sky|a tree|hands|a portrait|a boy|a girl|a landscape|a table|a flower|the camera view|me|us|everything|a face of a man|" \
           "a woman with long hair|a man with glasses|the webcam|my face|my room|someone talking|a friend".split("|")
EXTRAS = "vibrant colors|beautiful|highly detailed|high quality|4k|best quality|masterpiece|cinematic|soft light|sharp|bright|colorful|detailed|amazing|nice|moving|smooth|studio light|professional|sharp focus|" \
         "award winning|in high resolution|rich colors|moody|epic|vibrant colours|colourful|trending".split("|")
REFERENCE = "|||in the style of the reference|like the reference image|with these colors|with these colours|reference|the reference image|same style as the reference|use the reference|like this|like this picture|in this style|the same colors|" \
            "the same colours|copy the style|match the reference|match the colors of the image|with the palette of the reference|style transfer|as in the picture|follow the reference image|same look|same colors as the image|" \
            "make it look like the reference|this style".split("|")
COMMON = ("the of to in is with for on it be at by this have from or one had not but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two "
          "like him see time could no make than first been its who now find long down day did get come made may part big small red green blue yellow orange purple pink brown white light dark day night sun moon water sea river mountain forest "
          "bird fish horse tree house door window chair book phone computer screen music dance run walk sit stand talk smile laugh happy sad angry old young new good bad hot cold fast slow left right over inside outside near far hello world "
          "test video image camera robot zombie dragon castle ship planet rain cloud silver wood stone metal queen hero monster ghost astronaut knight wizard").split()
GRADE_WORDS = {w.strip(",") for group in GRADES.values() for t in group.split("|") for w in t.split()}
CLUES = {w.strip(",") for style, phrases in PHRASES.items() if style != "photo" for w in phrases.replace("|", " ").split()} | GRADE_WORDS
FILLER = [w for w in COMMON if w not in CLUES or len(w) < 4]


def pick(rng, items):
    return items[int(rng.integers(len(items)))]


def invented(rng):
    return "".join(pick(rng, "abcdefghijklmnopqrstuvwxyz" + "aeiou" * 3 + "0123456789" * (rng.random() < .1)) for _ in range(int(rng.integers(2, 9))))


def neutral(rng):
    """A prompt that names no look."""
    kind = rng.random()
    if kind < .2:
        return ""
    if kind < .55:
        return " ".join(invented(rng) for _ in range(int(rng.integers(1, 4))))
    if kind < .7:
        return pick(rng, SUBJECTS) + (", " + pick(rng, EXTRAS) if rng.random() < .4 else "")
    return " ".join(pick(rng, FILLER) if rng.random() < .85 else invented(rng) for _ in range(int(rng.integers(1, 6))))


def reference(rng):
    """A prompt that leaves the look to a reference picture."""
    text = pick(rng, REFERENCE)
    return f"{pick(rng, SUBJECTS)} {text}" if text and rng.random() < .15 else text


def phrase(rng, style):
    phrases = PHRASES[style].split("|")
    return phrases[0] if rng.random() < .12 else pick(rng, phrases)


def adorned(rng, text):
    """Harmless additions, now and then."""
    if rng.random() < .2:
        text += ", " + pick(rng, EXTRAS)
    if rng.random() < .08:
        words = text.split()
        words.insert(int(rng.integers(len(words) + 1)), invented(rng) if rng.random() < .5 else pick(rng, FILLER))
        text = " ".join(words)
    return text


def sample(rng, style):
    """A text that asks for the look at its plain strength."""
    if style == "photo" and rng.random() < .45:
        return neutral(rng)
    text = phrase(rng, style)
    if rng.random() < .45:
        text = pick(rng, TEMPLATES).replace("{p}", text).replace("{s}", pick(rng, SUBJECTS))
    return adorned(rng, text)


def graded(rng, style):
    """(text, strength): strength .45, 1 or 1.15 says how far from the clean picture towards the look (and beyond) the text asks to go."""
    if style == "photo" or rng.random() >= .2:
        return sample(rng, style), 1.
    strength = .45 if rng.random() < .6 else 1.15
    text = pick(rng, GRADES[strength].split("|")).replace("{p}", phrase(rng, style))
    if rng.random() < .25:
        text = f"{pick(rng, SUBJECTS)}, {text}"
    return adorned(rng, text), strength


def words():
    from .tokenizer import split
    everything = [*PHRASES.values(), *GRADES.values(), *TEMPLATES, *SUBJECTS, *EXTRAS, *REFERENCE, *COMMON]
    return sorted({w for t in everything for w in split(t.replace("{p}", " ").replace("{s}", " ").replace("|", " ")) if len(w) > 1})
