"""The formula language: what it says, and that nothing in it is ever run."""

import pytest

from expertise.errors import FormulaError
from expertise.mixed.formula import parse_formula, written


@pytest.mark.parametrize(
    ("formula", "fixed", "random"),
    [
        ("y ~ 1 + x + (1 | g)", "1 + x", ["(1 | g)"]),
        ("y ~ x * z - 1 + (x | g)", "0 + x + z + x:z", ["(1 + x | g)"]),
        ("y ~ x + (0 + x | g) + (x - 1 | h)", "1 + x", ["(0 + x | g)", "(0 + x | h)"]),
        ("y ~ x + (x || g)", "1 + x", ["(1 | g)", "(0 + x | g)"]),
        ("y ~ 1 + (1 | a/b)", "1", ["(1 | a)", "(1 | a:b)"]),
        ("y ~ 1 + (1 | a:b)", "1", ["(1 | a:b)"]),
        ("y ~ (a + b + c)^2", "1 + a + b + c + a:b + a:c + b:c", []),
        ("y ~ a / b", "1 + a + a:b", []),
        ("y ~ a * b - a:b", "1 + a + b", []),
        ("log(y) ~ I(x ** 2 + 1) + poly(x, 2) + bs(t, df=4)",
         "1 + I((x ** 2) + 1) + poly(x, 2) + bs(t, df=4)", []),
        ('y ~ C(k, ref="b") + bdi.pre + `a b`', '1 + C(k, ref="b") + bdi.pre + a b', []),
        ("~ perspective", "1 + perspective", []),
        ("uitkomst ~ beïnvloed", "1 + beïnvloed", []),
    ],
)  # fmt: skip
def test_terms(formula, fixed, random):
    parsed = parse_formula(formula)
    assert written(parsed.terms) == fixed
    assert [str(bar) for bar in parsed.random] == random


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        ("y ~ __import__('os').system('id')", "'.' at position 21"),
        ("y ~ I(__import__('os'))", "the function '__import__' is not allowed, only C, I"),
        ("y ~ np.log(x)", "the function 'np.log' is not allowed"),
        ("y ~ exec('1')", "the function 'exec' is not allowed"),
        ("y ~ {x}", "'{' at position 5"),
        ("y ~ x[0]", "is not allowed"),
        ("y ~ x | g", r"'\|' is not expected there"),
        ("y ~ x - (1 | g)", "a random term cannot be subtracted"),
        ("y ~ (1 | g) + (1 | g)", "stands twice"),
        ("y ~ (0 | g)", "has no coefficient"),
        ("y ~ (1 | I(g))", "not grouped by columns alone"),
        ("y ~ x +", "it ends too early"),
        ("y ~ (x", "is expected where 'the end' stands"),
        ("x", "'~' is expected"),
        ("y ~ 3", "wrap arithmetic in I"),
        ("y ~ (a + b)^20", "wrap arithmetic in I"),
        ("y ~ " + "(" * 100, "parentheses go deeper than 40"),
        ("y ~ " + "x + " * 3000, "at most 5000 are read"),
        ("y ~ (a+b+c+d+e+f+g+h+i+j+k+l+m+n)^9", "more than 1000 terms"),
        (3, "a formula is text, not int"),
    ],
)
def test_what_is_refused(formula, sentence):
    with pytest.raises(FormulaError, match=sentence):
        parse_formula(formula)


def test_code_in_backquotes_is_a_column_name_and_no_more():
    parsed = parse_formula("y ~ `__import__('os').system('id')`")
    assert parsed.columns == ("y", "__import__('os').system('id')")
