"""Cells that hold several values: `billing:5;tech:3.5`, `en;fr`, `voice:1;chat:4`, or lists of the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.data.tables import CAPACITIES, MEDIA, PREFERRED, RATED, TEXTS
from ingest.files.cells.cells import TRIMMED, Cells, is_text
from ingest.files.cells.plain_cells import text

FULL_PROFICIENCY = 5.0
MOST_AT_ONCE = 1_000
# Columns whose cells may be split otherwise than by semicolons.
NAMES = ("skills", "languages", "queues")
BROKEN = r'a line break or tab stands between names; --skills-separator "\n\t;" splits there'
_BETWEEN = "\x1f"
# Levels as people write them, `tech (3,5)` and `tech = 3`, where somebody said how cells are split.
_COMMA = r"([(\[]\s*\d+),(\d+\s*[)\]])"
_LEVELS = (r"^(.*\S)\s*[(\[]\s*(\d+(?:\.\d+)?)\s*[)\]]$", r"^(.*\S)\s*=\s*(\d+(?:\.\d+)?)$")
REPEATED = "names repeated within one list, kept once"


@dataclass(frozen=True)
class Pairs:
    """How entries of one kind are written."""

    # Names of the two parts of an entry
    label: str
    number: str
    example: str  # A cell as it should be
    default: float | None = None  # Number of an entry that brings none; without it every entry needs one


PAIRS: dict[pl.DataType, Pairs] = {
    RATED: Pairs("name", "proficiency", "billing:5;tech:3.5", FULL_PROFICIENCY),
    CAPACITIES: Pairs("media", "count", "voice:1;chat:4"),
    PREFERRED: Pairs("agent_id", "score", "a1:90;a2:75"),
}


def pairs(cells: Cells) -> pl.Series:
    """Lists of a name with a number each, out of texts, lists or maps; null where a cell is empty or refused."""
    form = PAIRS[cells.column.dtype]
    entries = _entries(cells, form)
    if entries is None:
        return cells.nothing(cells.column.dtype)
    if cells.column.dtype == CAPACITIES:
        entries = entries.with_columns(pl.col("label").str.to_lowercase())
    for bad, remedy in _pair_rules(cells.column.dtype, form):
        _refuse_rows(cells, entries.filter(bad.fill_null(True)), remedy)
    entries = entries.select("row", pl.struct(label="label", number="number").alias("entry"))
    entries = entries.with_columns(pl.col("entry").struct.rename_fields([form.label, form.number]))
    return cells.sound(_regrouped(cells, entries).cast(cells.column.dtype, strict=False))


def texts(cells: Cells) -> pl.Series:
    """Lists of names, each once; null where a cell is empty."""
    labels = cells.raw if cells.is_plain and cells.raw.dtype == TEXTS else _names(cells)
    if not cells.is_plain:
        _refuse_empty(cells, labels)
    if (empty := (labels.list.len() == 0).fill_null(False)).any():
        labels = labels.set(empty, None)
    several = labels.filter((labels.list.len() > 1).fill_null(False))
    if (several.list.n_unique() == several.list.len()).all():
        return cells.sound(labels)
    n_given = labels.list.len().sum()
    labels = labels.list.unique(maintain_order=True)
    cells.findings.repaired(REPEATED, int(n_given) - int(labels.list.len().sum()))
    return cells.sound(labels)


def _names(cells: Cells) -> pl.Series:
    raw = cells.raw.arr.to_list() if isinstance(cells.raw.dtype, pl.Array) else cells.raw
    if not isinstance(raw.dtype, pl.List):
        return _trimmed(cells, _split(cells, text(cells)))
    inner = _instance(raw.dtype.inner)
    if isinstance(inner, pl.Struct):
        entries = _from_structs(cells, raw, inner, PAIRS[RATED])
        if entries is not None:
            return _regrouped(cells, entries.select("row", entry="label"))
    elif _holds_names(inner):
        return _trimmed(cells, _split_again(cells, raw.cast(pl.List(pl.String), strict=False)))
    else:
        cells.refuse_type("names such as billing;tech")
    return cells.nothing(pl.List(pl.String()))


def _pair_rules(dtype: pl.DataType, form: Pairs) -> list[tuple[pl.Expr, str]]:
    label, number = pl.col("label"), pl.col("number")
    rules = [
        (label.is_null() | (label == ""), f"an entry has no {form.label}; write it as in {form.example}"),
        (~number.is_finite(), f"an entry has no {form.number}; write it as in {form.example}"),
        (pl.struct("row", "label").is_duplicated(), f"names each {form.label} once"),
    ]
    if dtype == CAPACITIES:
        whole = number.is_between(0, MOST_AT_ONCE) & (number == number.round())
        rules.append((~label.is_in(list(MEDIA)), f"media must be one of {', '.join(MEDIA)}"))
        rules.append((~whole, f"counts must be whole numbers from 0 to {MOST_AT_ONCE}"))
    return rules


def _entries(cells: Cells, form: Pairs) -> pl.DataFrame | None:
    """One line per entry: row, label, number; None when the column cannot hold entries."""
    raw = cells.raw.arr.to_list() if isinstance(cells.raw.dtype, pl.Array) else cells.raw
    inner = raw.dtype.inner if isinstance(raw.dtype, pl.List) else None
    if isinstance(inner, pl.Struct):
        if _numbered_otherwise(inner, form):
            cells.refuse_type(f"entries of {form.label} and {form.number}")
            return None
        return _from_structs(cells, raw, inner, form)
    if inner is not None and (is_text(_instance(inner)) or inner == pl.Null):
        return _from_texts(cells, _exploded(_split_again(cells, raw.cast(pl.List(pl.String)))), form)
    if inner is None and (is_text(raw.dtype) or raw.dtype == pl.Null):
        return _from_texts(cells, _exploded(_split(cells, text(cells))), form)
    cells.refuse_type(f"entries such as {form.example}")
    return None


def _numbered_otherwise(inner: pl.Struct, form: Pairs) -> bool:
    """Whether entries bring their number under another name: the default must not stand in for it."""
    types = {field.name: field.dtype for field in inner.fields}
    return form.label in types and form.number not in types and any(kind.is_numeric() for kind in types.values())


def _separators(cells: Cells) -> str:
    """Those said at import, which are for names alone."""
    return cells.separators if cells.column.name in NAMES else ""


def _split(cells: Cells, found: pl.Series) -> pl.Series:
    separators = _separators(cells)
    if not separators:
        if cells.column.name in NAMES:
            cells.refuse(found.str.contains(r"[^;\s] *[\n\t]\s*[^;\s]"), BROKEN)
        return cells.sound(found).str.split(";")
    plain = found.str.replace_all(_COMMA, "${1}.${2}")
    return plain.str.replace_all(_any_of(separators), _BETWEEN).str.split(_BETWEEN)


def _split_again(cells: Cells, lists: pl.Series) -> pl.Series:
    """Entries of a list of the file split where somebody said how."""
    separators = _separators(cells)
    if not separators:
        return lists
    plain = pl.element().str.replace_all(_COMMA, "${1}.${2}")
    parts = plain.str.replace_all(_any_of(separators), _BETWEEN).str.split(_BETWEEN)
    return lists.list.eval(parts.explode())


def _any_of(separators: str) -> str:
    return "[" + "".join(f"\\x{{{ord(character):x}}}" for character in separators) + "]"


def _exploded(lists: pl.Series) -> pl.DataFrame:
    frame = pl.DataFrame({"part": lists}).with_row_index("row")
    return frame.filter(pl.col("part").list.len() > 0).explode("part")


def _from_texts(cells: Cells, parts: pl.DataFrame, form: Pairs) -> pl.DataFrame:
    part = pl.col("part").str.strip_chars()
    if _separators(cells) and cells.column.dtype == RATED:
        for level in _LEVELS:
            part = part.str.replace(level, "${1}:${2}")
    numeral = part.str.extract(":([^:]*)$").str.strip_chars()
    number = pl.when(numeral.is_null()).then(form.default).otherwise(numeral.cast(pl.Float64, strict=False))
    n_bytes = pl.col("part").str.len_bytes()
    stripped = pl.col("part").str.strip_chars()
    cells.findings.repaired(TRIMMED, parts.select((stripped.str.len_bytes() != n_bytes).sum()).item())
    label = part.str.replace(":[^:]*$", "").str.strip_chars()
    return parts.select("row", label=label, number=number)


def _from_structs(cells: Cells, raw: pl.Series, inner: pl.Struct, form: Pairs) -> pl.DataFrame | None:
    types = {field.name: _instance(field.dtype) for field in inner.fields}
    names = list(types)
    if form.label in types:
        names = [form.label, form.number] if form.number in types else [form.label]
    named = len(names) in {1, 2} and _holds_names(types[names[0]])
    rated = all(_holds_names(types[name]) or types[name].is_numeric() for name in names[1:])
    if not (named and rated):
        cells.refuse_type(f"entries of {form.label} and {form.number}")
        return None
    entry = pl.col("part").struct
    label = entry.field(names[0]).cast(pl.String, strict=False).str.strip_chars()
    given = entry.field(names[1]).cast(pl.Float64, strict=False) if names[1:] else pl.lit(None, pl.Float64)
    number = given if form.default is None else given.fill_null(form.default)
    return _exploded(raw).select("row", label=label, number=number)


def _holds_names(dtype: pl.DataType) -> bool:
    return is_text(dtype) or dtype.is_integer() or dtype == pl.Null


def _instance(dtype: object) -> pl.DataType:
    """A nested type's inner type as an instance."""
    return dtype() if isinstance(dtype, type) else dtype  # type: ignore[return-value]


