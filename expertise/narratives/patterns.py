"""Identifiers with a form of their own: dates, ages, numbers and addresses, as patterns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from expertise.narratives.known import known

Found = tuple[int, int, str]

MONTH = (
    r"(?:januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december"
    r"|jan|feb|febr|mrt|apr|jun|jul|aug|sept|sep|okt|nov|dec)\b\.?"
)
LONG_MONTH = (
    r"(?:januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december)\b"
)
DAY = r"(?:maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag)"
SEASON = r"(?:lente|zomer|herfst|winter|voorjaar|najaar|zomervakantie|kerstvakantie)"
YEAR = r"(?:(?:19|20)\d\d|['’‘´`]\d\d)(?![\d%])"
PART = r"(?:begin|eind|einde|half|halverwege|medio|midden)"
LATEST = r"(?:afgelopen|vorige?|verleden|laatste|komende|aanstaande)"
UNITS = "een twee drie vier vijf zes zeven acht negen".split()
TEENS = "tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien".split()
TENS = "twintig dertig veertig vijftig zestig zeventig tachtig negentig".split()
_ORDINALS = (
    "eerste tweede derde vierde vijfde zesde zevende achtste negende tiende elfde twaalfde dertiende "
    "veertiende vijftiende zestiende zeventiende achttiende negentiende"
).split()


def _count_words() -> list[str]:
    """Return one to ninety-nine in words, the longest first."""
    compound = [
        unit + ("ën" if unit.endswith("e") else "en") + ten for ten in TENS for unit in UNITS
    ]
    return sorted([*UNITS, *TEENS, *TENS, *compound], key=len, reverse=True)


COUNT_WORD = "(?:" + "|".join(_count_words()) + ")"
ORDINAL_WORD = (
    "(?:"
    + "|".join(
        sorted([*_ORDINALS, *(word + "ste" for word in _count_words() if word not in _ORDINALS)],
               key=len, reverse=True)
    )
    + ")"
)  # fmt: skip
DAY_NUMBER = rf"(?:[1-9]|[0-3]\d)(?:e|de|ste)?\b|{ORDINAL_WORD}\b|{COUNT_WORD}\b"
_AGE_WORD = "(?:" + "|".join(word for word in _count_words() if word != "een") + ")"
AGE = rf"(?:1[01]\d|[1-9]\d|\d)(?![\d.,:]?\d)|{_AGE_WORD}\b"
_AGE_ORDINAL = r"(?!(?:eerste|tweede|derde)\b)" + ORDINAL_WORD
_YEAR_WORD = (
    rf"(?:tweeduizend(?:en)?(?:{COUNT_WORD})?|negentien(?:honderd)?(?:en)?"
    rf"(?:{'|'.join(word for word in _count_words() if len(word) > 7)}))"
)
_YEARS = r"(?:jaar|jaor|joar|jier)"
# What may follow a number that tells an age and nothing else.
_AGE_ENDS = (
    rf"(?=(?:\s+{_YEARS})?(?:\s*(?:[,.;:!?)\n\"'”’–-]|$)|\s+(?:oud|jong|geworden|en|maar|toen|nu|als|dus|was|ben"
    r"|is|werd|dan|want|inmiddels|lentes|ik|hij|zij|ze)\b))"
)
_PERSON = (
    r"(?:zoon|zoontje|dochter|dochtertje|meisje|jongen|jongetje|man|vrouw|kind|kleinkind|kleinzoon"
    r"|kleindochter|broer|broertje|zus|zusje|moeder|vader|nichtje|neefje|vriend|vriendin|puber|tiener"
    r"|kerel|patiënt|patiënte|cliënt|cliënte|dame|heer|weduwe|weduwnaar|oudste|jongste|tweeling|jochie)"
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern whose group `it` is an identifier of one kind."""

    kind: str
    regex: re.Pattern[str]


def _p(kind: str, regex: str, flags: int = re.IGNORECASE) -> Pattern:
    return Pattern(kind, re.compile(regex, flags))


@cache
def patterns() -> tuple[Pattern, ...]:
    """Return the patterns; the kinds are those of `Deidentified.spans`."""
    return (*_dates(), *_ages(), *_numbers())


