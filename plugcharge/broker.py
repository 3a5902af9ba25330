"""The embedded MQTT broker for demo and tests: amqtt in a process of its own, on 127.0.0.1, MQTT 3.1.1 only.

Not for production: it knows no access lists and forgets everything when it stops.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

import click

HOST = "127.0.0.1"
START_S = 30.0

_READY = "broker listens on port "
_LISTENER = "loopback"


async def start_broker(port: int = 0) -> tuple[asyncio.subprocess.Process, int]:
    """Start the broker as a child; returns it and its port once connections are accepted. Port 0 takes a free one.

    It ends with `terminate()`, and by itself when our process is gone. Raises RuntimeError when it does not come up.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "plugcharge.broker", "--port", str(port), "--until-eof"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdout is None:
        raise RuntimeError("the embedded broker has no standard output")
    async with asyncio.timeout(START_S):
        line = (await process.stdout.readline()).decode()
    if not line.startswith(_READY):
        await process.wait()
        raise RuntimeError(f"the embedded broker did not start on port {port}; its own message stands above")
    return process, int(line.removeprefix(_READY))


async def serve(port: int, *, until_eof: bool = False) -> None:
    """Be the broker until a signal (or the end of standard input) says stop. Raises OSError for a port in use."""
    from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
    from amqtt.broker import Broker

    broker = Broker(
        {
            "listeners": {"default": {"type": "external"}, _LISTENER: {"type": "external"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await broker.external_connected(StreamReaderAdapter(reader), StreamWriterAdapter(writer), _LISTENER)

    await broker.start()
    async with await asyncio.start_server(accept, HOST, port) as server:
        click.echo(f"{_READY}{server.sockets[0].getsockname()[1]}")
        await _told_to_stop(until_eof=until_eof)


async def _told_to_stop(*, until_eof: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_eof:
        loop.add_reader(sys.stdin, stop.set)
    await stop.wait()


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=1883, show_default=True, help="0 takes a free one.")
@click.option("--until-eof", is_flag=True, help="Stop when standard input ends.")
def main(port: int, *, until_eof: bool) -> None:
    """Run the embedded MQTT broker on 127.0.0.1."""
    logging.basicConfig(level=logging.CRITICAL)
    try:
        asyncio.run(serve(port, until_eof=until_eof))
    except ImportError as error:
        raise click.ClickException(f"{error}; install the broker with: pip install 'plugcharge[demo]'") from error
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise click.ClickException(f"cannot listen on {HOST}:{port}: {why}; choose another port") from error


if __name__ == "__main__":
    main()
