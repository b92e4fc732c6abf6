"""Make speech: `python -m tools.train_speechnet.generate VOICES --minutes N --out DIR [--seed S]`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from tools.train_speechnet.spoken import RATE, Spoken, save

BATCH_SECONDS = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("voices", choices=("kokoro", "piper", "espeak", "festival", "flite"))
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kokoro-voices", type=Path, help="the folder `voices` of the npm package kokoro-js")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    speaker = _speaker(arguments)
    rng = np.random.default_rng(arguments.seed)
    made, number, batch = 0.0, 0, list[Spoken]()
    while made < arguments.minutes * 60:
        item = speaker.say(rng)
        if item is None:
            continue
        batch.append(item)
        made += len(item.audio) / RATE
        if sum(len(item.audio) for item in batch) >= BATCH_SECONDS * RATE or made >= arguments.minutes * 60:
            save(arguments.out / f"{arguments.voices}-{arguments.seed}-{number:03d}.npz", batch)
            print(f"{arguments.voices}: {made / 60:.1f} min", flush=True)
            number, batch = number + 1, []


def _speaker(arguments: argparse.Namespace):  # type: ignore[no-untyped-def]
    if arguments.voices == "kokoro":
        from tools.train_speechnet.kokoro import Kokoro

        return Kokoro(arguments.kokoro_voices, arguments.out)
    if arguments.voices == "piper":
        from tools.train_speechnet.piper import Piper

        return Piper(arguments.out)
    if arguments.voices == "espeak":
        from tools.train_speechnet.espeak import EspeakVoices

        return EspeakVoices()
    from tools.train_speechnet.festival import Festival, Flite

    return Festival() if arguments.voices == "festival" else Flite()


if __name__ == "__main__":
    main()
