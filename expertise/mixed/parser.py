"""Reads the text of a formula by recursive descent; nothing in it is ever run."""

import re
from dataclasses import dataclass

from expertise.errors import FormulaError, listed
from expertise.mixed.nodes import Call, Name, Node, Number, Operation, Text

FUNCTIONS = ("C", "I", "poly", "bs", "log")
_MOST_CHARACTERS, _MOST_DEPTH = 5_000, 40
_NOTHING = Number(0)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[^\W\d](?:[\w.]*\w)?)
      | (?P<quoted>`[^`]+`)
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<mark>\*\*|\|\||[-+*/:^|(),=~])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class RawBar:
    """A random term as read, before its parts are spread out."""

    terms: Node
    group: Node
    double: bool


class Parser:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.depth = text, 0, 0
        if len(text) > _MOST_CHARACTERS:
            raise FormulaError(
                f"a formula of {len(text)} characters; at most {_MOST_CHARACTERS} are read"
            )
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise FormulaError(
                    f"{text[at]!r} at position {at + 1} of the formula {text!r} is not allowed; "
                    "a formula holds columns, operators and C, I, poly, bs or log, "
                    "other column names go in backquotes"
                )
            if match.lastgroup != "space":
                self.tokens.append((str(match.lastgroup), match.group()))
            at = match.end()

    def formula(self) -> tuple[Node | None, Node, list[RawBar]]:
        """Return the outcome, the fixed part from its intercept on, and the random terms."""
        left = None if self._peek == "~" else self._sum()
        self._expect("~")
        bars: list[RawBar] = []
        right: Node = Number(1)
        sign = self._take() if self._peek in ("+", "-") else "+"
        while True:
            bar = self._bar()
            if bar is None:
                right = Operation(sign, right, self._product())
            elif sign == "-":
                self._fail("a random term cannot be subtracted")
            else:
                bars.append(bar)
            if self._peek is None:
                return left, right, bars
            sign = self._take()
            if sign not in ("+", "-"):
                self._fail(f"{sign!r} is not expected there")

    def _bar(self) -> RawBar | None:
        """Read a random term, or step back where the parenthesis holds something else."""
        start = self.place
        if self._peek != "(":
            return None
        self._take()
        terms = self._sum(Number(1))
        if self._peek not in ("|", "||"):
            self.place = start
            return None
        double = self._take() == "||"
        group = self._sum()
        self._expect(")")
        return RawBar(terms, group, double)

    def _sum(self, start: Number = _NOTHING) -> Node:
        """Read parts joined by + and -; a model's sum starts from its intercept, 1."""
        sign = self._take() if self._peek in ("+", "-") else "+"
        node = self._product()
        if sign == "-" or start.value:
            node = Operation(sign, start, node)
        while self._peek in ("+", "-"):
            node = Operation(self._take(), node, self._product())
        return node

    def _product(self) -> Node:
        node = self._interaction()
        while self._peek in ("*", "/"):
            node = Operation(self._take(), node, self._interaction())
        return node

    def _interaction(self) -> Node:
        node = self._power()
        while self._peek == ":":
            node = Operation(self._take(), node, self._power())
        return node

    def _power(self) -> Node:
        node = self._atom()
        if self._peek in ("^", "**"):
            self._take()
            negative = self._peek == "-" and bool(self._take())
            exponent = self._atom()
            return Operation(
                "**", node, Operation("-", Number(0), exponent) if negative else exponent
            )
        return node

    def _atom(self) -> Node:
        kind, token = self._token()
        match kind:
            case "number":
                return Number(float(token))
            case "quoted":
                return Name(token[1:-1])
            case "text":
                return Text(token[1:-1])
            case "name" if self._peek == "(":
                return self._call(token)
            case "name":
                return Name(token)
        if token != "(":
            self._fail(f"{token!r} is not expected there")
        self._deeper()
        node = self._sum()
        self._expect(")")
        self.depth -= 1
        return node

    def _call(self, function: str) -> Call:
        if function not in FUNCTIONS:
            self._fail(f"the function {function!r} is not allowed, only {listed(FUNCTIONS)} are")
        self._expect("(")
        self._deeper()
        arguments: list[Node] = []
        options: list[tuple[str, Node]] = []
        while self._peek != ")":
            after = self.tokens[self.place + 1 : self.place + 2]
            if after == [("mark", "=")]:
                name = self._take()
                self._take()
                options.append((name, self._sum()))
            else:
                arguments.append(self._sum())
            if self._peek != ")":
                self._expect(",")
        self._take()
        self.depth -= 1
        return Call(function, tuple(arguments), tuple(options))

    @property
    def _peek(self) -> str | None:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else None

    def _token(self) -> tuple[str, str]:
        if self.place >= len(self.tokens):
            self._fail("it ends too early")
        self.place += 1
        return self.tokens[self.place - 1]

    def _take(self) -> str:
        return self._token()[1]

    def _expect(self, mark: str) -> None:
        found = self._peek
        if found != mark:
            self._fail(f"{mark!r} is expected where {found or 'the end'!r} stands")
        self.place += 1

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            self._fail(f"parentheses go deeper than {_MOST_DEPTH}")

    def _fail(self, why: str) -> None:
        raise FormulaError(f"the formula {self.text!r} cannot be read: {why}")
