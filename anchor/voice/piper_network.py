"""The network of a Piper voice (VITS, Kim et al. 2021), taken apart so that it streams and tells its timings.

As exported it is one graph from phoneme ids to sound. Its last part, the decoder (`dec` in VITS), takes most of the
time and looks only a tenth of a second around: cut off, it is run piece by piece. What it is given, the rest of the
network makes at once, along with the frames that each id takes. Its two sources of chance become inputs, so that a
sentence sounds the same whenever it is said; and a pace for every id is multiplied on the durations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from anchor.protobuf import Damaged
from anchor.voice.onnx_parts import Network, Node, numbers

NOISE, PACE = "anchor.noise", "anchor.pace"
TAKES = ("input", "input_lengths", "scales")
_DECODER = "/dec/"


@dataclass(frozen=True, slots=True)
class Plan:
    """What can be done with a network.

    `output`: the sound. `durations`: frames of each id, "" where they are not told. `latent`: what the decoder is given
    that has a column a frame, "" where it cannot be cut off; `fixed`: what else it is given. `noises`: inputs for
    chance, float32 (1, channels, columns) of any size that is large enough. `paced`: whether it takes `PACE`, float32
    (1, 1, ids).
    """

    network: Network
    output: str
    durations: str = ""
    latent: str = ""
    fixed: tuple[str, ...] = ()
    noises: tuple[str, ...] = ()
    paced: bool = False

    def encoder(self) -> bytes:
        """The network that gives `latent`, `fixed` and `durations`, or else the sound and `durations`."""
        made = (self.latent, *self.fixed) if self.latent else (self.output,)
        return self.network.part((*made, self.durations) if self.durations else made)

    def decoder(self) -> bytes:
        return self.network.part([self.output], (self.latent, *self.fixed))


def plan(network: Network, *, timings: bool = True) -> Plan:
    """Find the parts of a network. Raises `Damaged` for one that no Piper voice has."""
    if not set(TAKES) <= network.inputs.keys() or network.inputs.keys() - {*TAKES, "sid"} or not network.outputs:
        raise Damaged(f"is no Piper voice: it takes {', '.join(network.inputs) or 'nothing'}, not {', '.join(TAKES)}")
    output = next(iter(network.outputs))
    if network.nested:
        return Plan(network, output)
    durations = _durations(network, output) if timings else ""
    latent, fixed = _cut(network, output) if durations else ("", ())
    changed: dict[str, tuple[Node, ...]] = {}
    weights = dict[str, bytes]()
    noises = dict(_noises(network))
    if noises:
        weights[f"{NOISE}.first"] = numbers(f"{NOISE}.first", (0, 0, 0))
        changed.update(noises.values())
    if durations:
        (ceil,) = network.of("Ceil")
        slowed = Node("Mul", f"{PACE}.mul", (ceil.inputs[0], PACE), (f"{PACE}.slowed",))
        changed[durations] = (slowed, Node("Ceil", ceil.name, slowed.outputs, ceil.outputs))
    given = (*noises, PACE) if durations else tuple(noises)
    made = network.with_nodes(changed, weights).with_inputs(given)
    return Plan(made, output, durations, latent, fixed, tuple(noises), bool(durations))


def _durations(network: Network, output: str) -> str:
    """The frames of each id: the one value that is rounded up (``w_ceil``), and summed up along the ids."""
    rounded = network.of("Ceil")
    if len(rounded) != 1 or rounded[0].outputs[0] not in network.needs([output]):
        return ""
    name = rounded[0].outputs[0]
    summed = [node for node in network.nodes if node.operator in ("CumSum", "ReduceSum") and name in node.inputs]
    return name if summed and "input" in network.needs([name]) else ""


def _cut(network: Network, output: str) -> tuple[str, tuple[str, ...]]:
    """What the decoder is given: the value that depends on the text, and others."""
    decoder = [node for node in network.nodes if node.name.startswith(_DECODER)]
    made = {name for node in decoder for name in node.outputs}
    outer = {name for node in decoder for name in node.inputs if name and name not in made | network.weights.keys()}
    given = {name: network.inputs.keys() & network.needs([name]) for name in sorted(outer)}
    by_text = [name for name, inputs in given.items() if "input" in inputs]
    fixed = tuple(name for name, inputs in given.items() if inputs and "input" not in inputs)
    if len(by_text) != 1 or network.inputs.keys() & network.needs([output], (by_text[0], *fixed)):
        return "", ()
    return by_text[0], fixed


def _noises(network: Network) -> Iterator[tuple[str, tuple[str, tuple[Node, ...]]]]:
    """Inputs of noise, each with the value that was chance and the nodes that cut it out of the input instead."""
    for number, chance in enumerate(network.of("RandomNormalLike")):
        if chance.simple and len(chance.inputs) == 1:
            given, size = f"{NOISE}.{number}", f"{NOISE}.{number}.size"
            measured = Node("Shape", size, chance.inputs, (size,))
            cut = Node("Slice", chance.name, (given, f"{NOISE}.first", size), chance.outputs)
            yield given, (chance.outputs[0], (measured, cut))
