"""Imports point down only: the layers of the architecture, checked on the source."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LAYERS = [
    {
        "anchor.media",
        "anchor.events",
        "anchor.errors",
        "anchor.graphics",
        "anchor.onair",
        "anchor.ports",
        "anchor.linebreak",
        "anchor.tags",
        "anchor.talk",
    },
    {
        "anchor.batching",
        "anchor.channel",
        "anchor.chinese",
        "anchor.clock",
        "anchor.config",
        "anchor.costs",
        "anchor.loudness",
        "anchor.memory",
        "anchor.metrics",
        "anchor.model_folder",
        "anchor.onnx_session",
        "anchor.onnxfile",
        "anchor.protobuf",
        "anchor.packages",
        "anchor.registry",
        "anchor.store",
        "anchor.workers",
    },
    {"anchor.voice", "anchor.hearing", "anchor.dialogue", "anchor.trust", "drivers", "avatars", "streaming"},
    {"anchor.pipeline"},
    {"anchor.broadcast", "anchor.interactive"},
    {
        "anchor.cli",
        "anchor.airing",
        "anchor.app",
        "anchor.live",
        "anchor.models",
        "anchor.newsroom",
        "anchor.outlets",
        "anchor.selftest",
        "anchor.serve",
        "anchor.chain",
        "anchor.check",
        "anchor.clips",
        "anchor.commands",
        "anchor.batch",
        "anchor.bench",
        "anchor.server",
        "anchor.testing",
        "anchor.parts",
        "anchor.performing",
        "anchor.recordings",
        "anchor.rendering",
        "anchor.segments",
        "anchor.stream",
        "anchor.takeover",
        "anchor.talking",
        "anchor.visitors",
    },
]
SIBLINGS = (2, 4)
"""Layers whose packages do not import each other."""
LOADERS = {"anchor.bench", "anchor.onnx_session"}
"""Below or above the back-ends, and yet may load what is heavy, on first use."""
HEAVY = {"cv2", "aiortc", "av", "onnxruntime", "torch", "mediapipe", "transformers", "TTS", "faster_whisper"}


def unit(module: str) -> str:
    """The package or module that the layers speak of."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "anchor" else parts[0]


def layer(module: str) -> int | None:
    return next((number for number, members in enumerate(LAYERS) if unit(module) in members), None)


def sources() -> list[tuple[str, ast.Module]]:
    found = []
    for package in ("anchor", "drivers", "avatars", "streaming"):
        for path in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found.append((module, ast.parse(path.read_text("utf-8"))))
    return found


def imports(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_every_module_belongs_to_a_layer() -> None:
    homeless = [m for m, _ in sources() if layer(m) is None and m not in ("anchor", "anchor.__main__")]
    assert homeless == []


def test_imports_point_down_and_siblings_do_not_import_each_other() -> None:
    wrong = []
    for module, tree in sources():
        own = layer(module)
        for name in imports(tree):
            other = layer(name)
            if own is None or other is None or unit(name) == unit(module):
                continue
            sibling = other == own and own in SIBLINGS
            if other > own or sibling:
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_anchor_reaches_the_other_packages_by_name_only() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in sources()
        for name in imports(tree)
        if module.startswith("anchor") and name.split(".")[0] in ("drivers", "avatars", "streaming")
    ]
    assert wrong == []


def test_heavy_libraries_stay_in_the_back_ends() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in sources()
        for name in imports(tree)
        if name.split(".")[0] in HEAVY and layer(module) not in (2, None) and unit(module) not in LOADERS
    ]
    assert wrong == []
