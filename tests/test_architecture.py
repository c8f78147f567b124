"""The house keeps its floors: imports point down, rooms stay small, heavy things have one room."""

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "expertise"
FLOORS = {
    0: {"errors", "result", "figures", "files", "words"},
    1: {"mixed", "agreement", "instruments", "narratives"},
    2: {"outcomes", "triads", "coding", "exchange", "suggestions", "themes"},
    3: {"study", "cycles"},
    4: {"privacy", "network"},
    5: {"reporting"},
    6: {"cocoding"},
    7: {"cli"},
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
ONE_ROOM = {
    "matplotlib": "figures",
    "spacy": "narratives",
    "sqlalchemy": "coding",
    "sklearn": "suggestions",
    "anywidget": "cocoding",
    "starlette": "cocoding",
    "playwright": "reporting",
}
MODULES = sorted(HOUSE.rglob("*.py"))


def dotted(path):
    name = ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


NAMES = {dotted(path) for path in MODULES}


def room(path):
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def imports(path):
    """Every module that a file names, `from expertise import x` as expertise.x."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if node.module == "expertise" or inner in NAMES else node.module


def modules():
    return [pytest.param(path, id=str(path.relative_to(HOUSE))) for path in MODULES]


@pytest.mark.parametrize("path", modules())
def test_imports_only_point_down(path):
    here = room(path)
    if here in {"__init__", "__main__"}:
        return
    assert here in FLOOR, f"{here} has no floor"
    for name in imports(path):
        if name.startswith("expertise.") and (other := name.split(".")[1]) not in {
            here,
            "__version__",
        }:
            assert FLOOR[other] < FLOOR[here] or (FLOOR[here] == 0 and _below(other, here)), (
                f"{path.name} imports {name}: imports only point down"
            )


def _below(other, here):
    order = ["errors", "words", "result", "files", "figures"]
    return order.index(other) < order.index(here)


@pytest.mark.parametrize("path", modules())
def test_heavy_dependencies_live_in_one_room(path):
    for name in imports(path):
        home = ONE_ROOM.get(name.split(".")[0])
        assert home in (None, room(path)), f"{name} belongs in {home}"


@pytest.mark.parametrize("path", modules())
def test_no_own_import_inside_a_function(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.ImportFrom):
                    assert not (inner.module or "").startswith("expertise"), node.name


@pytest.mark.parametrize("path", modules())
def test_modules_and_functions_stay_small(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            first = body[1] if ast.get_docstring(node) and len(body) > 1 else body[0]
            length = node.end_lineno - first.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


def test_no_module_has_the_name_of_what_is_in_it():
    for path in (path for path in MODULES if room(path) == "mixed"):
        body = ast.parse(path.read_text("utf-8")).body
        names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        assert path.stem not in names


def test_rooms_have_no_cycles():
    graph = {}
    for path in MODULES:
        graph[dotted(path)] = set(imports(path))
    state = {}

    def visit(name, trail):
        if state.get(name) == "done" or name not in graph:
            return
        assert name not in trail, f"cycle: {' → '.join([*trail, name])}"
        for other in graph[name]:
            visit(other, [*trail, name])
        state[name] = "done"

    for name in graph:
        visit(name, [])


def test_every_sentence_stands_in_every_language():
    import re

    from expertise.words import LANGUAGES, catalogue

    words = {lang: catalogue(lang) for lang in LANGUAGES}
    first, *others = words.values()
    for other in others:
        assert first.keys() == other.keys()
        for key in first:
            placeholders = [set(re.findall(r"{(\w+)", text)) for text in (first[key], other[key])]
            assert placeholders[0] == placeholders[1], key
