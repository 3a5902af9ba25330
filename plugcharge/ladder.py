"""The demo's picture: messages as a ladder between two poles while they fly, and the sum of it afterwards."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from plugcharge import scene

if TYPE_CHECKING:
    from plugcharge.demo import Report

WIDTH = 28


class Ladder:
    """Draws journal entries of the vehicle; a request that repeats itself is counted instead of drawn."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._times: dict[str, list[float]] = {}
        self._repeated = ""
        self._count = 0
        self._first = 0.0
        self._last = 0.0

    def show(self, entry: dict[str, Any]) -> None:
        """Draw one entry."""
        name = str(entry.get("name", ""))
        match entry.get("kind"):
            case "request":
                self._request(name, float(entry["at"]))
            case "response":
                self._response(name, entry)
            case "connected":
                self._line(entry["at"], f"[dim]connected to {escape(entry['peer'])}, TLS: {entry['tls']}[/dim]")
            case "failed":
                self._line(entry["at"], f"[bold red]{escape(entry['reason'])}[/bold red]")
            case _:
                return

    def close(self) -> None:
        """Draw what was counted and not drawn."""
        if self._count > 1:
            times = self._times[self._repeated]
            what = f"{self._repeated} x {self._count}, median {median(times):.1f} ms"
            self._console.print(f"{'':>9}      [dim]{what}[/dim]", soft_wrap=True)
        self._repeated, self._count = "", 0

    def timings(self) -> dict[str, float]:
        """Session length in s, and the longest and median response in ms."""
        times = [each for several in self._times.values() for each in several]
        if not times:
            return {}
        return {
            "session_s": round(self._last - self._first, 3),
            "median_response_ms": round(median(times), 3),
            "longest_response_ms": round(max(times), 3),
        }

    def _request(self, name: str, at: float) -> None:
        self._first = self._first or at
        answer = name.removesuffix("Req") + "Res"
        if answer != self._repeated:
            self.close()
            self._line(at, f"EVCC [cyan]{name:─^{WIDTH}}▶[/cyan] SECC")

    def _response(self, name: str, entry: dict[str, Any]) -> None:
        took, code = float(entry["took_ms"]), str(entry.get("code", ""))
        self._times.setdefault(name, []).append(took)
        self._last = float(entry["at"])
        if name == self._repeated:
            self._count += 1
            return
        color = "red" if code.upper().startswith("FAILED") else "green"
        self._line(entry["at"], f"EVCC [{color}]◀{name:─^{WIDTH}}[/{color}] SECC  {code} [dim]{took:.1f} ms[/dim]")
        self._repeated, self._count = name, 1

    def _line(self, at: float, text: str) -> None:
        self._console.print(f"[dim]{float(at):8.3f} s[/dim]  {text}", soft_wrap=True)

    # --- afterwards -------------------------------------------------------------------------------------------------

    def summary(self, report: Report) -> None:
        """Say who authorised what, which limits the controller received, how much flowed, and how fast it went."""
        self._console.print()
        if report.installed:
            got = escape(report.vehicle["provisioning"]["emaid"])
            self._console.print(f"Installed: contract {got}, its key proved to be that of the certificate, and kept")
        for event in report.events:
            if event["kind"] == "authorised":
                contract = next((each["contract"] for each in report.limits if each.get("contract")), None)
                who = {"by local": "the check of its chain and signature", "by charger": "the card reader"}
                what = f"contract {contract}" if contract else "identification from outside"
                self._console.print(f"Authorised: {what}, by {who.get(event['reason'], event['reason'])}")
        self._console.print(self._limits(report.limits))
        self._console.print(
            f"Energy metered: {report.charger.get('energy_wh', 0):.2f} Wh; "
            f"afterwards contactor {report.charger.get('contactor', 'unknown')}, "
            f"lock {report.charger.get('lock', 'unknown')}"
        )
        timings = ", ".join(f"{name} {value:g}" for name, value in report.timings.items())
        self._console.print(f"Timings: {timings}", soft_wrap=True)
        for failure in report.failures:
            self._console.print(f"[bold red]Not as planned: {escape(failure)}[/bold red]", soft_wrap=True)
        if not report.failures:
            self._console.print("[bold green]The session went as planned.[/bold green]")

    def _limits(self, received: list[dict[str, Any]]) -> Table:
        table = Table("authorised", "max power", "max current", "limited by", title="Limits as the controller saw them")
        before: list[str] = []
        for limits in received:
            sources = ", ".join(f"{name}: {source}" for name, source in limits.get("limited_by", {}).items())
            mark = "[green]yes[/green]" if limits["authorised"] else "no"
            power, current = f"{limits['max_charge_w']:g} W", f"{limits['max_current_a']:g} A"
            row = [mark, power, current, sources]
            if row != before:  # what was only said again is no change
                table.add_row(*row, style=None if scene.flowing(limits) else "dim")
            before = row
        return table
