"""Direct identifiers, known by the name of a column or by what stands in it."""

import re

_WHOSE = (
    "voor|achter|roep|tussen|volledige|first|last|full|sur|given|family|client|patient|deelnemer"
)
_HEADERS = {
    "a citizen service number (BSN)": r"\bbsn|burgerservice|\bsofi",
    "a name": rf"^({_WHOSE})? ?(naam|name|names|namen)$|^naam ({_WHOSE})$"
    "|^(initialen|voorletters)$",
    "an e-mail address": r"\be? ?mail",
    "a telephone number": r"telefoon|\btel\b|\bphone|mobiel|\bmobile\b|\bgsm\b|06 ?nummer",
    "a postcode": r"postcode|\bzip( ?code)?\b|postal",
    "an address": r"\badres|\baddress|\bstraat|\bstreet\b|huisnummer|\bhuisnr",
    "a date of birth": r"geboorte ?dat|birth ?da(te|y)|date of birth|\bdob\b|\bgebdat",
    "a bank account": r"\biban\b|rekeningnummer",
}
_KNOWN = {what: re.compile(pattern) for what, pattern in _HEADERS.items()}
_VALUES = {
    "a telephone number": r"^(?:(?:\+|00)31[ -]?(?:\(0\))?|0)"
    r"(?:6[ -]?(?:[0-9][ -]?){8}|[1-9][0-9]{1,2}[ -]?(?:[0-9][ -]?){6,7})$",
    "a postcode": r"^[1-9][0-9]{3} ?[A-Z]{2}$",
    "a bank account": r"^NL[0-9]{2} ?[A-Z]{4}(?: ?[0-9]){10}$",
}
_FOUND = {what: re.compile(pattern, re.MULTILINE) for what, pattern in _VALUES.items()}
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")
_DAY = "(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$"  # such as 20250131
_BSN = re.compile(
    rf"^[0-9]{{9}}$|^(?!{_DAY})[0-9]{{8}}$|^[0-9]{{4}}[. ][0-9]{{2}}[. ][0-9]{{3}}$", re.MULTILINE
)


def identifier(name: str, texts: tuple[str, ...]) -> str | None:
    """Return in words which direct identifier a column seems to hold, or None.

    Parameters
    ----------
    name
        The column's header.
    texts
        Its distinct values.

    Notes
    -----
    By value: one e-mail address is enough; telephone numbers, postcodes and
    bank accounts when they are half of the values; citizen service numbers
    when half of the values with eight or nine digits pass the eleven test, as
    one in eleven does by chance. Names are known by the header only.

    >>> identifier("nr", ("123456782", "111222333"))
    'a citizen service number (BSN)'
    """
    words = re.sub(r"[^a-z0-9]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()).strip()
    for what, pattern in _KNOWN.items():
        if pattern.search(words):
            return what
    joined = "\n".join(texts)
    if "@" in joined and any(map(_MAIL.fullmatch, map(str.strip, texts))):
        return "an e-mail address"
    filled = sum(map(bool, texts))
    for what, pattern in _FOUND.items():
        if (count := sum(1 for _ in pattern.finditer(joined))) and count * 2 >= filled:
            return what
    numbers = _BSN.findall(joined)
    passing = sum(map(eleven_test, numbers))
    return "a citizen service number (BSN)" if passing and passing * 2 >= len(numbers) else None


def eleven_test(text: str) -> bool:
    """Tell whether eight or nine digits could be a citizen service number.

    The sum of the digits times 9, 8, … 2 and −1 must be a multiple of eleven.

    >>> eleven_test("123456782"), eleven_test("123456789")
    (True, False)
    """
    digits = [int(digit) for digit in text if digit in "0123456789"]
    digits = [0] * (9 - len(digits)) + digits
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum(weight * digit for weight, digit in zip(weights, digits, strict=True))
    return total % 11 == 0 and any(digits)
