"""Reads lme4's formula language into terms; the formula is interpreted, never run as code."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from expertise.errors import FormulaError
from expertise.mixed.nodes import Call, Name, Node, Number, Operation, Term, columns_of
from expertise.mixed.parser import Parser, RawBar

_MOST_TERMS = 1_000


@dataclass(frozen=True, slots=True)
class Bar:
    """A random-effects term: coefficients that vary, by the columns of one grouping."""

    terms: tuple[Term, ...]
    group: tuple[str, ...]

    @property
    def label(self) -> str:
        """The grouping as written, `a:b` for a combination."""
        return ":".join(self.group)

    def __str__(self) -> str:
        return f"({written(self.terms)} | {self.label})"


@dataclass(frozen=True, slots=True)
class Formula:
    """An outcome, the fixed terms in the formula's order (`()` is the intercept), random terms."""

    text: str
    outcome: Node | None
    terms: tuple[Term, ...]
    random: tuple[Bar, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the formula names, each once, in order of appearance."""
        nodes = [self.outcome] if self.outcome else []
        nodes += [node for term in self.terms for node in term]
        for bar in self.random:
            nodes += [node for term in bar.terms for node in term]
            nodes += [Name(column) for column in bar.group]
        return tuple(dict.fromkeys(name for node in nodes for name in columns_of(node)))


def parse_formula(text: str) -> Formula:
    """Read a formula such as ``score ~ wave * arm + (wave | person) + (1 | team)``.

    Allowed are columns (any name in backquotes), the operators
    ``+ - * / : ^ **``, the functions C, I, poly, bs and log, and random terms
    ``(1 | g)``, ``(x | g)``, ``(x || g)``, ``(0 + x | g)``, ``(1 | a/b)`` and
    ``(1 | a:b)``. ``(x || g)`` is split into one uncorrelated term for each
    part; as in lme4 the levels of a *factor* in it stay correlated.

    Raises
    ------
    FormulaError
        For anything else; nothing in a formula is ever run.

    Examples
    --------
    >>> formula = parse_formula("score ~ wave * arm + (1 + wave || team/person)")
    >>> [":".join(map(str, term)) or "1" for term in formula.terms]
    ['1', 'wave', 'arm', 'wave:arm']
    >>> print(*formula.random)
    (1 | team) (0 + wave | team) (1 | team:person) (0 + wave | team:person)
    """
    if not isinstance(text, str):
        raise FormulaError(f"a formula is text, not {type(text).__name__}")
    return _read(text)


@lru_cache(maxsize=128)
def _read(text: str) -> Formula:
    left, right, bars = Parser(text).formula()
    terms = _model_terms(right, text)
    random = tuple(bar for raw in bars for bar in _split(raw, text))
    if len(set(random)) < len(random):
        twice = next(bar for bar in random if random.count(bar) > 1)
        raise FormulaError(f"the random term {twice} stands twice in {text!r}; leave one out")
    return Formula(text, left, terms, random)


def written(terms: Iterable[Term]) -> str:
    """Write terms as the right side of a formula."""
    every = tuple(terms)
    parts = [":".join(map(str, term)) or "1" for term in every]
    return " + ".join(parts if () in every else ["0", *parts])


def _model_terms(node: Node, text: str) -> tuple[Term, ...]:
    """Expand a right side into terms by degree, as R does; 0 or -1 leaves out the intercept.

    Within a term variables stand in the order in which the formula first names them.
    """
    terms = _expand(node, text)
    place = {atom: at for at, atom in enumerate(dict.fromkeys(a for term in terms for a in term))}
    ordered = (tuple(sorted(term, key=place.__getitem__)) for term in terms)
    return tuple(sorted(ordered, key=len))


def _expand(node: Node, text: str) -> list[Term]:
    match node:
        case Number(0 | 1 as constant):
            return [()] * int(constant)
        case Name() | Call():
            return [(node,)]
        case Operation("+" | "-" as sign, left, Number(0)):  # "+ 0" removes, "- 0" restores
            kept = [term for term in _expand(left, text) if term]
            return kept if sign == "+" else [(), *kept]
        case Operation("+", left, right):
            terms = _expand(left, text) + _expand(right, text)
        case Operation("-", left, right):
            gone = {frozenset(term) for term in _expand(right, text)}
            terms = [term for term in _expand(left, text) if frozenset(term) not in gone]
        case Operation(":", left, right):
            terms = _crossed(_expand(left, text), _expand(right, text))
        case Operation("*", left, right):
            first, second = _expand(left, text), _expand(right, text)
            terms = first + second + _crossed(first, second)
        case Operation("/", left, right):
            first = _expand(left, text)
            every: Term = tuple(dict.fromkeys(atom for term in first for atom in term))
            terms = first + _crossed([every], _expand(right, text))
        case Operation("**", left, Number(power)) if power in range(1, 11):
            first = terms = _expand(left, text)
            for _ in range(int(power) - 1):
                terms = _unique(terms + _crossed(terms, first), text)
        case _:
            raise FormulaError(f"{node} cannot be a term of {text!r}; wrap arithmetic in I( )")
    return _unique(terms, text)


def _crossed(first: list[Term], second: list[Term]) -> list[Term]:
    return [tuple(dict.fromkeys(a + b)) for a in first for b in second]


def _unique(terms: list[Term], text: str) -> list[Term]:
    first: dict[frozenset[Node], Term] = {}
    for term in terms:
        first.setdefault(frozenset(term), term)
    out = list(first.values())
    if len(out) > _MOST_TERMS:
        raise FormulaError(f"the formula {text[:60]!r} has more than {_MOST_TERMS} terms")
    return out


def _split(raw: RawBar, text: str) -> Iterator[Bar]:
    """Give one Bar per grouping, and per part where `||` asks for no correlation."""
    terms = _model_terms(raw.terms, text)
    if not terms:
        raise FormulaError(f"a random term of {text!r} has no coefficient; write (1 | group)")
    for group in _expand(raw.group, text):
        if not group or not all(isinstance(node, Name) for node in group):
            raise FormulaError(f"a random term of {text!r} is not grouped by columns alone")
        columns = tuple(node.column for node in group if isinstance(node, Name))
        for part in [(term,) for term in terms] if raw.double else [terms]:
            yield Bar(part, columns)