def _dates() -> Iterator[Pattern]:
    feast = "|".join(sorted(map(re.escape, known().holidays), key=len, reverse=True))
    feast = rf"(?:(?:eerste|tweede|1e|2e)\s+)?(?:{feast}|carnavals{DAY})\b"
    numbers = r"(?:0?[1-9]|[12]\d|3[01])"
    yield _p("date", rf"(?<![\d.,/-])(?P<it>{numbers}(?P<s>[-/.])(?:0?[1-9]|1[0-2])(?P=s)(?:19|20)?\d\d)(?![\d/-])")
    yield _p("date", r"(?<![\d-])(?P<it>(?:19|20)\d\d[-/](?:0?[1-9]|1[0-2])[-/](?:0?[1-9]|[12]\d|3[01]))(?!\d)")
    yield _p(
        "date",
        rf"(?<!\w)(?P<it>(?:{DAY}\s+)?(?:de\s+)?(?:(?:{DAY_NUMBER})\s*(?:[-–/]|t/m|tot en met|op|en|tot)\s*)?"
        rf"(?:{DAY_NUMBER})\s+(?:van\s+de\s+elfde|{MONTH}(?:\s*(?:{YEAR}|jl\.?))?))",
    )
    yield _p(
        "date",
        rf"(?<!\w)(?P<it>(?:{PART}\s+)?(?:{LATEST}\s+)?{LONG_MONTH}(?:\s+(?:van\s+)?(?:{YEAR}|jl\.))?)(?!\w)",
    )
    yield _p("date", rf"(?<!\w)(?P<it>{MONTH}\s+{YEAR})")
    yield _p("date", rf"(?<!\w)(?P<it>(?:de\s+|het\s+)?{SEASON}\s+(?:van\s+)?{YEAR}(?:[-/]\d\d(?:\d\d)?)?)")
    yield _p("date", rf"(?<!\w)(?P<it>{LATEST}\s+(?:{SEASON}|{DAY}|{feast}))(?!\w)")
    yield _p(
        "date",
        rf"(?<!\w)(?P<it>(?:eerste|tweede|derde|vierde|laatste)\s+"
        rf"(?:halfjaar|kwartaal|helft|half\s+jaar|week|maand)\s+van\s+{YEAR})",
    )
    yield _p("date", rf"(?<!\w)(?P<it>{feast}(?:\s+(?:van\s+)?{YEAR})?)(?!\w)")
    # Twelve numbers before a year: "in 2019", but not "2000 euro" or a telephone number.
    yield _p(
        "date",
        rf"(?<![\d\w.,€/+-])(?P<it>(?:{PART}\s+)?(?:19[2-9]\d|20[0-3]\d))(?![\d%]|[.,/:-]\d|\s?-\s?\d{{3}})"
        r"(?!\s*(?:euro|gram|mg|ml|meter|km|kilo|keer|woorden|mensen|stappen|uur|stuks|inwoners|cal|kcal"
        r"|(?-i:[A-Z]{2}\b)))",
    )
    yield _p("date", r"(?<=[\s(])(?P<it>['’‘´`]\d\d)(?!\w|['’])")
    yield _p("date", rf"(?<!\w)(?P<it>(?:{PART}\s+)?(?:de\s+)?jaren\s+(?:['’‘]?\d0|(?:19|20)\d0|{'|'.join(TENS)}))(?!\w)")
    yield _p("date", rf"(?<!\w)(?P<it>{_YEAR_WORD})(?!\w)")
    # "op de 23ste", "de negende": a day of a month that was named before.
    yield _p(
        "date",
        rf"\b(?:op|sinds|vanaf|tot|voor|na|rond)\s+de\s+(?P<it>(?:[12]?\d|3[01])(?:e|de|ste)|{ORDINAL_WORD})"
        r"(?=\s*(?:[,.;:!?)\n]|$)|\s+(?:was|werd|kwam|ging|belde|om|hebben|heb|had|zat|zijn|en|moest|mocht|is|stond|zou|reed)\b)",
    )
    yield _p("date", r"\bde\s+(?P<it>(?:[12]?\d|3[01])(?:ste|de|e))(?=\s*[,.;)])")
    yield _p("date", rf"\b(?:nacht|dag|avond|ochtend|middag|morgen)\s+van\s+de\s+(?P<it>{ORDINAL_WORD})(?=\s*[,.;)])")


