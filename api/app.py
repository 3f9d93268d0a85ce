"""The FastAPI application, assembled from its routes over dependencies that runtime builds."""

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from fastapi_offline import FastAPIOffline

from api import errors
from api.opening import Lifespan, opening
from api.routes import (
    alerts,
    cases,
    decisions,
    explanations,
    figures,
    health,
    labels,
    lists,
    live,
    scoring,
    transactions,
    webhooks,
)
from api.serving.hot import HotRoutes
from api.serving.timing import TimingMiddleware

DESCRIPTION = """Submit transactions, get decisions, say what turned out to be fraud.

Equal ids are equal transactions: a retry under the same id is always safe and gets the recorded
decision; the same id with other content gets 409. Errors are problem details (RFC 9457)."""

_NO_TELEMETRY: TelemetryConfig = {
    "auto_configure": False,
    "tracing": False,
    "metrics": False,
    "logs": False,
}


def create_app(lifespan: Lifespan) -> FastAPI:
    """`lifespan` opens the dependencies; requests get 503 while a server that they need is away."""
    # The pages of /docs come from here, so that they work without the internet.
    app = FastAPIOffline(
        title="Retrace",
        version="0.1.0",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=opening(lifespan),
        # Looked up anew for each request. Our own: runtime/telemetry.
        telemetry=_NO_TELEMETRY,
    )
    errors.install(app)
    app.add_middleware(HotRoutes, endpoints={("POST", "/score"): scoring.score})
    app.add_middleware(TimingMiddleware)
    # The stream comes before /decisions/{id}, which would take `stream` for an id.
    # So does an explanation, of the id before it.
    for module in (
        scoring,
        explanations,
        transactions,
        live,
        decisions,
        labels,
        alerts,
        cases,
        figures,
        lists,
        webhooks,
        health,
    ):
        app.include_router(module.router)
    return app
