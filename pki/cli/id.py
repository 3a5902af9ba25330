"""`pki id`: tells what an identifier is, its normal form, and whether its check character is right."""

from __future__ import annotations

import json

import click


@click.command("id")
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="For machines: a list of everything it may be.")
def identifier(text: str, *, as_json: bool) -> None:
    """Tell what TEXT may be the name of: EMAID, PCID, EVSEID, SECCID, EVCCID, contract id of DIN 91286.

    A wrong check character is told and does no harm: most samples in use have one. The exit status is 1 where TEXT is
    no identifier at all.
    """
    from v2g.identify import identify

    found = identify(text)
    if as_json:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(found), indent=2))
    else:
        for each in found:
            click.echo(f"{each.kind}: {each.written} ({each.normal}); {each.verdict}")
            for kind, other in each.others.items():
                click.echo(f"  as {kind}: {other}")
    if not found:
        raise click.ClickException(
            f"{text[:80]!a} is no EMAID, PCID, EVSEID, SECCID, EVCCID or contract id of DIN 91286"
        )
