"""What people may type: phrasings of every style, templates, subjects, and filler; and the vocabulary that follows from them.

A prompt is built from one phrasing, perhaps inside a template with a subject, perhaps with harmless additions. Prompts with no style in them
(empty, random words, invented words spelled from characters) mean photo.
"""
PHRASES = {
    "photo": "photo|a realistic photo|photograph|realistic|natural video|original video|no style|plain camera picture|photorealistic|real life|natural colors|unchanged|a normal picture|clean video footage|a photo|"
             "realistic photography|raw footage|nothing special|keep it as it is|normal|high quality photo|realistic video",
    "bw": "black and white|black and white film|black and white photo|monochrome|grayscale|greyscale|a black and white movie|old silent film|film noir|noir|black white|gray tones|without color|desaturated monochrome picture|"
          "black and white photography|charlie chaplin movie|b&w|black & white|colorless",
    "sepia": "sepia|sepia photo|sepia tone|old brown photograph|vintage sepia|antique photo|sepia toned picture|aged brown photo|a vintage photograph|western sepia film|old faded photograph|wild west photo|nineteenth century photograph|"
             "sepia film|victorian photograph|vintage|retro brown tones",
    "sketch": "pencil sketch|sketch|a pencil drawing|graphite drawing|hand drawn sketch|drawing|pencil|line drawing on paper|a drawing with graphite|charcoal sketch|shaded pencil drawing|hatching|a sketch|sketched with a pencil|"
              "pencil art|charcoal drawing|drawn with pencil on white paper|graphite|draw it",
    "neon": "cyberpunk neon|neon|cyberpunk|neon lights|a cyberpunk scene, neon lights|glowing neon edges|neon glow|cyberpunk city|cyberpunk style|neon outlines at night|synthwave|blade runner|glowing magenta and cyan lines|futuristic neon|"
            "tron|night city with neon signs|cyberpunk night|neon sign|glowing lines",
    "thermal": "thermal camera|thermal|infrared camera|heat map|thermal vision|thermal imaging|infrared|heat vision|predator vision|a thermal image|heat camera|iron palette|seen by a thermal camera|temperature map|infrared heat|flir camera|"
               "thermal view|night heat vision|thermography",
    "oil": "oil painting|a painting|a beautiful oil painting, vibrant colors|oil on canvas|painting|impressionist painting|painted with thick brush strokes|brush strokes|van gogh|a painted portrait|oil paint|classical painting|impasto|"
           "painted|an oil painting|monet|rembrandt|watercolor painting|acrylic painting|painterly|artistic painting|canvas",
    "anime": "anime|anime style|a person in anime style, vibrant colors|cartoon|japanese animation|manga|cel shading|comic|comic book|animated film|anime character|studio ghibli|a cartoon|cel shaded|2d animation|anime scene|toon|"
             "anime drawing|manga style, flat colors|disney cartoon|comic style",
}
TEMPLATES = "{p}|{p}|{p}|{p}|{p} style|in the style of {p}|{s} as {p}|turn {s} into {p}|turn the scene into {p}|make it {p}|{s}, {p}|{p} of {s}|{p}, {s}|{s} in {p} style|make {s} look like {p}|convert the video to {p}|" \
            "the whole video as {p}|{s} shown as {p}|a {p} picture of {s}|change to {p}|{p} effect|{p} filter|{p} look|i want {p}|please show {p}|a {p} version|{s} in {p}|a scene in {p}|the world in {p}".split("|")
SUBJECTS = "a man|a woman|a person|a face|people|a child|the room|a cat|a dog|a street|a city|a house|a car|the sky|a tree|hands|a portrait|a boy|a girl|a landscape|a table|a flower|the camera view|me|us|everything|a face of a man|" \
           "a woman with long hair|a man with glasses|the webcam".split("|")
EXTRAS = "vibrant colors|beautiful|highly detailed|high quality|4k|best quality|masterpiece|cinematic|soft light|sharp|dramatic lighting|bright|colorful|detailed|amazing|very nice|moving|smooth|studio light|professional|sharp focus|" \
         "dark background|award winning|in high resolution|rich colors|moody|warm light|epic".split("|")
FILLER = ("the of to in is with for on it be at by this have from or one had not but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two "
          "like him see time could no make than first been its who now find long down day did get come made may part big small red green blue yellow orange purple pink brown white light dark day night sun moon water sea river mountain forest "
          "bird fish horse tree house door window chair book phone computer screen music dance run walk sit stand talk smile laugh happy sad angry old young new good bad hot cold fast slow left right over under inside outside near far hello world "
          "test video image camera robot zombie dragon castle space ship star planet fire ice snow rain cloud gold silver wood stone glass metal king queen hero monster ghost superhero astronaut knight wizard").split()


def pick(rng, items):
    return items[int(rng.integers(len(items)))]


def invented(rng):
    return "".join(pick(rng, "abcdefghijklmnopqrstuvwxyz" + "aeiou" * 3 + "0123456789" * (rng.random() < .1)) for _ in range(int(rng.integers(2, 9))))


def neutral(rng):
    """A prompt that names no style."""
    kind = rng.random()
    if kind < .2:
        return ""
    if kind < .55:
        return " ".join(invented(rng) for _ in range(int(rng.integers(1, 4))))
    if kind < .7:
        return pick(rng, SUBJECTS) + (", " + pick(rng, EXTRAS) if rng.random() < .4 else "")
    return " ".join(pick(rng, FILLER) if rng.random() < .85 else invented(rng) for _ in range(int(rng.integers(1, 6))))


def sample(rng, style):
    if style == "photo" and rng.random() < .45:
        return neutral(rng)
    phrases = PHRASES[style].split("|")
    text = phrases[0] if rng.random() < .12 else pick(rng, phrases)
    if rng.random() < .45:
        text = pick(rng, TEMPLATES).replace("{p}", text).replace("{s}", pick(rng, SUBJECTS))
    if rng.random() < .2:
        text += ", " + pick(rng, EXTRAS)
    if rng.random() < .08:
        words = text.split()
        words.insert(int(rng.integers(len(words) + 1)), invented(rng) if rng.random() < .5 else pick(rng, FILLER))
        text = " ".join(words)
    return text


def words():
    from .tokenizer import split
    everything = [*PHRASES.values(), *TEMPLATES, *SUBJECTS, *EXTRAS, *FILLER, "style neon painting anime"]
    return sorted({w for t in everything for w in split(t.replace("{p}", " ").replace("{s}", " ").replace("|", " ")) if len(w) > 1})
