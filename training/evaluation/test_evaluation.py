"""python3 -m unittest training.evaluation.test_evaluation: do the figures tell right from wrong?"""
import tempfile
import unittest
from pathlib import Path

import numpy as np

from .. import styles
from . import clips, looks, metrics, report, speed
from .runner import AUTOENCODER, MODES, ROOT, Runner


class Figures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.clip = clips.moving("coffee", 13, 160, 96)
        cls.targets = looks.Targets(cls.clip.clean, [2, 8])

    def video(self, look):
        return looks.operate(look, self.clip.clean)

    def record(self, look, video):
        d = self.targets.distances(video)
        return {"look": look, "mode": "vace", "distances": d, "nearest": min(d, key=d.get), "structure": self.targets.structure_of(video), "own_structure": self.targets.structure[look], "chunk_ms": 1}

    def test_operators_themselves_are_all_right(self):
        found = looks.summary([self.record(look, self.video(look)) for look in styles.STYLES], list(styles.STYLES), "vace")
        self.assertEqual(found["right"], len(styles.STYLES))
        self.assertAlmostEqual(found["structure_ratio"], 1, places=3)
        self.assertLess(max(r["distance"] for r in found["looks"].values()), 1e-6)

    def test_a_wrong_look_is_noticed(self):
        names = list(styles.STYLES)
        for asked, shown in zip(names[1:], names[2:] + names[1:2]):
            found = looks.summary([self.record(asked, self.video(shown)), self.record("photo", self.video("photo"))], [asked, "photo"], "vace")
            self.assertEqual((found["looks"][asked]["right"], found["looks"][asked]["other"]), (False, shown))

    def test_a_look_that_is_hardly_there_is_wrong(self):
        faint = (.2 * self.video("sketch") + .8 * self.video("photo")).astype(np.uint8)
        self.assertEqual(self.record("sketch", faint)["nearest"], "photo")

    def test_lost_structure_is_noticed(self):
        self.assertGreater(metrics.structure(self.clip.given, self.clip.clean), .8)
        self.assertLess(metrics.structure(self.clip.clean[:, ::-1], self.clip.clean), .4)

    def test_a_jump_between_chunks_is_a_seam(self):
        even = np.tile(np.arange(25, dtype=np.uint8)[:, None, None, None], (1, 4, 4, 3))
        self.assertEqual(looks.seam_summary([metrics.seams(even, [0, 13])]), {"seam": 1, "seam_to_groups": 1, "groups": 1})
        jumping = even.copy()
        jumping[13:] += 2
        self.assertEqual(metrics.seams(jumping, [0, 13])["chunk"], 3)

    def test_jumps_of_groups_are_told_from_those_of_chunks(self):
        grouped = np.tile((np.arange(25) + (np.arange(25) + 3) // 4).astype(np.uint8)[:, None, None, None], (1, 4, 4, 3))
        self.assertEqual(metrics.seams(grouped, [0, 13]), {"chunk": 2, "group": 2, "inside": 23 / 19})

    def test_colour_that_goes_half_way(self):
        black, grey, white = (np.full((1, 2, 2, 3), v, np.uint8) for v in (0, 100, 200))
        self.assertAlmostEqual(metrics.toward(black, grey, white), .5)
        self.assertAlmostEqual(metrics.palette_distance(grey, white) / metrics.palette_distance(black, white), .5)

    def test_held_out_clips_are_the_same_each_time(self):
        self.assertTrue((clips.procedural("face", 2, 64, 32).given == clips.procedural("face", 2, 64, 32).given).all())

    def test_only_the_part_between_the_markers_of_a_card_is_replaced(self):
        card = f"a\n{report.START}\nold\n{report.END}\nb"
        self.assertEqual(report.into_card(card, "new"), f"a\n{report.START}\nnew\n{report.END}\nb")


class Runtime(unittest.TestCase):
    def test_videos_come_back_in_order_through_the_shipped_runtime(self):
        clip = clips.moving("coffee", 37, 96, 64)
        with Runner(ROOT / "models/longlive-tiny", 1) as runner:
            alone = runner.submit(AUTOENCODER, "", clip.clean).result()
            self.assertEqual((alone.starts, alone.frames.shape), ([0, 13, 25], clip.clean.shape))
            for i in (0, 12, 13, 36):
                self.assertGreater(metrics.psnr(alone.frames[i], clip.clean[i]), 20)
            self.assertEqual(runner.submit(MODES["vace"], "photo", clip.clean).result().starts, [0, 9, 21])
            kept = runner.submit(MODES["text"], [("photo", .5), ("black and white", .5)], size=(96, 64), chunks=3, keep=[2]).result()
            self.assertEqual(kept.frames.shape, (12, 64, 96, 3))
            with self.assertRaisesRegex(RuntimeError, "noise_scale"):
                runner.submit({"input_mode": "video", "noise_scale": 7}, "photo", clip.clean).result()

    def test_every_way_to_be_faster_or_better_makes_other_pictures(self):
        clip, made = clips.moving("coffee", 13, 192, 176), []
        with tempfile.TemporaryDirectory() as folder:
            for i, edit in enumerate(dict.fromkeys(edit for _, edit, _, _ in speed.CASES)):
                with Runner(speed.variant(ROOT / "models/longlive-tiny", edit, Path(folder) / str(i)), 1) as runner:
                    made.append(runner.submit(MODES["normal"], "photo", clip.clean).result().frames)
        # At this size the last two let every token see all others, as what is shipped does.
        shipped, *others, wide, whole = made
        self.assertTrue((wide == shipped).all() and (whole == shipped).all())
        for other in others:
            self.assertTrue((other != shipped).any())
            self.assertGreater(metrics.psnr(other, shipped), 20)


if __name__ == "__main__":
    unittest.main()