def _ages() -> Iterator[Pattern]:
    be = r"(?:ben|bent|is|was|waren|zijn|werd|word|wordt|worden)"
    someone = (
        rf"(?:ik|hij|zij|ze|u|jij|je|wie|die|ie|wij|we|{_PERSON}"
        r"|(?-i:(?!Het|Dat|Dit|Er|De|Dan|Toen|Nu|Wat|Daar|Hier)[A-ZÀ-Ý][\w-]+))"
    )
    adverb = (
        r"(?:nu|toen|pas|net|al|bijna|ruim|dus|ook|inmiddels|zelf|nog|maar|toch|eindelijk|vandaag|gisteren"
        r"|straks|dan|zowat|amper|ongeveer|intussen|destijds|er)"
    )
    possessive = r"(?:mijn|m['’]?n|zijn|z['’]?n|haar|d['’]?r|hun|jouw|je|uw)"
    ordinal = rf"\d{{1,2}}(?:e|de|ste)\b|{_AGE_ORDINAL}\b"
    yield _p("age", rf"\b{someone}\s+{be}(?:\s+{adverb}){{0,3}}\s+(?P<it>{AGE}){_AGE_ENDS}")
    yield _p("age", rf"\b{be}\s+{someone}(?:\s+{adverb}){{0,3}}\s+(?P<it>{AGE}){_AGE_ENDS}")
    yield _p("age", rf"\b{someone}\s+(?:{adverb}\s+)?(?P<it>{AGE})\s+(?:{_YEARS}\s+)?(?:was|werd|ben|is|word|wordt|bent)\b")
    yield _p("age", rf"(?<![\w.,-])(?P<it>{AGE})\s+(?:was|ben|is|werd|word|wordt)\s+(?:ik|hij|zij|ze|ie|je|u)\b")
    yield _p("age", rf"(?<![\w.,-])(?P<it>{AGE})(?:[\s-]?jarige?n?\b|\s+{_YEARS}\s+(?:oud|jong)\b|\s+lentes\b|\s+jr\b)")
    yield _p("age", rf"(?<![\w.,-])(?P<it>{_AGE_WORD})jarige?\b")
    yield _p("age", rf"(?:[,(]|\b(?:van|als|nu|met|toen|destijds|inmiddels|intussen))\s*(?P<it>{AGE})\s+{_YEARS}(?=\s*[,.;)])")
    yield _p("age", rf"(?-i:[A-ZÀ-Ý][\w-]+)\s*[,(]?\s*(?P<it>{AGE})\s+{_YEARS}(?=\s*[,.;)])")
    yield _p("age", rf"\b{_PERSON}(?:\s+\w+)?\s*(?:\(|,\s+|\s+van\s+)(?:{adverb}\s+)?(?P<it>{AGE})(?=\s*[,.;:)!?\n]|\s+{_YEARS}\b|\s+(?:en|die|met|was|had|of|kwam|in|uit|op|zat)\b)")
    yield _p("age", rf"\bvan\s+(?P<it>{AGE})\s+en\s+(?:van\s+)?(?:{AGE})\s*(?:{_YEARS}\b|[.,;)])")
    yield _p("age", rf"\bvan\s+(?:{AGE})\s+en\s+(?:van\s+)?(?P<it>{AGE})\s*(?:{_YEARS}\b|[.,;)])")
    yield _p(
        "age",
        rf"\b{possessive}\s+(?P<it>{ordinal})(?=\s*(?:[,.;:!?)\n]|$)|\s+(?!(?:keer|opname|week|dag|maand|man"
        r"|vrouw|kind|baan|poging|huis|gesprek|afspraak|behandeling|psychose|depressie|relatie|huwelijk|kans|jaar|zoon"
        r"|dochter|reactie|kop|gedachte|werk|klas|plek|stap|begeleider|medicijn|instelling|woning|liefde|kleinkind|zus"
        r"|broer|sessie|contact|bezoek|brief|boek|keus|keuze|psychiater|therapeut)\b)\w)",
    )
    yield _p("age", rf"\b{possessive}\s+(?P<it>{ordinal})\s+(?:verjaardag|levensjaar)")
    yield _p("age", rf"\bleeftijd(?:\s+van)?[:\s]+(?P<it>{AGE})")
    yield _p("age", r"[A-ZÀ-Ý][\w-]+\s*[(,]\s*(?P<it>[1-9]\d)(?=\s*[),.])", 0)
    yield _p("age", r"\bik\s+ben\s+(?:\w+\s+){0,3}\w+,\s+(?P<it>[1-9]\d)(?=\s*[,.])")
    # A number that is a whole sentence, as in "Chantal. 36."
    yield _p("age", r"(?:[.!?]\s|\n)(?P<it>[1-9]\d)(?=\.(?:\s|$))")
    yield _p("age", rf"\b(?:begin|eind|midden|achter\s+in\s+de|in\s+de|ver\s+in\s+de|halverwege\s+de)\s+(?P<it>{'|'.join(TENS)})(?=\s*[,.;)]|\s+(?:en|was|ben|is|met|die)\b)")
    small = rf"(?:{_AGE_WORD}|\d{{1,2}})\s+(?:maanden?|weken|dagen)"
    yield _p("age", rf"(?<!\w)(?P<it>{small})\s+oud\b")
    yield _p("age", rf"(?-i:[A-ZÀ-Ý][\w-]+),\s+(?P<it>{small})(?=[.,;])")


