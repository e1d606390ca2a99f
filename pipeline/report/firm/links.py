"""Where a reader can look a patent up: the only thing in a report that leads out of it."""

import re

_NUMBER = re.compile(r"([A-Z]{2})((?:D|PP|RE|H|T)?)(\d{4,13})([A-Z]\d?)?")


def patent_url(patent_id: str) -> str | None:
    """Google Patents' page of a publication number, its search for one without a kind code; None for any other id.

    >>> patent_url("US-2017287765-A1"), patent_url("US07123456B2")
    ('https://patents.google.com/patent/US20170287765A1', 'https://patents.google.com/patent/US7123456B2')
    >>> patent_url("WO2006033100"), patent_url("SIM0001234")
    ('https://patents.google.com/?oq=WO2006033100', None)
    """
    match = _NUMBER.fullmatch(re.sub(r"[-\s]", "", patent_id))
    if match is None:
        return None
    office, series, digits, kind = match.groups(default="")
    if office == "US" and len(digits) == 10 and digits[:2] in ("19", "20"):
        digits = f"{digits[:4]}0{digits[4:]}"  # an application's number has seven digits after the year
    elif office == "US" and len(digits) < 10:
        digits = digits.lstrip("0")
    number = f"{office}{series}{digits}{kind}"
    return f"https://patents.google.com/patent/{number}" if kind else f"https://patents.google.com/?oq={number}"
