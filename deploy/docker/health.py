"""Health check of a container: exit status 0 where its process answers GET /health."""

import os
import sys
from urllib.request import urlopen

# A worker has a port of its own for it; the API answers at the port of its requests.
port = os.environ.get("RETRACE_METRICS_PORT") or os.environ.get("RETRACE_API_PORT", "8000")
try:
    with urlopen(f"http://127.0.0.1:{port}/health", timeout=4) as answer:
        sys.exit(0 if answer.status == 200 else 1)
except OSError as error:
    sys.exit(f"no answer at port {port}: {error}")
