"""What may stand in DUMPER_UPSTREAMS, checked: converters, each of which raises ValueError with what it has to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dumper.converters import seconds
from dumper.rules.edge import ALL
from dumper.rules.headers import is_token
from dumper.rules.targets import target_of


class Misconfigured(ValueError):
    """An upstream cannot be made of what the settings say; the text says why."""


def apply(owner: object, given: Mapping[str, Any], known: Mapping[str, Any], required: Sequence[str]) -> None:
    """Set the attributes of ``owner`` that ``given`` names. Raises Misconfigured."""
    for name, value in given.items():
        if name not in known:
            raise Misconfigured(f"has no option {name!r}; there are {', '.join(sorted(known))}")
        setattr(owner, name, converted(f"the option {name!r}", known[name], value))
    if absent := [name for name in required if name not in given]:
        raise Misconfigured(f"needs the option{'s' if len(absent) > 1 else ''} {', '.join(absent)}")


def converted(what: str, converter: Callable[[Any], Any], value: Any) -> Any:
    """``value`` as ``converter`` has it. Raises Misconfigured."""
    try:
        return converter(value)
    except ValueError as error:
        given = "" if converter is secret else f", not {value!r}"
        raise Misconfigured(f"has {what} that must be {error}{given}") from None


def text(value: Any) -> str:
    if not isinstance(value, str) or not value or not (value.isascii() and value.isprintable()):
        raise ValueError("a string of printable ASCII")
    return value


def secret(value: Any) -> str:
    """A text that is shown to nobody."""
    return text(value)


def whole_seconds(value: Any) -> int | None:
    return None if value is None else int(seconds(value))


def delays(value: Any) -> tuple[float, ...]:
    listed = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
    try:
        return tuple(sorted(map(seconds, listed)))
    except ValueError:
        raise ValueError("None, or a number of seconds, or a list of them") from None


def field_name(value: Any) -> str:
    if not isinstance(value, str) or not is_token(value):
        raise ValueError("the name of a header field")
    return value


def field_names(value: Any) -> frozenset[str]:
    if value == ALL:
        return frozenset({ALL})
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise ValueError('"*" or a list of names of header fields')
    return frozenset(field_name(name).lower() for name in value)


def prefix(value: Any) -> str:
    if not isinstance(value, str) or (value and target_of(value) is None):
        raise ValueError('"" or a path such as "/shop", decoded')
    return value.rstrip("/")
