"""The arrays of messages and entries as tables, drawn from the types by which they are read.

Rule: names, order, types and bounds are the decoder's own; only meanings are written by hand, one for every field, and
a meaning without a field, or a field without one, is an error.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.inspect import (
    BoolType,
    BytesType,
    EnumType,
    Field,
    IntType,
    NoneType,
    StrType,
    StructType,
    TupleType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from auctionctl.cli.manual.roff import Table

MAX_WORDS_SHOWN: Final = 4
"""An enumeration of more words has to be described elsewhere."""

MAX_TYPE_CHARACTERS: Final = 35
"""Of an enumeration beside a meaning; a longer one leaves no room for it."""

_EXPONENTS: Final = {10**power: f"10^{power}" for power in range(6, 19)} | {
    2**power: f"2^{power}" for power in range(20, 64)
}

_ASIDE: Final = re.compile(r" \(:mod:`[^`]*`\)")
"""A reference to the source, which a reader of the manual does not have."""
_ROLE: Final = re.compile(r":[a-z]+:`")


def struct_of(kind: type[msgspec.Struct]) -> StructType:
    """What msgspec knows of ``kind``."""
    info = type_info(kind)
    assert isinstance(info, StructType)
    return info


def tag_of(kind: type[msgspec.Struct]) -> str:
    """The string that begins arrays of ``kind``; empty where none does."""
    return str(struct_of(kind).tag or "")


def job_of(kind: type[msgspec.Struct]) -> str:
    """What the docstring of ``kind`` says, without the marks of docstrings."""
    text = " ".join(inspect.cleandoc(kind.__doc__ or "").split())
    return _ROLE.sub("`", _ASIDE.sub("", text).replace("``", "`"))


def fields_table(kind: type[msgspec.Struct], meanings: Mapping[str, str]) -> Table:
    """Place, name, type and meaning of every element of an array of ``kind``.

    ``meanings`` says field → meaning. Raises ValueError for a meaning of a field that is not there, and for a
    field that has none.
    """
    info = struct_of(kind)
    names = [field.encode_name for field in info.fields]
    if set(names) != set(meanings):
        raise ValueError(f"{kind.__name__} has the fields {names}, and meanings are there for {list(meanings)}")
    first = 0 if info.tag is None else 1
    rows = [] if info.tag is None else [("0", "", f'"`{info.tag}`"', "The type.")]
    rows += [
        (
            str(place),
            f"`{field.encode_name}`",
            "str" if _is_long(field.type) else type_text(field.type),
            meanings[field.encode_name],
        )
        for place, field in enumerate(info.fields, first)
    ]
    return Table(("", "field", "type", "meaning"), tuple(rows))


def words_of(kind: type[msgspec.Struct]) -> str:
    """Which words a field may hold, for those of which :func:`fields_table` has no room to say it; or nothing."""
    told = [f"`{field.encode_name}` is {type_text(field.type)}." for field in fields_of(kind) if _is_long(field.type)]
    return " ".join(told)


def _is_long(kind: Type) -> bool:
    return isinstance(kind, EnumType) and len(type_text(kind)) > MAX_TYPE_CHARACTERS


def plain_table(kind: type[msgspec.Struct]) -> Table:
    """Place, name and type of every element of an array of ``kind``."""
    info = struct_of(kind)
    first = 0 if info.tag is None else 1
    rows = [] if info.tag is None else [("0", "", f'"`{info.tag}`"')]
    rows += [
        (str(place), f"`{field.encode_name}`", type_text(field.type)) for place, field in enumerate(info.fields, first)
    ]
    return Table(("", "field", "type"), tuple(rows))


def fields_of(kind: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields in order."""
    return struct_of(kind).fields


def type_text(kind: Type) -> str:
    """A type with its bounds, as in ``bin 32``, ``str 1..200`` and ``uint 0..10^15``."""
    match kind:
        case IntType(ge=low, le=high):
            return "int" if low is None else f"uint {_range(low, high)}".rstrip()
        case BytesType(min_length=low, max_length=high):
            return f"bin {_range(low or 0, high)}".rstrip()
        case StrType(min_length=low, max_length=high):
            return f"str {_range(low or 0, high)}".rstrip()
        case EnumType(cls=cls):
            words = [f'"`{each.value}`"' for each in cls]
            return " or ".join(words) if len(words) <= MAX_WORDS_SHOWN else "str"
        case NoneType():
            return "nil"
        case BoolType():
            return "bool"
        case StructType(cls=struct):
            return f"`{struct.__name__}`"
        case _:
            return _compound_text(kind)


def _compound_text(kind: Any) -> str:
    match kind:
        case UnionType(types=types):
            return " or ".join(map(type_text, types))
        case TupleType(item_types=types):
            return f"[{', '.join(map(type_text, types))}]"
        case VarTupleType(item_type=item, max_length=high):
            bound = "" if high is None else f"0..{high} "
            return f"array of {bound}{type_text(item)}"
        case _:
            raise ValueError(f"no words for the type {kind}")


def _range(low: int, high: int | None) -> str:
    if high is None:
        return f"{low}.." if low else ""
    return number_text(low) if low == high else f"{low}..{number_text(high)}"


def number_text(number: int) -> str:
    """A bound, large ones as powers."""
    return _EXPONENTS.get(number, str(number))