def _refuse_empty(cells: Cells, labels: pl.Series) -> None:
    parts = _exploded(labels)
    empty = parts.filter(pl.col("part").is_null() | (pl.col("part") == ""))
    _refuse_rows(cells, empty, "an entry is empty; write names as in billing;tech")


def _refuse_rows(cells: Cells, entries: pl.DataFrame, remedy: str) -> None:
    if entries.height:
        bad = np.zeros(cells.raw.len(), np.bool_)
        bad[entries["row"].to_numpy()] = True
        cells.refuse(pl.Series(bad), remedy)


def _regrouped(cells: Cells, entries: pl.DataFrame) -> pl.Series:
    rows = pl.DataFrame({"row": pl.int_range(cells.raw.len(), dtype=pl.UInt32, eager=True)})
    lists = entries.group_by("row", maintain_order=True).agg("entry")
    return rows.join(lists, on="row", how="left", maintain_order="left")["entry"]


def _trimmed(cells: Cells, lists: pl.Series) -> pl.Series:
    parts = _exploded(lists)["part"]
    n_trimmed = int((parts.str.len_bytes() != parts.str.strip_chars().str.len_bytes()).sum())
    cells.findings.repaired(TRIMMED, n_trimmed)
    return lists.list.eval(pl.element().str.strip_chars()) if n_trimmed else lists
