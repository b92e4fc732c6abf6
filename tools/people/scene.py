"""Draws jobs in Blender: ``python scene.py JOB`` in an interpreter with ``bpy``. A job is a folder with job.json.

It names meshes and strands in arrays.npz, their materials, lights, a camera and passes; every pass is a PNG.
Lengths are centimetres, y up, z towards the viewer, as in the rest of this package.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import bpy
import mathutils
import numpy as np


def _axes(points: Any) -> Any:
    """To Blender's axes: x right, y away, z up."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)


class Nodes:
    """A material's nodes, wired by name."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()
        self.out = self.add("ShaderNodeOutputMaterial")

    def add(self, kind: str, **values: Any) -> Any:
        node = self.tree.nodes.new(kind)
        for key, value in values.items():
            setattr(node, key, value)
        return node

    def link(self, source: Any, target: Any) -> None:
        self.tree.links.new(source, target)

    def maths(self, operation: str, *inputs: Any) -> Any:
        node = self.add("ShaderNodeMath", operation=operation)
        for index, value in enumerate(inputs):
            if isinstance(value, int | float):
                node.inputs[index].default_value = value
            else:
                self.link(value, node.inputs[index])
        return node.outputs[0]

    def image(self, path: str, vector: Any, *, data: bool) -> Any:
        picture = bpy.data.images.load(path)
        picture.colorspace_settings.name = "Non-Color" if data else "Linear Rec.709"
        node = self.add("ShaderNodeTexImage", image=picture, interpolation="Cubic", extension="EXTEND")
        self.link(vector, node.inputs[0])
        return node

    def rest(self) -> Any:
        return self.add("ShaderNodeAttribute", attribute_name="rest").outputs["Vector"]

    def noise(self, vector: Any, scale: float, detail: float = 2.0) -> Any:
        node = self.add("ShaderNodeTexNoise")
        node.inputs["Scale"].default_value, node.inputs["Detail"].default_value = scale, detail
        self.link(vector, node.inputs["Vector"])
        return node.outputs[0]

    def bumped(self, height: Any, distance: float, strength: float = 1.0, normal: Any = None) -> Any:
        node = self.add("ShaderNodeBump")
        node.inputs["Distance"].default_value, node.inputs["Strength"].default_value = distance, strength
        self.link(height, node.inputs["Height"])
        if normal is not None:
            self.link(normal, node.inputs["Normal"])
        return node.outputs[0]


def _principled(nodes: Nodes, **values: Any) -> Any:
    shader = nodes.add("ShaderNodeBsdfPrincipled")
    for key, value in values.items():
        shader.inputs[key.replace("_", " ")].default_value = value
    nodes.link(shader.outputs[0], nodes.out.inputs[0])
    return shader


def _painted(nodes: Nodes, spec: dict[str, Any]) -> Any:
    """Texture coordinates of paintings seen from the front."""
    left, bottom, right, top = spec["bounds"]
    scale = nodes.add("ShaderNodeMapping", vector_type="TEXTURE")
    scale.inputs["Location"].default_value = (left, bottom, 0)
    scale.inputs["Scale"].default_value = (right - left, top - bottom, 1)
    nodes.link(nodes.rest(), scale.inputs[0])
    return scale.outputs[0]


def skin(nodes: Nodes, spec: dict[str, Any]) -> None:
    at = _painted(nodes, spec)
    colour = nodes.image(spec["colour"], at, data=False).outputs[0]
    gloss = nodes.image(spec["gloss"], at, data=True).outputs[0]
    shader = _principled(nodes, Subsurface_Weight=spec.get("subsurface", 1.0), Subsurface_Scale=0.55,
                         Subsurface_Radius=(1.0, 0.36, 0.18), Specular_IOR_Level=0.5, IOR=1.4)  # fmt: skip
    shader.subsurface_method = "RANDOM_WALK"
    nodes.link(colour, shader.inputs["Base Color"])
    rest = nodes.rest()
    fine, pores = nodes.noise(rest, 9.0, 3.0), nodes.add("ShaderNodeTexVoronoi")
    pores.inputs["Scale"].default_value = 13.0
    nodes.link(rest, pores.inputs["Vector"])
    rough = nodes.maths("SUBTRACT", spec["roughness"], nodes.maths("MULTIPLY", gloss, spec["roughness"] - 0.30))
    rough = nodes.maths("ADD", rough, nodes.maths("MULTIPLY", nodes.maths("SUBTRACT", fine, 0.5), 0.25))
    nodes.link(rough, shader.inputs["Roughness"])
    normal = nodes.bumped(pores.outputs["Distance"], 0.012 * spec["pores"])
    normal = nodes.bumped(fine, 0.010 * spec["pores"], normal=normal)
    nodes.link(nodes.bumped(nodes.noise(rest, 2.2), 0.03, normal=normal), shader.inputs["Normal"])


def eye(nodes: Nodes, spec: dict[str, Any]) -> None:
    at = _painted(nodes, spec)
    shader = _principled(nodes, Roughness=0.35, Coat_Weight=1.0, Coat_Roughness=0.02, Coat_IOR=1.376,
                         Subsurface_Weight=0.25, Subsurface_Scale=0.15, Specular_IOR_Level=0.3)  # fmt: skip
    nodes.link(nodes.image(spec["colour"], at, data=False).outputs[0], shader.inputs["Base Color"])


def hair(nodes: Nodes, spec: dict[str, Any]) -> None:
    shader = nodes.add("ShaderNodeBsdfHairPrincipled", model="CHIANG")
    shader.parametrization = "COLOR" if "colour" in spec else "MELANIN"
    if "colour" in spec:
        shader.inputs["Color"].default_value = (*spec["colour"], 1)
    else:
        shader.inputs["Melanin"].default_value = spec["melanin"]
        shader.inputs["Melanin Redness"].default_value = spec["redness"]
    shader.inputs["Roughness"].default_value = spec.get("roughness", 0.32)
    shader.inputs["Radial Roughness"].default_value = spec.get("radial", 0.4)
    shader.inputs["Random Color"].default_value = 0.25
    shader.inputs["Random Roughness"].default_value = 0.2
    shader.inputs["Coat"].default_value = spec.get("coat", 0.0)
    nodes.link(shader.outputs[0], nodes.out.inputs[0])


def cloth(nodes: Nodes, spec: dict[str, Any]) -> None:
    shader = _principled(nodes, Base_Color=(*spec["colour"], 1), Roughness=spec.get("roughness", 0.85),
                         Sheen_Weight=spec.get("sheen", 0.25), Sheen_Roughness=0.4,
                         Specular_IOR_Level=spec.get("specular", 0.3))  # fmt: skip
    rest = nodes.rest()
    weave = nodes.noise(rest, spec.get("weave", 14.0), 3.0)
    nodes.link(nodes.bumped(weave, spec.get("depth", 0.02)), shader.inputs["Normal"])
    mask = nodes.image(spec["mask"], _painted(nodes, spec), data=True)
    nodes.link(mask.outputs[0], shader.inputs["Alpha"])


def dark(nodes: Nodes, spec: dict[str, Any]) -> None:
    _principled(nodes, Base_Color=(*spec["colour"], 1), Roughness=0.7, Specular_IOR_Level=0.1)


MATERIALS = {"dark": dark, "skin": skin, "eye": eye, "hair": hair, "cloth": cloth}


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.job = json.loads((folder / "job.json").read_text())
        self.arrays = np.load(folder / "arrays.npz", allow_pickle=False)
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.objects: dict[str, Any] = {}

    def build(self) -> None:
        self._settings()
        for name, spec in self.job["materials"].items():
            for key in ("colour", "gloss", "mask"):
                if isinstance(spec.get(key), str):
                    spec[key] = str(self.folder / spec[key])
            nodes = Nodes(name)
            MATERIALS[spec["kind"]](nodes, spec)
        for name, spec in self.job["objects"].items():
            made = self._mesh(name, spec) if spec["kind"] == "mesh" else self._strands(name, spec)
            made.data.materials.append(bpy.data.materials[spec["material"]])
            self.objects[name] = made
        for spec in self.job["lights"]:
            self._light(spec)

    def _settings(self) -> None:
        scene, job = self.scene, self.job
        scene.render.engine = "CYCLES"
        scene.cycles.device = "CPU"
        scene.cycles.use_denoising = True
        scene.cycles.denoising_prefilter = "ACCURATE"
        scene.cycles.max_bounces, scene.cycles.transparent_max_bounces = 8, 24
        scene.cycles.seed = 1
        scene.render.use_persistent_data = True
        scene.render.film_transparent = True
        scene.cycles_curves.shape = "RIBBONS"
        scene.render.image_settings.file_format = "PNG"
        scene.render.image_settings.color_mode = "RGBA"
        scene.render.image_settings.color_depth = "16"
        scene.view_settings.view_transform = job["view"]
        scene.view_settings.look = job["contrast"]
        scene.view_settings.exposure = job["exposure"]
        camera = bpy.data.cameras.new("camera")
        self.scene.camera = bpy.data.objects.new("camera", camera)
        scene.collection.objects.link(self.scene.camera)
        spec = job["camera"]
        self.scene.camera.location = (spec["x"], -spec["z"], spec["y"])
        self.scene.camera.rotation_euler = (math.pi / 2, 0, 0)
        camera.sensor_fit, camera.sensor_width, camera.lens = "HORIZONTAL", 36.0, 36.0 * spec["away"] / spec["wide"]
        # The lens is shifted, so that lines stay upright whatever the picture holds.
        camera.shift_x, camera.shift_y = spec["shift"]
        scene.render.resolution_x, scene.render.resolution_y = spec["size"]
        world = bpy.data.worlds.new("world")
        scene.world = world
        world.use_nodes = True
        world.node_tree.nodes["Background"].inputs[0].default_value = (*job["sky"], 1)

    def _mesh(self, name: str, spec: dict[str, Any]) -> Any:
        points, faces = self.arrays[spec["points"]], self.arrays[spec["faces"]]
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(_axes(points).tolist(), [], [[int(i) for i in face if i >= 0] for face in faces])
        mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
        rest = mesh.attributes.new("rest", "FLOAT_VECTOR", "POINT")
        rest.data.foreach_set("vector", np.ascontiguousarray(self.arrays[spec.get("rest", spec["points"])]).ravel())
        made = bpy.data.objects.new(name, mesh)
        self.scene.collection.objects.link(made)
        if spec.get("levels"):
            smooth = made.modifiers.new("smooth", "SUBSURF")
            smooth.levels = smooth.render_levels = spec["levels"]
        return made

    def _strands(self, name: str, spec: dict[str, Any]) -> Any:
        curves = bpy.data.hair_curves.new(name)
        made = bpy.data.objects.new(name, curves)
        self.scene.collection.objects.link(made)
        self._fill(curves, spec["points"], spec["radius"])
        return made

    def _fill(self, curves: Any, points: str, radius: str) -> None:
        strands = self.arrays[points]
        if len(curves.curves):
            curves.remove_curves()
        curves.add_curves([strands.shape[1]] * strands.shape[0])
        curves.points.foreach_set("position", np.ascontiguousarray(_axes(strands), np.float32).ravel())
        curves.points.foreach_set("radius", np.ascontiguousarray(self.arrays[radius], np.float32).ravel())

    def _light(self, spec: dict[str, Any]) -> None:
        light = bpy.data.lights.new("light", "AREA")
        light.energy, light.shape, light.size, light.size_y = (
            spec["energy"],
            "RECTANGLE",
            spec["size"][0],
            spec["size"][1],
        )
        light.color = spec["colour"]
        made = bpy.data.objects.new("light", light)
        self.scene.collection.objects.link(made)
        place, aim = (mathutils.Vector(_axes(np.array(spec[key], float)).tolist()) for key in ("at", "aim"))
        made.location = place
        made.rotation_euler = (aim - place).to_track_quat("-Z", "Y").to_euler()

    def draw(self, spec: dict[str, Any], target: Path) -> None:
        """One pass: `show` is seen, `hold` cuts out, `shade` only throws shadows and light, the rest is away."""
        for name, made in self.objects.items():
            seen, hold, shade = (name in spec.get(key, ()) for key in ("show", "hold", "shade"))
            made.hide_render = not (seen or hold or shade)
            made.is_holdout = hold
            made.visible_camera = seen or hold
        for name, key in spec.get("shapes", {}).items():
            made = self.objects[name]
            if self.job["objects"][name]["kind"] == "mesh":
                points = np.ascontiguousarray(_axes(self.arrays[key]), np.float32)
                made.data.vertices.foreach_set("co", points.ravel())
                made.data.update()
            else:
                self._fill(made.data, key, self.job["objects"][name]["radius"])
                made.data.update_tag()
        render = self.scene.render
        render.resolution_percentage = round(100 * spec.get("scale", 1.0))
        self.scene.cycles.samples = spec.get("samples", 64)
        render.use_border = render.use_crop_to_border = "crop" in spec
        if "crop" in spec:
            left, top, right, bottom = spec["crop"]
            width, height = self.job["camera"]["size"]
            render.border_min_x, render.border_max_x = left / width, right / width
            render.border_min_y, render.border_max_y = 1 - bottom / height, 1 - top / height
        render.filepath = str(target)
        bpy.ops.render.render(write_still=True)


def main(folder: Path) -> None:
    scene = Scene(folder)
    scene.build()
    for name, spec in scene.job["passes"].items():
        scene.draw(spec, folder / "drawn" / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