def _numbers() -> Iterator[Pattern]:
    yield _p("email", r"(?P<it>[\w.+%-]+@[\w-]+(?:\.[\w-]+)+)")
    yield _p("url", r"(?P<it>(?:https?://|www\.)[^\s<>\"'”’)]+[\w/])")
    yield _p("url", r"(?<![\w@.])(?P<it>(?:[a-z0-9-]+\.)+(?:nl|com|org|net|eu|be|info|example)(?:/[^\s<>\"'”’)]*)?)(?!\w)")
    yield _p("url", r"(?<![\w.])(?P<it>@[A-Za-z0-9_](?:[\w.]*\w)?)")
    yield _p("iban", r"\b(?P<it>[A-Z]{2}\d{2}\s?(?:[A-Z]{4}|\d{4})(?:\s?\d{2,4}){2,5})\b")
    yield _p(
        "phone",
        r"(?<![\w+])(?P<it>(?:\+|00)(?:31|32|49)[\s-]?(?:\(0\)[\s-]?)?\d(?:[\s.-]?\d){7,9}"
        r"|\(0\d{1,3}\)[\s-]?\d(?:[\s.-]?\d){5,8}|0\d(?:\s?[-–.]\s?|\s)?\d(?:[\s.-]?\d){7})(?![\d-])",
    )
    yield _p("bsn", r"\b(?:bsn|burgerservicenummer|sofinummer)\b\W{0,3}(?:is\s+|nummer\s+)?(?P<it>\d(?:[ .]?\d){7,8})(?!\d)")
    yield _p(
        "number",
        r"\b(?:cliënt|client|patiënt|patient|dossier|polis|zaak|registratie|big|klant|order|kamer|rekening"
        r"|lidmaatschaps|personeels|referentie|kenmerk|parket|meld)-?(?:nummer|nr\.?|code)\b"
        r"[\s:]*(?:is\s+|was\s+)?(?P<it>[A-Za-z]{0,4}[\s-]?\d[\w./-]*(?:\s\d+)*)",
    )
    yield _p("number", r"\b(?P<it>(?:[A-Z]{1,3}-\d{1,3}-[A-Z]{1,3}|\d{1,2}-[A-Z]{2,3}-\d{1,2}|[A-Z]{2}-[A-Z]{2}-\d{2}|\d{2}-\d{2}-[A-Z]{2}))\b", 0)
    yield _p("number", r"(?<![\w€.,+-])(?P<it>[a-z]?\d{7,})(?![\w.,]\d)")
    yield _p("postcode", r"(?<![\w-])(?P<it>[1-9]\d{3}\s?(?!SA|SD|SS)[A-Z]{2})(?!\w)", 0)
    yield _p("postcode", r"(?<![\w-])(?P<it>[1-9]\d{3}[a-z]{2})(?!\w)", 0)
    street = (
        r"(?:straat|laan|plein|gracht|kade|singel|dijk|hof|steeg|pad|plantsoen|park|dreef|hoek|markt|wal"
        r"|baan|ring|erf|akker|veld|weg|straatje|plaats|kamp|gats|burg|poort|oord|horst)"
    )
    yield _p("address", rf"(?<!\w)(?P<it>(?:\w+[\s-]){{0,2}}?[\w'-]*{street}\s+\d{{1,4}}(?:\s?[a-zA-Z]\b|-\d{{1,3}}|-?(?:hs|[IVX]+))?)(?![\d:,]?\d|\s*(?:uur|jaar|keer|dagen|minuten|euro))", 0)
    yield _p("address", r"(?<=\s)(?P<it>(?!Super|Rommel|Vlooien|Kerst|Huwelijks|Bouw)[A-ZÀ-Ý][\w'-]+"
        r"(?:straat|laan|plein|gracht|kade|singel|steeg|plantsoen|dreef|dijk|markt))(?!\w)", 0)


def find_patterns(text: str) -> list[Found]:
    """Return every identifier that has a form of its own: start, end, kind."""
    return [
        (match.start("it"), match.end("it"), pattern.kind)
        for pattern in patterns()
        for match in pattern.regex.finditer(text)
        if match.end("it") > match.start("it")
    ]
