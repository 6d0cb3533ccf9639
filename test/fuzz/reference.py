"""What a shared cache may store and serve, as RFC 9110, 9111 and 8941 have it: slow, plain, without our code.

Fields are read a character at a time, by the grammars of the RFCs. Header fields are dicts by names in lower case. A
function that returns None has been given what no grammar covers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

Fields = Mapping[str, str]

TCHAR = set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
OWS = " \t"


def parts(field: str) -> list[str]:
    """The members of a list (RFC 9110 §5.6.1): commas part them, but not within quotes that are closed."""
    found, start, place = [], 0, 0
    while place < len(field):
        if field[place] == '"':
            place = end_of_quoted(field, place) or place
        elif field[place] == ",":
            found.append(field[start:place])
            start = place + 1
        place += 1
    found.append(field[start:])
    return [part.strip(OWS) for part in found if part.strip(OWS)]


def end_of_quoted(field: str, start: int) -> int | None:
    """Where the quoted string that begins at ``start`` ends (RFC 9110 §5.6.4)."""
    place = start + 1
    while place < len(field):
        if field[place] == "\\":
            place += 1
        elif field[place] == '"':
            return place
        place += 1
    return None


def unquoted(text: str) -> str | None:
    """The value of a token or a quoted string; None for what is neither."""
    if text[:1] == '"':
        if end_of_quoted(text, 0) != len(text) - 1:
            return None
        value, escaped = "", False
        for character in text[1:-1]:
            if character == "\\" and not escaped:
                escaped = True
            else:
                value, escaped = value + character, False
        return value
    return text if is_token(text) else None


def is_token(text: str) -> bool:
    return bool(text) and set(text) <= TCHAR


def cache_control(field: str) -> list[tuple[str, str | None]] | None:
    """The directives in their order (RFC 9111 §5.2); None for a field that is malformed."""
    found: list[tuple[str, str | None]] = []
    for part in parts(field):
        name, equals, argument = part.partition("=")
        value = unquoted(argument) if equals else None
        if not is_token(name) or (equals and value is None):
            return None
        found.append((name.lower(), value))
    return found


def says(field: str, directive: str) -> bool:
    """Whether a directive is there without an argument, or with any; of a malformed field, in a member of its own."""
    return any(part.partition("=")[0].strip(OWS).lower() == directive for part in parts(field))


def must_not_store(asked: Fields, status: int, answered: Fields) -> str | None:
    """Why the answer to a GET must not be stored for others (RFC 9111 §3), or served to them without asking again."""
    control = answered.get("cache-control", "")
    if status < 200 or status in (206, 304):
        return "status"
    for directive in ("no-store", "private", "no-cache"):
        if says(control, directive):
            return directive
    if says(asked.get("cache-control", ""), "no-store"):
        return "no-store in the request"
    if "authorization" in asked and not is_for_all(control):
        return "authorization"
    if "*" in vary(answered.get("vary", "")):
        return "vary"
    # No RFC forbids it, but the promise: what one visitor is given is not for another.
    return "set-cookie" if "set-cookie" in answered else None


def is_for_all(control: str) -> bool:
    """Whether it may be served to those who authorize (RFC 9111 §3.5); of a malformed field nobody knows."""
    permissions = ("public", "must-revalidate", "s-maxage")
    if cache_control(control) is None:
        return any(permission in control.lower() for permission in permissions)
    return any(says(control, permission) for permission in permissions)


def vary(field: str) -> list[str]:
    """The names in Vary (RFC 9110 §12.5.5)."""
    return [name.strip(OWS).lower() for name in field.split(",") if name.strip(OWS)]


def is_selected(field: str, first: Fields, other: Fields) -> bool:
    """Whether the answer to ``first`` may be an answer to ``other`` (RFC 9111 §4.1)."""
    return all(first.get(name) == other.get(name) for name in vary(field)) and "*" not in vary(field)


def lifetime(answered: Fields, now: float) -> float | None:
    """For how many seconds an answer is fresh (RFC 9111 §4.2.1); None where it does not say, or cannot be read."""
    control = cache_control(answered.get("cache-control", ""))
    if control is None:
        return None
    for name in ("s-maxage", "max-age"):
        for directive, argument in control:
            if directive == name:
                return float(delta_seconds(argument or ""))
    if "expires" in answered:
        moment = http_date(answered["expires"])
        return max(0.0, moment - now) if moment is not None else 0.0
    return None


def delta_seconds(text: str) -> int:
    """RFC 9111 §1.2.2, and §4.2.1: what is invalid is stale."""
    if not text or set(text) - set("0123456789"):
        return 0
    return min(int(text[-4000:]), 2**31) if len(text.lstrip("0")) <= 10 else 2**31


def weights(field: str) -> dict[str, float] | None:
    """Each member of Accept-Encoding with its weight (RFC 9110 §12.4.2, §12.5.3)."""
    found: dict[str, float] = {}
    for part in field.split(","):
        if not part.strip(OWS):
            continue
        coding, semicolon, parameter = (piece.strip(OWS) for piece in part.partition(";"))
        weight = quality(parameter) if semicolon else 1.0
        if not is_token(coding) or weight is None or coding.lower() in found:
            return None
        found[coding.lower()] = weight
    return found


def quality(parameter: str) -> float | None:
    """The weight that a parameter says (RFC 9110 §12.4.2)."""
    digits = parameter[4:]
    if parameter[:3].lower() not in ("q=0", "q=1") or (len(parameter) > 3 and parameter[3] != "."):
        return None
    if len(digits) > 3 or set(digits) - set("0123456789" if parameter[2] == "0" else "0"):
        return None
    return float(parameter[2:])


def is_acceptable(coding: str, field: str | None) -> bool:
    """Whether content may be sent in ``coding`` (RFC 9110 §12.5.3). A malformed field allows what is not encoded."""
    if coding == "identity":
        return True  # or the answer would be 415, which helps nobody
    accepted = weights(field or "")
    if accepted is None:
        return coding in (field or "").lower() or "*" in (field or "")
    names = ("gzip", "x-gzip") if coding == "gzip" else (coding,)
    named = [accepted[name] for name in names if name in accepted]
    return (max(named) if named else accepted.get("*", 0.0)) > 0


def entity_tags(field: str) -> list[str] | None:
    """The opaque tags of an If-None-Match field, without what makes them weak (RFC 9110 §8.8.3, §13.1.2)."""
    found, place, is_between = [], 0, True
    while place < len(field):
        if field[place] in OWS:
            place += 1
        elif field[place] == ",":
            is_between, place = True, place + 1
        elif is_between and field[place : place + 3] == 'W/"':
            place += 2
        elif is_between and field[place] == '"':
            end = field.find('"', place + 1)
            tag = field[place + 1 : end]
            if end < 0 or any(character < "!" or character == "\x7f" for character in tag):
                return None
            found.append(tag)
            is_between, place = False, end + 1
        else:
            return None
    return found


def not_modified(asked: Fields, answered: Fields) -> bool | None:
    """Whether a GET or HEAD with these conditions is answered with 304 (RFC 9110 §13.2.2)."""
    if (field := asked.get("if-none-match")) is not None:
        if field.strip(OWS) == "*":
            return True
        tags = entity_tags(field)
        own = entity_tags(answered.get("etag", ""))
        return None if tags is None or own is None else bool(set(tags) & set(own))
    if "if-modified-since" not in asked or "last-modified" not in answered:
        return False
    since, modified = http_date(asked["if-modified-since"]), http_date(answered["last-modified"])
    return since is not None and modified is not None and modified <= since


DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def http_date(field: str) -> float | None:
    """Seconds since the epoch of one of the three forms (RFC 9110 §5.6.7); names in any case (RFC 9111 §4.2)."""
    text = field.strip(OWS).lower()
    days, short, months = [d.lower() for d in DAYS], [d[:3].lower() for d in DAYS], [m.lower() for m in MONTHS]
    for day_name in [*days, *short]:
        rest = text[len(day_name) :]
        if not text.startswith(day_name) or rest[:1] not in (",", " "):
            continue
        if day_name in days:  # Sunday, 06-Nov-94 08:49:37 GMT
            form = rest[:2] + rest[2:4] + rest[4:5] + rest[8:9] + rest[11:12] + rest[20:]
            day, month, year, clock = rest[2:4], rest[5:8], rest[9:11], rest[12:20]
            is_in_form = form == f", {day}--  gmt"
        elif rest[0] == ",":  # Sun, 06 Nov 1994 08:49:37 GMT
            day, month, year, clock = rest[2:4], rest[5:8], rest[9:13], rest[14:22]
            is_in_form = rest[1:2] + rest[4:5] + rest[8:9] + rest[13:14] + rest[22:] == "     gmt"
        else:  # Sun Nov  6 08:49:37 1994
            month, day, clock, year = rest[1:4], rest[5:7].replace(" ", "0"), rest[8:16], rest[17:]
            is_in_form = rest[4:5] + rest[7:8] + rest[16:17] == "   " and len(year) == 4
        numbers = [day, year, clock[0:2], clock[3:5], clock[6:8]]
        if not is_in_form or month not in months or clock[2:3] + clock[5:6] != "::":
            return None
        if any(not number or set(number) - set("0123456789") for number in numbers):
            return None
        return moment(int(day), months.index(month) + 1, int(year), len(year), *map(int, numbers[2:]))
    return None


def moment(day: int, month: int, year: int, digits: int, hour: int, minute: int, second: int) -> float | None:
    if digits == 2:  # RFC 9110 §5.6.7: not more than 50 years in the future
        now = datetime.now(timezone.utc).year
        year += now - now % 100
        year -= 100 * (year > now + 50)
    try:  # a leap second is the last one once more
        found = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone.utc)
        return (found + timedelta(seconds=second == 60)).timestamp() if second <= 60 else None
    except (ValueError, OverflowError):
        return None
