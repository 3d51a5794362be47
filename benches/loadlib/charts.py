"""Draws tables as bar charts in SVG, from the cells of the tables, so that a chart and its table cannot differ."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT = 760, 264, 84
TOP, BAR, GAP, GROUP_GAP, BOTTOM = 64, 18, 3, 12, 52
# The numbers of a cell. The first ones are drawn, one for each series.
NUMBER = re.compile(r"\d+(?:\.\d+)?")

# Sets a background, because a picture in a document does not know the colours around it.
STYLE = """
  svg { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
  .page { fill: #ffffff; stroke: #d0d7de; } text { fill: #1f2328; } .quiet { fill: #59636e; }
  /* The lines of the axis stop before a number. */
  .value { paint-order: stroke; stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round; }
  .title { font-size: 16px; font-weight: 600; } .grid { stroke: #d8dee4; } .target { stroke: #cf222e; }
  .target-text { fill: #cf222e; } .own { fill: #0969da; } .other { fill: #8c959f; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d; } text { fill: #e6edf3; } .quiet { fill: #9198a1; }
    .grid { stroke: #262c34; } .target { stroke: #ff7b72; } .target-text { fill: #ff7b72; }
    .own { fill: #4493f8; } .other { fill: #6e7681; } .value { stroke: #0d1117; }
  }"""


@dataclass(frozen=True)
class Chart:
    """A chart of a table: its file name, its title, the first cell of the table's header, and the column to draw.

    `series` names the numbers of a cell such as `2.1 → 5.6`. Rows whose first cell contains `others` are drawn in
    another colour, because they are what the server is compared with. `limit` is a line that no bar should cross.
    """

    name: str
    title: str
    header: str
    column: str
    unit: str
    series: tuple[str, ...] = ("",)
    others: str = ""
    limit: float | None = None


CHARTS = [
    Chart("requests", "Requests per second", "row", "req/s", "requests per second, more is better",
          others="bare actix handler"),
    Chart("better-auth", "get-session: api-server and Better Auth", "`get-session`, PostgreSQL", "req/s",
          "requests per second, more is better", others="Better Auth"),
    Chart("fastapi", "Session and list of tasks: api-server and FastAPI", "FastAPI, PostgreSQL",
          "requests per CPU second", "requests per second of the servers' processor time, more is better",
          others="FastAPI"),
    Chart("others", "Other accounts before and during hostile searches", "12 searches of one account",
          "others' p95 ms, before → during", "95th percentile in ms, less is better", series=("before", "during"),
          limit=100),
]


@dataclass(frozen=True)
class Bar:
    label: str
    series: int
    # The number as it is in the table.
    text: str
    is_other: bool

    @property
    def value(self) -> float:
        return float(self.text)


def plain(cell: str) -> str:
    return cell.replace("`", "").replace("*", "").strip()


def bars_of(chart: Chart, header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[list[Bar]]:
    """The bars of each row of the table."""
    column = next((index for index, cell in enumerate(header) if plain(cell) == chart.column), None)
    if column is None:
        raise SystemExit(f"the table {header[0]!r} has no column {chart.column!r} for the chart {chart.name}")
    groups = []
    for row in rows:
        numbers = NUMBER.findall(str(row[column]))
        if len(numbers) < len(chart.series):
            raise SystemExit(f"{row[0]}: {row[column]!r} has no {len(chart.series)} numbers for the chart {chart.name}")
        is_other = bool(chart.others) and chart.others in str(row[0])
        label = plain(str(row[0]))
        groups.append([Bar(label, index, text, is_other) for index, text in enumerate(numbers[:len(chart.series)])])
    return groups


def ticks_until(highest: float) -> list[float]:
    """Round numbers from 0 to at least `highest`, at most six."""
    step = 10 ** math.floor(math.log10(highest / 5))
    step = next(step * factor for factor in (1, 2, 2.5, 5, 10) if highest / (step * factor) <= 5)
    return [index * step for index in range(math.ceil(highest / step) + 1)]


def number_text(text: str) -> str:
    """Groups the digits of an integer with narrow spaces."""
    return text if "." in text else f"{int(text):,}".replace(",", "\u202f")


def svg(chart: Chart, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The chart of the table, as the text of an SVG file."""
    groups = bars_of(chart, header, rows)
    highest = max(bar.value for group in groups for bar in group)
    ticks = ticks_until(max(highest, chart.limit or 0) or 1)
    scale = (WIDTH - LEFT - RIGHT) / ticks[-1]
    body, y = [], TOP
    for group in groups:
        middle = y + len(group) * (BAR + GAP) / 2 - GAP / 2
        body.append(text_at(LEFT - 10, middle + 4.5, group[0].label, "end"))
        for bar in group:
            is_quiet = bar.is_other or (len(chart.series) > 1 and bar.series == 0)
            body.append(f'<rect class="{"other" if is_quiet else "own"}" x="{LEFT}" y="{y}" '
                        f'width="{max(bar.value * scale, 1):.1f}" height="{BAR}" rx="2"/>')
            name = f" {chart.series[bar.series]}" if chart.series[bar.series] else ""
            value = number_text(bar.text) + name
            body.append(text_at(LEFT + bar.value * scale + 6, y + BAR / 2 + 4.5, value, css="value"))
            y += BAR + GAP
        y += GROUP_GAP - GAP
    bottom = y - GROUP_GAP + 6
    axis = []
    for tick in ticks:
        x = LEFT + tick * scale
        axis.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}"/>')
        axis.append(text_at(x, bottom + 17, number_text(f"{tick:.12g}"), "middle", "quiet"))
    axis.append(text_at(LEFT, bottom + 37, chart.unit, css="quiet"))
    limit = []
    if chart.limit:
        x = LEFT + chart.limit * scale
        limit = [f'<line class="target" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" stroke-dasharray="4 3"/>',
                 text_at(x - 5, TOP - 13, f"target: below {chart.limit:g}", "end", "target-text")]
    height = bottom + BOTTOM
    description = "; ".join(
        f"{group[0].label}: " + ", ".join(f"{chart.series[bar.series]} {bar.text}".strip() for bar in group)
        for group in groups)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" width="{WIDTH}" '
        f'height="{height}" viewBox="0 0 {WIDTH} {height}">',
        f'<title id="title">{escape(chart.title)}</title>',
        f'<desc id="description">{escape(f"{chart.unit}. {description}.")}</desc>',
        f"<style>{STYLE}\n</style>",
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
        text_at(20, 32, chart.title, css="title"), *axis, *body, *limit, "</svg>",
    ]
    return "\n".join(lines) + "\n"


def text_at(x: float, y: float, text: str, anchor: str = "start", css: str = "") -> str:
    css_part = f' class="{css}"' if css else ""
    anchor_part = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text{css_part} x="{x:.1f}" y="{y:.1f}"{anchor_part}>{escape(text)}</text>'


def chart_of(header: Sequence[str]) -> Chart | None:
    """The chart of the table with this header, if there is one."""
    return next((chart for chart in CHARTS if chart.header == header[0]
                 and any(plain(cell) == chart.column for cell in header)), None)


def tables(markdown: str) -> list[tuple[list[str], list[list[str]]]]:
    """The header and the rows of each table of a Markdown document."""
    found, lines = [], []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            lines.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif lines:
            found.append((lines[0], lines[2:]))
            lines = []
    return found
