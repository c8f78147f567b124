"""The parts that every small study.toml of the tests shares."""

ROLES = {
    "patient": ("patiënt", "patiënten", "patient", "patients"),
    "naaste": ("naaste", "naasten", "relative", "relatives"),
    "professional": ("professional", "professionals", "professional", "professionals"),
}
WAVE = '\n[[waves]]\nid = "{id}"\nmonths = {months}\nnl = "na {months} maanden"\nen = "after {months} months"\n'


def head(title, *roles, waves=(("m0", 0),), more=""):
    """Return the start of a study.toml: title, further keys, perspectives by slot, waves."""
    text = f'schema = 1\ntitle = "{title}"\nquestion = "?"\nasked_by = "?"\n{more}'
    for slot, (role, (one, many, en, plural)) in enumerate(ROLES.items(), 1):
        if role in roles:
            text += (
                f"\n[perspectives.{role}]\nslot = {slot}\n"
                f'nl = {{ label = "{one}", plural = "{many}" }}\n'
                f'en = {{ label = "{en}", plural = "{plural}" }}\n'
            )
    return text + "".join(WAVE.format(id=name, months=months) for name, months in waves)
