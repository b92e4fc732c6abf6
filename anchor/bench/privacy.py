"""How much of what must not be kept is masked, how much that may be kept is masked with it, and how long it takes."""

from __future__ import annotations

import random
import re
import time
from collections import Counter

from anchor.bench.measure import Figure, Tell, percentile
from anchor.bench.secrets import Utterance, ordinary, utterances
from anchor.trust.digits import flat, runs
from anchor.trust.pii import MASK, find, mask

UTTERANCES = 20_000
ORDINARY_SENTENCES = 10_000
SEED = 20261126


def kept(utterance: Utterance, masked: str) -> bool:
    """Whether anything of a secret is left in its masked text: a digit, said or written, or a piece of four letters."""
    before, _, after = utterance.text.partition(utterance.secret)
    # What stood around the secret may stay; a mask may also have taken some of it with it.
    rest = MASK.sub("\x1f", masked)
    for side in (before, after):
        rest = rest.replace(side, "\x1f", 1) if side.strip() else rest
    if any(len(run.digits) for run in runs(flat(rest)) if run.digits.strip()):
        return True
    pieces = re.findall(r"[A-Za-z]{4,}", utterance.secret) if utterance.kind in ("email", "password") else []
    return any(piece in rest for piece in pieces)


async def measure(tell: Tell, count: int = UTTERANCES) -> list[Figure]:
    tell(f"{count} made-up utterances with a secret each")
    missed, all_of = Counter[str](), Counter[str]()
    for utterance in utterances(count, SEED):
        for group in ("", f"_{utterance.language}", f"_{utterance.language}_{utterance.kind}"):
            all_of[group] += 1
            missed[group] += kept(utterance, mask(utterance.text))
    tell(f"{ORDINARY_SENTENCES} ordinary sentences")
    chance = random.Random(SEED)
    plain = {
        language: [ordinary(chance, language) for _ in range(ORDINARY_SENTENCES // 2)] for language in ("en", "zh")
    }
    false = {language: sum(bool(find(text)) for text in texts) for language, texts in plain.items()}
    taken = []
    for texts in plain.values():
        for text in texts[:1000]:
            begun = time.thread_time()
            mask(text)
            taken.append(1e6 * (time.thread_time() - begun))
    return [
        Figure("pii_recall_min", 1 - missed[""] / all_of[""], "share of secrets", 0.995),
        *(
            Figure(f"pii_recall{group}", 1 - missed[group] / all_of[group], "share of secrets")
            for group in sorted(all_of)
            if group
        ),
        *(
            Figure(f"pii_false_masks_{language}_max", 1000 * false[language] / len(texts), "of 1,000 sentences", 5)
            for language, texts in plain.items()
        ),
        Figure("pii_mask_p50_us", percentile(taken, 50), "us of one core a sentence"),
        Figure("pii_mask_p99_us", percentile(taken, 99), "us of one core a sentence"),
    ]
