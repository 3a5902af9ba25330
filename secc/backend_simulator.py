"""The operator's side for demo and tests: a process that knows only MQTT, `secc.api` and a tree of `pki init`.

It answers requests for certificates, authorization, plans and OCSP, or answers them badly when told to.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from pki.provisioning import ProvisioningService
from pki.shown import shown
from pki.store import Store
from secc import api
from secc.mqtt import Broker, Bus
from secc.ocsp import cert_id_of
from secc.simulated.planner import Planner
from secc.simulated.responder import TreeResponder
from secc.simulated.tariff import TariffOperator
from v2g import toml
from v2g.errors import Undecodable
from v2g.record import Record

READS = (api.SECC_AUTHORIZATION, api.SECC_CERTIFICATE, api.SECC_OCSP, api.SECC_PLAN_REQUEST)
LATE_S = 1.0
GARBAGE = bytes(range(64))
OTHER_SESSION = bytes(range(1, 9))

Manner = Literal["answer", "late", "silent", "failed", "garbage", "other-session"]
_log = logging.getLogger(__name__)


class BackendConfig(Record, forbid_unknown_fields=True):
    """One simulated operator for one EVSE. `tree` is the folder of a PKI, such as `certs/out/iso2`."""

    broker: Broker = Broker()
    evse: api.Name = "1"
    tree: str | None = None
    certificates: Manner = "answer"
    """`late`: a second past the deadline; `failed`: no service to ask; `garbage`: no message at all;
    `other-session`: what another session was answered."""
    ocsp: Literal["answer", "late", "silent", "failed", "garbage"] = "answer"
    """How OCSP requests are answered, from the `tree` and what is revoked there; without one they `failed`."""
    authorization: Literal["accept", "reject", "silent"] = "accept"
    plan: str | None = None
    """What sessions may draw when (see `secc.simulated.planner`); with a `tree`, contracts get signed tariffs too."""
    delay_s: Annotated[float, Meta(ge=0, le=3_600)] = 0.0
    """How long every answer takes."""


def read(path: Path | None, changes: Mapping[str, object]) -> BackendConfig:
    """Read a TOML file (or nothing) and lay `changes` over it. Raises ValueError with file, key and remedy."""
    found = toml.read(path, absent="leave --config out to go by the options alone") if path else {}
    if path is not None and isinstance(found.get("tree"), str):
        found["tree"] = str(path.parent / found["tree"])
    for key, value in changes.items():
        table = found.get(key)
        found[key] = table | value if isinstance(table, dict) and isinstance(value, dict) else value
    remedy = "see `plugcharge secc simulate-backend --help`"
    return toml.convert(found, BackendConfig, path or "command line", remedy=remedy)


class BackendSimulator:
    """One operator on his broker."""

    def __init__(self, config: BackendConfig, connected: Callable[[], None]) -> None:
        """`connected` is called once the broker is there. Raises ValueError for a tree that cannot be used."""
        self._config = config
        self._service = None if config.tree is None else ProvisioningService(Store(Path(config.tree)))
        self._responder = None if config.tree is None else TreeResponder(Path(config.tree))
        self._planner = Planner(config.plan, None if config.tree is None else TariffOperator(Path(config.tree)))
        self._waiting: set[asyncio.TimerHandle] = set()
        self._bus = Bus(
            config.broker,
            config.evse,
            writer="backend",
            reads=READS,
            will=None,
            handle=self._hear,
            rejected=lambda topic, reason: _log.warning("rejected %s: %s", topic, reason),
            connected=connected,
            disconnected=_nothing,
        )

    async def run(self) -> None:
        """Answer until cancelled."""
        try:
            await self._bus.run()
        finally:
            for timer in self._waiting:
                timer.cancel()

    def _hear(self, _topic: api.Topic[Record], payload: Record, _retained: bool) -> None:
        match payload:
            case api.CertificateRequest():
                self._certificate(payload)
            case api.OcspRequest():
                self._ocsp(payload)
            case api.PlanRequest():
                if (plan := self._planner.ask(payload)) is not None:
                    self._say(partial(self._bus.publish, api.BACKEND_PLAN, plan), self._config.delay_s)
            case api.AuthorizationRequest() if self._config.authorization != "silent":
                accepted: api.Answer = "accepted" if self._config.authorization == "accept" else "rejected"
                answer = api.BackendAuthorization(id=payload.id, status=accepted)
                self._say(lambda: self._bus.publish(api.BACKEND_AUTHORIZATION, answer), self._config.delay_s)

    def _certificate(self, request: api.CertificateRequest) -> None:
        """Answer a request for a certificate in the manner configured."""
        manner = self._config.certificates
        if manner == "silent":
            return
        answer = api.BackendCertificate(id=request.id, status="failed", reason="no provisioning service")
        if manner == "garbage":
            answer = api.BackendCertificate(id=request.id, status="accepted", exi=GARBAGE)
        elif manner != "failed" and self._service is not None:
            answer = self._provision(self._service, request)
        late_s = request.deadline_s + LATE_S if manner == "late" else 0.0
        self._say(lambda: self._bus.publish(api.BACKEND_CERTIFICATE, answer), self._config.delay_s + late_s)

    def _provision(self, service: ProvisioningService, request: api.CertificateRequest) -> api.BackendCertificate:
        try:
            envelope = service.read(request.exi)
            if self._config.certificates == "other-session":
                envelope = replace(envelope, session_id=OTHER_SESSION)
            exi = service.write(service.respond(envelope))
        except Undecodable as error:
            _log.warning("no certificate request: %s", error)
            return api.BackendCertificate(id=request.id, status="failed", reason="no certificate request")
        return api.BackendCertificate(id=request.id, status="accepted", exi=exi)

    def _ocsp(self, request: api.OcspRequest) -> None:
        """Tell how a certificate stands, in the manner configured."""
        manner = self._config.ocsp
        if manner == "silent":
            return
        answer = api.BackendOcsp(id=request.id, status="failed", reason="no responder")
        if manner == "garbage":
            answer = api.BackendOcsp(id=request.id, status="accepted", response=GARBAGE)
        elif manner != "failed" and self._responder is not None:
            answer = _respond(self._responder, request)
        late_s = request.deadline_s + LATE_S if manner == "late" else 0.0
        self._say(lambda: self._bus.publish(api.BACKEND_OCSP, answer), self._config.delay_s + late_s)

    def _say(self, speak: Callable[[], None], after_s: float) -> None:
        """Speak, at once or later."""
        if after_s <= 0:
            speak()
            return
        timer = asyncio.get_running_loop().call_later(after_s, speak)
        self._waiting.add(timer)


def _respond(responder: TreeResponder, request: api.OcspRequest) -> api.BackendOcsp:
    try:
        response = responder(cert_id_of(request.certificate), datetime.now(UTC))
    except (ValueError, OSError) as error:
        _log.warning("no OCSP response: %s", error)
        return api.BackendOcsp(id=request.id, status="failed", reason=shown(str(error)))
    return api.BackendOcsp(id=request.id, status="accepted", response=response)


def _nothing() -> None:
    """Do nothing: an operator has no state to tell."""


async def run(config: BackendConfig, connected: Callable[[], None] = _nothing) -> None:
    """Simulate one operator until cancelled; `connected` is called whenever the broker is there.

    Raises ValueError for a configuration that cannot be used.
    """
    await BackendSimulator(config, connected).run()
